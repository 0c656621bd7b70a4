"""Switches: what is configured of each FreeSWITCH of a centre, and the tie lines between them."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

from attrs import Attribute, define, field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import ConnectionId, InteractionId, SwitchId
from cti.model.overflow import Overflow, ToDestination, ToVoicemail
from cti.model.validate import name, seconds

_SIP: Final = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}\Z", re.ASCII)
_PROFILE: Final = re.compile(r"[\w.-]+\Z", re.ASCII)


def sip_address(_instance: object, attribute: Attribute[Any], value: str) -> None:
    """An attrs validator: ``host:port``, or empty."""
    if value and not _SIP.match(value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; write host:port, such as 192.0.2.7:5090")


def sip_profile(_instance: object, attribute: Attribute[Any], value: str) -> None:
    """An attrs validator: the name of a SIP profile."""
    if not _PROFILE.match(value):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be the name of a SIP profile")


def doorbell_address(value: str) -> tuple[ipaddress.IPv4Address, int]:
    """Where a doorbell rings, from ``host:port``.

    Raises:
        ConfigurationError: it is no IPv4 address and port.
    """
    host, _, port = value.rpartition(":")
    try:
        address, number = ipaddress.IPv4Address(host), int(port)
    except ValueError:
        number = -1
    if number not in range(65_536):
        raise ConfigurationError(f"the doorbell is {value!r}; write an IPv4 address and a port, such as 127.0.0.2:8022")
    return address, number


def ipv4_address(_instance: object, _attribute: Attribute[Any], value: str) -> None:
    """An attrs validator: as ``doorbell_address``, or empty."""
    if value:
        doorbell_address(value)


def _elsewhere(_instance: object, attribute: Attribute[Any], value: Overflow | None) -> None:
    if value is not None and not isinstance(value, ToDestination | ToVoicemail):
        raise ConfigurationError(
            f"{attribute.name} must be a destination or a voicemail: a switch that is drained takes no call"
        )


@frozen
class SwitchSettings:
    """What is configured of a switch.

    Args:
        id: its name in the centre.
        sip: ``host:port`` where it takes calls from the other switches for the agents whose phones are at it; empty
            where there are no others, or no agents.
        profile: the SIP profile by which it calls the others.
        drain: where new calls go while it is drained; None refuses them with a cause that lets the network try
            elsewhere.
        lost_after_s: when its link has been down for so many seconds its calls are given up for lost; None waits for
            it to come back.
    """

    id: SwitchId = field(validator=name)
    sip: str = field(default="", validator=sip_address)
    profile: str = field(default="peers", validator=sip_profile)
    drain: Overflow | None = field(default=None, validator=_elsewhere)
    lost_after_s: float | None = field(default=60.0, validator=seconds)


@frozen
class TieLine:
    """The way from one switch to a phone at another (a tie line: a line between two switches)."""

    origin: SwitchId
    to: SwitchId
    address: str
    """Where the other takes calls, ``host:port``."""
    profile: str
    """The SIP profile by which it is called."""


@define(eq=False)
class Tie:
    """A channel that carries a leg on to a phone at another switch. It belongs to that leg, and to no call by itself."""

    id: ConnectionId
    switch: SwitchId
    """Where the channel is."""
    leg: ConnectionId
    """The leg that it carries on."""
    origin: SwitchId
    """Where that leg is."""
    interaction: InteractionId | None = None
