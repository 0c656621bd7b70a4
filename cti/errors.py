"""The error tree: every exception this library raises on purpose.

Each class carries a stable ``code`` for the wire, whether the connection to the switch is lost with it
(``connection_lost``) and whether the same request may sensibly be made again (``retryable``). The branches follow
CSTA's error categories (ECMA-269, clause 10) where one applies.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class CtiError(Exception):
    """Anything this library raises on purpose."""

    code: ClassVar[str] = "unspecified"
    connection_lost: ClassVar[bool] = False
    retryable: ClassVar[bool] = False


# -- the wire ---------------------------------------------------------------------------------------------------------


class ProtocolError(CtiError):
    """The event-socket protocol was broken by one side."""

    code = "protocol"


class LocalProtocolError(ProtocolError):
    """We were asked to send something the protocol cannot carry (a line break in an argument, say); nothing was sent."""

    code = "protocol.local"


class RemoteProtocolError(ProtocolError):
    """The peer sent something that is not the event-socket protocol; the stream cannot be trusted any more.

    ``kind`` is a stable word for the rule that was broken, such as ``malformed-header-line``.
    """

    code = "protocol.remote"
    connection_lost = True
    retryable = True

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


# -- the link to a switch ---------------------------------------------------------------------------------------------


class LinkError(CtiError):
    """The link to a switch could not be made, or was lost."""

    code = "link"
    connection_lost = True
    retryable = True


class ConnectFailed(LinkError):
    """Nothing answered at the switch's address, or what answered did not greet as FreeSWITCH does."""

    code = "link.connect_failed"


class AccessDenied(LinkError):
    """The switch's access list refuses our address (``text/rude-rejection``). Trying again does not help."""

    code = "link.access_denied"
    retryable = False


class AuthenticationFailed(LinkError):
    """The switch refuses our password. Trying again does not help."""

    code = "link.authentication_failed"
    retryable = False


class SwitchTooOld(LinkError):
    """The switch's version is older than the oldest one supported."""

    code = "link.switch_too_old"
    retryable = False


class LinkClosed(LinkError):
    """The link ended while something was waiting on it."""

    code = "link.closed"


class FellBehind(LinkError):
    """We read the switch's events too slowly; the link was ended by us, before the switch suffers or drops us."""

    code = "link.fell_behind"


class CommandTimeout(LinkError):
    """A reply did not come by its deadline; the link is closed, since a late reply would answer the next command."""

    code = "link.command_timeout"


class JobTimeout(CtiError):
    """A background job did not report by its deadline; the link stays up and the job may still be running."""

    code = "switch.job_timeout"


class CommandRejected(CtiError):
    """The switch answered a command with ``-ERR`` or ``-USAGE``."""

    code = "switch.command_rejected"

    def __init__(self, command: str, reply: str) -> None:
        super().__init__(f"the switch refused {command!r}: {reply}")
        self.command = command
        self.reply = reply


# -- calls ------------------------------------------------------------------------------------------------------------


class CallGone(CtiError):
    """The caller is no longer there; raised in a script by the verb that was waiting, or by the next one."""

    code = "operation.call_gone"

    def __init__(self, interaction: str, cause: str = "") -> None:
        super().__init__(f"call {interaction} is gone" + (f" ({cause})" if cause else ""))
        self.interaction = interaction
        self.cause = cause


class StateIncompatibility(CtiError):
    """CSTA's category "state incompatibility": the object is not in a state that allows the request."""

    code = "state"


class InvalidAgentState(StateIncompatibility):
    """The agent's state does not allow the request; the message names the state and what it would allow."""

    code = "state.invalid_agent_state"


class InvalidConnection(StateIncompatibility):
    """The connection's state does not allow the request."""

    code = "state.invalid_connection"


class ResourceBusy(CtiError):
    """CSTA's category "system resource availability": the thing exists but somebody has it."""

    code = "resource.busy"
    retryable = True


