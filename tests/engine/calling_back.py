"""A story in which customers are called back."""

from __future__ import annotations

from typing import Any

from cti.model import callback_requests, facts, intents, services
from cti.model.callback import Callback, CallbackSettings
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId
from cti.model.party import Destination

from .story import FS, Story

SALES = QueueId("sales")


class CallingBack(Story):
    """The queue ``sales`` calls numbers that begin with +44; nobody is logged on yet."""

    def __init__(self, first: str = "agent", *, queue: dict[str, Any] | None = None, **more: Any) -> None:
        super().__init__()
        self.tell(services.DestinationsDefined((Destination("+44*", "sofia/gateway/trunk/{number}"),)))
        self.queue("sales", callback=CallbackSettings(first=first, **more), **(queue or {}))

    def define(self, **more: Any) -> None:
        """Other settings for the queue's callbacks."""
        self.queue("sales", callback=CallbackSettings(**more))

    def take_back(self, call: InteractionId, number: str = "", queue: str = "sales", **more: Any) -> None:
        """The caller asks to be called back."""
        number = number or self.interaction(call).calling_number
        self.tell(callback_requests.CallbackRequested(QueueId(queue), number, call, **more))

    def taken(self, **more: Any) -> InteractionId:
        """A caller waits, asks to be called back, and leaves the line."""
        call = self.waiting("sales")
        self.take_back(call, **more)
        self.leaves(call)
        for leg in [each for each in self.interaction(call).connections if self.leg(each).clearing]:
            self.cleared(leg)  # an agent was being offered it as it came
        return call

    def request(self, number: str = "+44777", **more: Any) -> InteractionId:
        """Somebody asks for a callback to a customer who is not on the line."""
        self.tell(callback_requests.CallbackRequested(SALES, number, **more))
        return self.world.callbacks[SALES][number]

    def leaves(self, call: InteractionId) -> None:
        leg = self.back(call).leaving
        assert leg is not None
        self.cleared(leg)

    def back(self, call: InteractionId) -> Callback:
        found = self.interaction(call).callback
        assert found is not None, f"{call} is no callback"
        return found

    def called(self) -> intents.MakeConnection:
        """How a customer was called last."""
        made = [each for each in self.intents if isinstance(each, intents.MakeConnection)]
        assert made, "nobody has been called"
        return made[-1]

    def calls_made(self) -> int:
        return sum(isinstance(each, intents.MakeConnection) for each in self.intents)

    def agent_answers(self, agent: str) -> ConnectionId:
        """The agent answers, and is in our hands."""
        leg = self.answers(agent)
        self.tell(facts.Parked(FS, leg))
        return leg

    def customer_answers(self) -> ConnectionId:
        leg = self.called().leg
        self.delivered(leg)
        self.established(leg)
        self.tell(facts.Parked(FS, leg))
        return leg

    def customer_fails(self, cause: Cause) -> None:
        self.failed(self.called().leg, cause)

    def connect(self, agent: str, call: InteractionId) -> None:
        made = self.reservation(agent)
        assert made is not None
        self.bridged(call, made.leg)
        assert self.interaction(call).agent == AgentId(agent)

    def cancel(self, call: InteractionId) -> None:
        self.tell(callback_requests.CancelCallbackRequested(call))

    def move(self, call: InteractionId, at: float | None = None, number: str = "") -> None:
        self.tell(callback_requests.RescheduleCallbackRequested(call, at, number))
