"""Scripts without a switch: a caller who presses keys, speaks and hangs up as told, in virtual time.

    call = FakeCall(["1", "4711#"])
    assert call.run(script) == "queued"
    assert call.heard == ["welcome.wav", "policy.wav"]

Nothing here waits, connects or starts a greenlet; the same script and caller always take the same virtual time.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, Literal

from cti.call import QueueOutcome
from cti.errors import CallGone, ConfigurationError
from cti.messages.arrivals import MessageLeft
from cti.model.callback import CallbackPrompts
from cti.model.cause import Cause
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.mailbox import Mailbox
from cti.model.party import HIDDEN, is_number
from cti.model.personal import LastAgent, Personal
from cti.script.callback_number import WHY_NOT, CallbackOutcome, agreed_number, goodbye
from cti.script.collected import no_secret
from cti.script.conversation import Conversation
from cti.script.fake_control import PATIENCE_S, FakeControl, HangUp, Press, Speaks, Turn
from cti.script.leaving import leave_message

__all__ = ["FakeCall", "HangUp", "Press", "Speaks", "Turn"]

Ended = Literal["returned", "queued", "called back", "diverted", "hung up", "caller gone"]


class FakeCall(Conversation):
    """A call for a script's test; see the module.

    Args:
        turns: what the caller does, question by question; a text is keys for one question.
        calling_number: who calls.
        called_number: the number called.
        calling_name: the display name.
        data: attached from the beginning.
        queues: how a queue ends, by its id: an agent's id who answers, or None when the caller gives up waiting.
        callbacks: which numbers may be called back; ``*`` and ``?`` match as in file names.
        no_callback: why no callback is taken in the end: ``pending``, ``busy`` or ``closed``; empty takes them.
        other_numbers: whether callers may give another number than their own.
        hang_up_s: when the caller hangs up in any case.
        missing: prompts that are not there.
        lengths: how long a prompt lasts, in seconds, where it is not FILE_S.
        recognizes: whether there is a recognizer for speech.
        fax_pages: how many pages the caller sends, who is a fax machine; 0 for a person.
        mailboxes: what callers hear in the mailboxes of these names, and may do.
    """

    def __init__(
        self,
        turns: Turn | Iterable[Turn] = (),
        *,
        calling_number: str = "0301234567",
        called_number: str = "5000",
        calling_name: str = "",
        data: Mapping[str, Any] | None = None,
        queues: Mapping[str, str | None] | None = None,
        callbacks: Iterable[str] = ("*",),
        no_callback: str = "",
        other_numbers: bool = True,
        hang_up_s: float = PATIENCE_S,
        missing: Collection[str] = (),
        lengths: Mapping[str, float] | None = None,
        recognizes: bool = True,
        mailboxes: Iterable[Mailbox] = (),
        fax_pages: int = 0,
    ) -> None:
        listed = [turns] if isinstance(turns, str | Press | Speaks | HangUp) else turns
        self.control = FakeControl(listed, hang_up_s=hang_up_s, missing=missing, lengths=lengths, recognizes=recognizes)
        super().__init__(self.control)
        self._asking.before_try = self.control.asked
        self.id = "fake"
        self.channel = "fake-channel"
        self.calling_number, self.calling_name, self.called_number = calling_number, calling_name, called_number
        self.data: dict[str, Any] = dict(data or {})
        self.agent: AgentId | None = None
        """Who answered last, as in Call."""
        self.restarted = False
        self.queued: list[tuple[str, int]] = []
        """Each queue the call was put into, with its priority."""
        self.personal: Personal | LastAgent | None = None
        """For whom the call was to wait first, in the last of them."""
        self.diverted = ""
        """Where the call was sent, out of the centre."""
        self.messages: list[tuple[str, float]] = []
        """Each message that was left: the mailbox, and its length in seconds."""
        self.called_back: list[tuple[str, str]] = []
        """Each callback that was taken: the queue, and the number to call."""
        self.last_queue: str | None = None
        """The queue it was in last."""
        self.own_priority = 0
        """Its priority without its queue's."""
        if no_callback and no_callback not in WHY_NOT:
            raise ConfigurationError(
                f"no_callback is {no_callback!r}; it must be one of {', '.join(WHY_NOT)}, or empty"
            )
        self._callbacks = tuple(callbacks)
        self._no_callback = no_callback
        self._other_numbers = other_numbers
        self.faxes: list[tuple[str, int]] = []
        """Each fax that was received: the mailbox, and its pages."""
        self._fax_pages = fax_pages
        self._queues = queues or {}
        self._mailboxes = {each.id: each for each in mailboxes}
        self._hung_up = False

    def __repr__(self) -> str:
        """One line."""
        return f"<FakeCall after {self.elapsed_s:.1f} s>"

    @property
    def heard(self) -> list[str]:
        """What the caller was made to hear, in order, missing prompts too: files, and what was said or spoken."""
        said = []
        for application, argument in self.control.executed:
            if application == "read":
                argument = argument.split(" ")[2]  # noqa: PLW2901
            elif application == "play_and_detect_speech":
                argument = argument.partition(" detect:")[0]  # noqa: PLW2901
            elif application not in ("playback", "say", "speak"):
                continue
            said.append(argument)
        return said

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds since the call came."""
        return self.control.now()

    @property
    def is_gone(self) -> bool:
        """Whether the caller has hung up."""
        return self.control.gone_because is not None

    def run(self, script: Callable[[Any], object]) -> Ended:
        """Run a script on it to the end; how it ended. What the script raises, but CallGone, is raised."""
        try:
            script(self)
        except CallGone:
            if not (self._hung_up or self.diverted or self.called_back):
                return "caller gone"
        if self.called_back:
            return "called back"
        if self.diverted:
            return "diverted"
        if self._hung_up:
            return "hung up"
        return "queued" if self.queued else "returned"

    def queue(
        self,
        queue: str,
        *,
        priority: int = 0,
        data: Mapping[str, Any] | None = None,
        personal: Personal | LastAgent | str | None = None,
        **_: Any,
    ) -> QueueOutcome:
        """As Call.queue; answered at once, by the agent of ``queues`` or by one called like the queue."""
        self.control.check()
        self.attach(**(data or {}))
        self.queued.append((queue, priority))
        self.personal = Personal(AgentId(personal)) if isinstance(personal, str) else personal
        self.last_queue, self.own_priority = queue, priority
        agent = self._queues.get(queue, f"{queue}-agent")
        if agent is None:
            raise self.control.gone("ORIGINATOR_CANCEL")
        self.agent = AgentId(agent)
        return QueueOutcome(True, 0.0, QueueId(queue), self.agent)

    def callback(
        self,
        queue: str = "",
        *,
        number: str = "",
        confirm: bool = True,
        data: Mapping[str, Any] | None = None,
        prompts: CallbackPrompts | None = None,
        **_: Any,
    ) -> CallbackOutcome:
        """As Call.callback, of a queue that says no prompts of its own."""
        self.control.check()
        words = prompts or CallbackPrompts()
        wanted, why = number or self.calling_number, ""
        if confirm:
            wanted, why = agreed_number(self, wanted, self._may_be_called, words, others=self._other_numbers)
        if not why and not self._may_be_called(wanted):
            why = "refused"
        why = why or self._no_callback
        if why:
            return CallbackOutcome(False, why, wanted)
        self.attach(**(data or {}))
        self.called_back.append((queue or self.last_queue or "", wanted))
        with suppress(CallGone):
            goodbye(self, words)
        self.control.gone("called back")
        return CallbackOutcome(True, "", wanted, InteractionId(self.id))

    def _may_be_called(self, number: str) -> bool:
        known = is_number(number) and number.lower() not in HIDDEN
        return known and any(fnmatch.fnmatchcase(number, pattern) for pattern in self._callbacks)

    def attach(self, **data: Any) -> None:
        """As Call.attach."""
        self.control.check()
        no_secret(data)
        for key, value in data.items():
            if value is None:
                self.data.pop(key, None)
            else:
                self.data[key] = value

    def divert(self, destination: str) -> None:
        """As Call.divert."""
        self.control.check()
        self.diverted = destination
        self.control.gone("diverted")

    def voicemail(self, mailbox: str) -> MessageLeft:
        """As Call.voicemail; the mailbox is the one of ``mailboxes``, or one with nothing set."""
        self.control.check()
        box = self._mailboxes.get(mailbox) or Mailbox(mailbox)
        path = f"/messages/{mailbox}.wav"
        try:
            spoken = leave_message(self, box, path)
        except CallGone:
            application, argument = self.control.executed[-1]
            length_s = self.control.recorded_s if application == "record" and path in argument else 0.0
            self._left(box, length_s)
            raise
        return self._left(box, spoken.length_s)

    def receive_fax(self, mailbox: str) -> MessageLeft:
        """As Call.receive_fax; there is one if the caller is a fax machine (``fax_pages``)."""
        self.control.check()
        self.answer()
        if not self._fax_pages:
            return MessageLeft(False)
        self.faxes.append((mailbox, self._fax_pages))
        return MessageLeft(True, f"fake-fax-{len(self.faxes)}", pages=self._fax_pages)

    def detect_fax(self, mailbox: str) -> None:
        """As Call.detect_fax; a fax machine is heard at once, and the script ends here."""
        self.control.check()
        if self._fax_pages:
            self.receive_fax(mailbox)
            raise self.control.gone("fax")

    def _left(self, box: Mailbox, length_s: float) -> MessageLeft:
        if length_s < box.min_s:
            return MessageLeft(False, "", length_s)
        self.messages.append((box.id, length_s))
        return MessageLeft(True, f"fake-{len(self.messages)}", length_s)

    def hang_up(self, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        """As Call.hang_up."""
        self._hung_up = True
        self.control.gone(cause.csta_name)
