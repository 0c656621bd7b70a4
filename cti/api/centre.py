"""What the API needs of the call centre it serves: the public face of ``cti.CallCenter``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from cti.alarms.board import AlarmBoard
from cti.api.messages_face import MessagesFace
from cti.engine.callback_view import CallbackView
from cti.engine.view import AgentView, CentreView, QueueView, SwitchView
from cti.engine.why import AgentExplained, CallExplained
from cti.model.call_back import WaitingCallBack, WaitingMessage
from cti.model.callback import AbandonedCall
from cti.model.history import InteractionHistory
from cti.model.ids import InteractionId
from cti.model.overflow import Overflow
from cti.model.party import Party, ToAgent
from cti.model.predictive import PredictiveFigures
from cti.model.queue import QueueSettings
from cti.statistics import Statistics


class AgentFace(Protocol):
    """What can be asked for on behalf of one agent."""

    def log_on(self, *, ready: bool = False) -> None:
        """Begin a session."""
        ...

    def log_off(self, reason: str = "") -> None:
        """End the session."""
        ...

    def ready(self) -> None:
        """Ask for calls."""
        ...

    def not_ready(self, reason: str = "") -> None:
        """Ask for no calls."""
        ...

    @property
    def view(self) -> AgentView:
        """The agent as they are now."""
        ...

    def make_call(self, to: Party, *, calling_number: str = "", wrap_up_s: float = 0.0) -> None:
        """Ring the agent's own phone, then call somebody."""
        ...

    def hold(self) -> None:
        """Hold the caller."""
        ...

    def retrieve(self) -> None:
        """Talk with the held caller again."""
        ...

    def consult(self, to: Party, *, wait_s: float = 0.0) -> None:
        """Hold the caller and call somebody else."""
        ...

    def make_connection(self, *, calling_number: str = "", wrap_up_s: float = 0.0) -> None:
        """Ring the agent's own phone, to dial later."""
        ...

    def dial_digits(self, digits: str, *, more: bool = False) -> None:
        """Dial into that connection."""
        ...

    def call_back(self, to: str, *, expires_s: float = 3600.0) -> None:
        """Talk with an agent when both are ready."""
        ...

    def cancel_call_back(self, to: str) -> None:
        """Wait for them no more."""
        ...

    def call_backs(self) -> tuple[WaitingCallBack, ...]:
        """For whom they wait."""
        ...

    def call_back_message(self, to: str, text: str = "") -> None:
        """Ask an agent to call."""
        ...

    def cancel_call_back_message(self, to: str) -> None:
        """Take that back."""
        ...

    def seen_to(self, by: str) -> None:
        """Another's request is seen to."""
        ...

    def call_back_messages(self) -> tuple[WaitingMessage, ...]:
        """Who asks to be called."""
        ...

    def send_message(self, to: str, text: str, *, phone: bool = False) -> None:
        """A text to an agent."""
        ...

    def answer(self) -> None:
        """The ringing phone answers by itself."""
        ...

    def clear_call(self) -> None:
        """The call ends for everybody."""
        ...

    def join(self, at: str, *, silent: bool = False) -> None:
        """Come into another's conversation."""
        ...

    def intrude(self, at: str, *, warn_s: float = 1.0) -> None:
        """The same, after a warning."""
        ...

    def invite(self, to: Party) -> None:
        """One more party joins."""
        ...

    def park(self, place: str = "", *, recall_s: float = 120.0) -> str:
        """Let the caller wait at a place; which."""
        ...

    def unpark(self, place: str) -> None:
        """Take up a parked call."""
        ...

    def pick_up(self, at: str | None = None, *, group: str = "") -> None:
        """Take a call that rings elsewhere."""
        ...

    def deflect(self, to: ToAgent | Overflow) -> None:
        """Send the ringing call elsewhere."""
        ...

    def alternate(self) -> None:
        """Change between the caller and whom is consulted."""
        ...

    def reconnect(self) -> None:
        """End the consultation."""
        ...

    def transfer(self) -> None:
        """Whom is consulted takes the caller over."""
        ...

    def conference(self) -> None:
        """All three hear each other."""
        ...

    def transfer_to(self, to: ToAgent | Overflow) -> None:
        """Send the caller on and leave."""
        ...

    def hang_up(self) -> None:
        """The agent leaves."""
        ...

    def send_digits(self, digits: str) -> None:
        """The other end hears keys being pressed."""
        ...

    def assistance(self, note: str = "") -> None:
        """Ask for help."""
        ...

    def start_recording(self) -> None:
        """Record from now on."""
        ...

    def stop_recording(self) -> None:
        """Record no more."""
        ...

    def return_call(self, number: str = "") -> None:
        """Call whoever left the message that the agent hears."""
        ...

    def accept(self) -> None:
        """Take the fax that is offered."""
        ...

    def reject(self) -> None:
        """Do not take it."""
        ...

    def complete(self) -> None:
        """It has been dealt with."""
        ...

    def pause_recording(self) -> None:
        """Silence in the file."""
        ...

    def resume_recording(self) -> None:
        """What is said again."""
        ...