class PrivilegeViolation(CtiError):
    """CSTA's category "security": whoever asks for this may not have it. Nothing was changed."""

    code = "security.privilege_violation"

    def __init__(self, who: str, what: str, whom: str) -> None:
        super().__init__(f"{who!r} may not {what} {whom!r}")
        self.who = who
        self.what = what
        self.whom = whom


# -- names and configuration ------------------------------------------------------------------------------------------


class DestinationNotAllowed(CtiError):
    """A number that nothing in ``allowed_destinations`` lets through; the switch has not heard of it."""

    code = "destination.not_allowed"

    def __init__(self, number: str) -> None:
        super().__init__(f"{number!r} may not be called; allowed_destinations says which numbers may")


class ContactNotAllowed(CtiError):
    """A phone that may not be given to an agent from outside the configuration; nothing was changed.

    Args:
        contact: the dial string.
        what: ``contact`` or ``mobile``.
    """

    code = "contact.not_allowed"

    def __init__(self, contact: str, what: str) -> None:
        super().__init__(
            f"{what} {contact!r} may not be given to an agent: only registered users may (user/1001), and what a rule of"
            " allowed_contacts lets through; the operator adds one there, or sets the agent up in the configuration"
        )
        self.contact = contact
        self.what = what


class UnknownName(CtiError):
    """A name that nothing has; the message says which known name is nearest."""

    code = "operation.unknown_name"
    kind: ClassVar[str] = "name"

    @property
    def none(self) -> str:
        """What to say when there is nothing it could be."""
        return f"no {self.kind} has been defined yet"

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        if near:
            hint = f"did you mean {near[0]!r}?"
        elif names:
            hint = "known: " + ", ".join(repr(n) for n in names[:8]) + (", ..." if len(names) > 8 else "")
        else:
            hint = self.none
        super().__init__(f"unknown {self.kind} {name!r}; {hint}")
        self.name = name
        self.nearest = near[0] if near else None


class UnknownSwitch(UnknownName):
    """No switch has this name."""

    code = "operation.unknown_switch"
    kind = "switch"


class UnknownAgent(UnknownName):
    """No agent has this id."""

    code = "operation.unknown_agent"
    kind = "agent"


class UnknownQueue(UnknownName):
    """No queue has this id."""

    code = "operation.unknown_queue"
    kind = "queue"


class UnknownMailbox(UnknownName):
    """No mailbox has this name."""

    code = "operation.unknown_mailbox"
    kind = "mailbox"


class UnknownMessage(UnknownName):
    """No message has this id."""

    code = "operation.unknown_message"
    kind = "message"

    @property
    def none(self) -> str:
        """It has been deleted, or never was."""
        return "it has been deleted, or never was"


class UnknownSkill(UnknownName):
    """No agent and no queue has this skill."""

    code = "operation.unknown_skill"
    kind = "skill"


class UnknownStrategy(UnknownName):
    """No strategy is registered under this name."""

    code = "operation.unknown_strategy"
    kind = "strategy"


class UnknownInteraction(UnknownName):
    """No living interaction has this id."""

    code = "operation.unknown_interaction"
    kind = "interaction"

    @property
    def none(self) -> str:
        """It has ended, or never was."""
        return "it has ended, or never was"


class UnknownEvent(UnknownName):
    """No event is called this."""

    code = "operation.unknown_event"
    kind = "event"


class ConfigurationError(CtiError):
    """A value given at set-up that cannot be used; the message names the field and says what would do."""

    code = "operation.configuration"


class DataRefused(CtiError):
    """Data that cannot be attached to a call; nothing was attached. ``path`` names the key, and the place within its value."""

    code = "operation.invalid_data"

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


class TooMuchData(DataRefused):
    """More data than may be attached to one call, or nested too deeply."""

    code = "limit.data"


class IllegalTransition(CtiError):
    """A state table was given a trigger its state forbids. The state is untouched; this is a defect to report."""

    code = "state.illegal_transition"

    def __init__(self, machine: str, state: str, trigger: str) -> None:
        super().__init__(f"{machine}: {trigger} is illegal in state {state}")
        self.machine = machine
        self.state = state
        self.trigger = trigger
