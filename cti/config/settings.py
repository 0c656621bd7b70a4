"""What a configuration file says of the daemon itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Attribute, Factory, field, frozen

from cti.api import Limits
from cti.errors import ConfigurationError
from cti.model.contact import contact_rules, listed_texts
from cti.model.overflow import Overflow, ToDestination, ToVoicemail
from cti.model.switch import ipv4_address, sip_address, sip_profile
from cti.model.validate import at_least_one, count, name, one_of, seconds


def _printable(_instance: object, attribute: Attribute[str], value: str) -> None:
    if not value.isprintable() or len(value) > 1000:
        raise ConfigurationError(f"{attribute.name} must be at most 1000 printable characters")


def _out_of_the_centre(_instance: object, attribute: Attribute[Overflow | None], value: Overflow | None) -> None:
    if value is not None and not isinstance(value, ToDestination | ToVoicemail):
        raise ConfigurationError(
            f"{attribute.name} must be a destination or a voicemail: a centre that drains takes no call"
        )


def _table(_instance: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{attribute.name}: expected a table, such as {{ name = 'module:function' }}")


@frozen
class SwitchSettings:
    """A FreeSWITCH; an only one, or one of several.

    Args:
        address: ``host:port`` of its event socket.
        password: the event socket's.
        sip: ``host:port`` where it takes calls from the other switches for agents whose phones are at it.
        profile: the SIP profile by which it calls the others.
        drain: where new calls go while it is drained; None refuses them.
        lost_after_s: when its link has been down for so many seconds its calls are given up for lost.
        doorbell: ``host:port`` where it sends a datagram with each urgent event; empty for none.
        name: its name; empty for an only one.
    """

    address: str = field(default="127.0.0.1:8021", validator=name)
    password: str = field(default="ClueCon", validator=_printable, repr=False)
    sip: str = field(default="", validator=sip_address)
    profile: str = field(default="peers", validator=sip_profile)
    drain: Overflow | None = field(default=None, validator=_out_of_the_centre)
    lost_after_s: float = field(default=60.0, validator=seconds)
    doorbell: str = field(default="", validator=ipv4_address)
    name: str = ""


@frozen
class CentreSettings:
    """The call centre as a whole.

    Args:
        node: its name: calls whose channel variable ``cti_node`` is this are its own.
        on_script_error: what becomes of a call whose script raised: ``"hang up"``, or a queue.
        bridge_at: ``"answer"`` or ``"park"``, see CallCenter.
        allowed_contacts: which phones clients of the API may give to agents, besides registered users; see
            AllowedContacts.
        by_service_level: whether, of calls with equal priority, that of the queue which is further below its
            ``service_level_target`` goes first.
    """

    node: str = field(default="cti", validator=name)
    on_script_error: str = field(default="hang up", validator=name)
    bridge_at: str = field(default="park", validator=one_of("answer", "park"))
    by_service_level: bool = False
    allowed_contacts: tuple[str, ...] = field(default=(), converter=listed_texts, validator=contact_rules)


@frozen
class DaemonSettings:
    """The process.

    Args:
        drain_s: seconds for calls to end in, once the daemon has been told to stop.
        drain: where calls go meanwhile that are new, and at the end of it those that no agent has. Without it new
            calls are refused with a cause that lets the network try elsewhere, and the others stay on the switch.
        pid_file: where the process id is written; empty for nowhere.
        control: the Unix socket that ``cti reload`` uses; empty for none.
    """

    drain_s: float = field(default=60.0, validator=seconds)
    drain: Overflow | None = field(default=None, validator=_out_of_the_centre)
    pid_file: str = field(default="", validator=_printable)
    control: str = field(default="", validator=_printable)


@frozen
class LogSettings:
    """The log, which goes to standard error.

    Args:
        format: ``"json"``, ``"text"``, or ``"auto"``: text on a terminal, JSON elsewhere.
        level: the least that is written; ``debug`` has every event of every call.
    """

    format: str = field(default="auto", validator=one_of("auto", "json", "text"))
    level: str = field(default="info", validator=one_of("debug", "info", "warning", "error"))


@frozen
class JournalSettings:
    """The journal of every fact.

    Args:
        directory: where its segments are; empty for one in that of ``[state]``.
        sync: ``"batch"`` or ``"always"``, see Journal.
        segment_bytes: a segment of this size is followed by the next.
        keep_segments: so many segments are kept; None for all, as for the next two.
        keep_bytes: segments of so many bytes in all are kept.
        keep_s: segments that were written to within so many seconds are kept.
    """

    directory: str = field(default="", validator=_printable)
    sync: str = field(default="batch", validator=one_of("batch", "always"))
    segment_bytes: int = field(default=64 << 20, validator=count)
    keep_segments: int | None = field(default=None, validator=at_least_one)
    keep_bytes: int | None = field(default=None, validator=at_least_one)
    keep_s: float | None = field(default=None, validator=seconds)


@frozen
class ApiSettings:
    """The interface for other programs.

    Args:
        bind: where requests are taken.
        publish: where events are published; empty for nowhere.
        keys: the directory that ``cti keys`` makes; empty for no encryption.
        allow_plain: that without keys an address may be one that other machines reach.
        limits: what one client may ask for.
    """

    bind: str = field(default="tcp://127.0.0.1:8100", validator=name)
    publish: str = field(default="tcp://127.0.0.1:8101", validator=_printable)
    keys: str = field(default="", validator=_printable)
    allow_plain: bool = False
    limits: Limits = Factory(Limits)


@frozen
class MenuSettings:
    """A voice menu.

    Args:
        file: its file.
        lookups: the functions that its nodes ask, each as ``module:function``, by the name it asks them by.
    """

    file: str = field(validator=name)
    lookups: Mapping[str, str] = field(factory=dict, validator=_table)