class SupervisorFace(Protocol):
    """What can be asked for on behalf of one supervisor."""

    def monitor(self, agent: str | None = None, call: str | None = None) -> None:
        """Listen."""
        ...

    def whisper(self, agent: str | None = None, call: str | None = None) -> None:
        """Listen, and speak to the agent."""
        ...

    def barge(self, agent: str | None = None, call: str | None = None) -> None:
        """Listen, and speak to both."""
        ...

    def end(self) -> None:
        """Leave the line."""
        ...

    def take_over(self) -> None:
        """Take the agent's place."""
        ...

    def pull(self, call: str) -> None:
        """Take a call that waits."""
        ...

    def push(self, call: str, to: ToAgent | Overflow) -> None:
        """Send a call elsewhere."""
        ...

    def force_log_off(self, agent: str) -> None:
        """Log an agent off."""
        ...

    def force_ready(self, agent: str) -> None:
        """Make an agent ready."""
        ...

    def force_not_ready(self, agent: str) -> None:
        """Make an agent not ready."""
        ...


class Centre(MessagesFace, Protocol):
    """A call centre; ``cti.CallCenter`` is one."""

    @property
    def alarms(self) -> AlarmBoard:
        """The alarms that are raised now."""
        ...

    @property
    def statistics(self) -> Statistics | None:
        """Figures by interval; None where none are kept."""
        ...

    def agent_ids(self) -> Sequence[str]:
        """Every agent."""
        ...

    def queue_ids(self) -> Sequence[str]:
        """Every queue."""
        ...

    def queue_view(self, queue: str) -> QueueView:
        """One queue as it is now, or UnknownQueue."""
        ...

    def queue_settings(self, queue: str) -> QueueSettings:
        """What is configured of a queue, or UnknownQueue."""
        ...

    def interaction(self, interaction: str) -> InteractionHistory:
        """What has happened to a call, or UnknownInteraction. May block this greenlet."""
        ...

    def find_calls(
        self,
        *,
        number: str = "",
        agent: str = "",
        queue: str = "",
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
    ) -> Sequence[InteractionHistory]:
        """Calls that are over, from the history store. Blocks this greenlet."""
        ...

    def make_predictive_call(self, queue: str, number: str, data: Mapping[str, Any] | None = None) -> str:
        """Call a customer for a queue; the call's id."""
        ...

    def predictive_figures(self, queue: str) -> PredictiveFigures:
        """How such calls of a queue stand."""
        ...

    def request_callback(
        self,
        queue: str,
        number: str,
        *,
        at: float | None = None,
        agent: str | None = None,
        priority: int = 0,
        data: Mapping[str, Any] | None = None,
        name: str = "",
        shown: str = "",
    ) -> InteractionId:
        """Have a customer called back."""
        ...

    def cancel_callback(self, callback: str) -> None:
        """Cancel a callback."""
        ...

    def reschedule_callback(self, callback: str, *, at: float | None = None, number: str = "") -> None:
        """Agree another time or number."""
        ...

    def callbacks(self, queue: str | None = None) -> Sequence[CallbackView]:
        """The pending callbacks."""
        ...

    def abandoned(self, hours: float = 24.0, queue: str | None = None) -> Sequence[AbandonedCall]:
        """Who hung up while waiting."""

    def attached(self, interaction: str) -> Mapping[str, Any]:
        """The data attached to a call, or UnknownInteraction."""
        ...

    def attach(self, interaction: str, data: Mapping[str, Any]) -> None:
        """Attach data to a call."""
        ...

    def move_call(self, interaction: str, queue: str, *, priority: int | None = None) -> None:
        """Move a call that waits to another queue."""
        ...

    def agent(self, agent: str) -> AgentFace:
        """The control of one agent, or UnknownAgent."""
        ...

    def supervisor(self, agent: str) -> SupervisorFace:
        """The control of an agent who supervises, or UnknownAgent."""
        ...

    def add_agent(self, agent: str, contact: str, **settings: Any) -> AgentFace:
        """Add an agent, or change one's settings."""
        ...

    def add_agent_on_request(self, agent: str, contact: str, **settings: Any) -> AgentFace:
        """As ``add_agent``, for somebody who is not the operator; or ContactNotAllowed."""
        ...

    def remove_agent(self, agent: str) -> None:
        """Log an agent off and forget them."""
        ...

    def add_queue(self, queue: str, **settings: Any) -> None:
        """Add a queue, or change one's settings."""
        ...

    def switch_views(self) -> Sequence[SwitchView]:
        """Every switch as it is now."""
        ...

    def drain_switch(self, name: str) -> None:
        """Let a switch take no new calls, or UnknownSwitch."""
        ...

    def undrain_switch(self, name: str) -> None:
        """Let it take calls again."""
        ...

    def snapshot(self) -> CentreView:
        """The centre as it is now."""
        ...

    def explain_call(self, interaction: str) -> CallExplained:
        """Why a call is where it is."""
        ...

    def explain_agent(self, agent: str) -> AgentExplained:
        """Why an agent is idle."""
        ...

    def hang_up(self, interaction: str) -> None:
        """End a call."""
        ...

    def subscribe(self, handler: Callable[[Any], object], *wanted: type[Any] | str) -> Any:
        """Call ``handler`` with every event of these classes, in a greenlet of its own."""
        ...

    def unsubscribe(self, subscription: Any) -> None:
        """End a subscription."""
        ...
