"""A call that FreeSWITCH's ``socket`` application handed over, with the verbs of a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from cti.errors import ConfigurationError
from cti.model.cause import Cause
from cti.script.collected import no_secret
from cti.script.conversation import Conversation
from cti.script.socket_control import SocketControl
from cti.switch import tags
from cti.switch.causes import hangup_cause_of
from cti.switch.outbound import OutboundSession

_DESTINATION: Final = re.compile(r"[\w+*#.@:-]{1,128}\Z", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9_]{1,48}\Z")


class SocketCall(Conversation):
    """One call, on the connection that FreeSWITCH made for it; there is no call centre behind it, and so no queue.

    Args:
        session: ``async full``; connected here if it is not.

    Raises:
        CommandRejected: the dialplan says not ``async full``.
        CallGone: the caller has hung up already.
    """

    def __init__(self, session: OutboundSession) -> None:
        channel = session.connect()
        super().__init__(SocketControl(session))
        self.session = session
        """The connection, for what the verbs do not offer."""
        self.id = session.uuid
        self.channel = session.uuid
        self.calling_number = channel.text("Caller-Caller-ID-Number") or ""
        self.calling_name = channel.text("Caller-Caller-ID-Name") or ""
        self.called_number = channel.text("Caller-Destination-Number") or ""
        prefix = f"variable_{tags.DATA}"
        self.data: dict[str, Any] = {
            name[len(prefix) :]: value for name, value in channel.starting_with(prefix) if isinstance(value, str)
        }
        """What the dialplan attached (``cti_data_...``); change it with ``attach``."""

    def __repr__(self) -> str:
        """One line for a log; no number is in it."""
        return f"<SocketCall {self.id}>"

    @property
    def is_gone(self) -> bool:
        """Whether the caller has hung up."""
        return self.session.gone

    def attach(self, **data: Any) -> None:
        """Attach data to the call, as channel variables ``cti_data_...``; None takes a key away. Blocks for a moment.

        Raises:
            CallGone: the caller hung up.
            ConfigurationError: a value is secret, or a key is not of letters, digits and _.
        """
        no_secret(data)
        for key, value in data.items():
            if not _KEY.match(key):
                raise ConfigurationError(f"data {key!r}: letters, digits and _ only")
            self.set_variable(f"{tags.DATA}{key}", "" if value is None else str(value))
            if value is None:
                self.data.pop(key, None)
            else:
                self.data[key] = value

    def divert(self, destination: str) -> None:
        """Send the call to a number of the switch's dialplan. The script's work on it ends. Blocks for a moment.

        Raises:
            CallGone: the caller hung up.
            ConfigurationError: it is no number or name.
        """
        if not _DESTINATION.match(destination):
            raise ConfigurationError(
                f"destination {destination!r}: only letters, digits and + * # . @ : - are possible"
            )
        self._control.api("uuid_transfer", f"{self.id} {destination}")

    def hang_up(self, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        """End the call; harmless when it has ended. Blocks for a moment."""
        self.session.hangup(hangup_cause_of(cause))


def on_socket(script: Callable[[SocketCall], object]) -> Callable[[OutboundSession], None]:
    """Make a script the handler of a ``cti.switch.OutboundServer``.

    When the script returns, the call ends, unless it was diverted.
    """

    def handle(session: OutboundSession) -> None:
        script(SocketCall(session))

    return handle
