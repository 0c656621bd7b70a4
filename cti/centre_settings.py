"""What CallCenter is given, read: addresses, settings by name, events by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog

from cti.errors import ConfigurationError, UnknownEvent
from cti.model import events
from cti.model.cause import Cause
from cti.model.interaction import Interaction
from cti.routing.guarded import RouterFault

DEFAULT_PORT: Final = 8021

_log = structlog.get_logger("cti")


def offered(call: Interaction) -> events.Offered:
    """What was told when this call came, as far as it still holds."""
    return events.Offered(
        interaction=call.id,
        at=call.created_at,
        cause=Cause.NEW_CALL,
        switch=call.switch,
        calling_number=call.calling_number,
        calling_name=call.calling_name,
        called_number=call.called_number,
        queue=call.queue,
        agent=call.agent,
        data=dict(call.data),
    )


def address(switch: str) -> tuple[str, int]:
    """The host and port in ``host:port``; the port may be left out (8021), IPv6 is written ``[::1]:8021``.

    Raises:
        ConfigurationError: it is not of this form.
    """
    host, colon, port = switch.rpartition(":")
    if not colon or switch.endswith("]"):
        host, port = switch, str(DEFAULT_PORT)
    if not port.isdecimal() or not 0 < int(port) < 65536 or not host:
        raise ConfigurationError(f"switch {switch!r} is no address; write host:port, such as 127.0.0.1:8021")
    return host.removeprefix("[").removesuffix("]"), int(port)


def settings_of(kind: type[Any], **values: Any) -> Any:
    """Settings of this kind.

    Raises:
        ConfigurationError: one is unknown, or cannot be used; the message names it.
    """
    known: Mapping[str, Any] = {field.name: field for field in kind.__attrs_attrs__}
    for name in values:
        if name not in known:
            raise ConfigurationError(f"{kind.__name__} has no {name!r}; it has {', '.join(known)}")
    return kind(**values)


def event_class(wanted: type[Any] | str) -> type[Any]:
    """The class of an event, by name or as it is.

    Raises:
        UnknownEvent: there is none of this name; the message names the nearest.
    """
    if isinstance(wanted, type):
        return wanted
    if wanted not in events.EVENTS:
        raise UnknownEvent(wanted, events.EVENTS)
    return events.EVENTS[wanted]


def log_router_fault(fault: RouterFault) -> None:
    """Say what a host application's router did wrong."""
    _log.error("the router did something wrong", asked=fault.asked, what=fault.what, took_s=fault.took_s)
