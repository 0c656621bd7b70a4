"""Agents, queues and calls for tests of the router alone."""

from __future__ import annotations

from typing import Any

from cti.model.agent import Agent, AgentSettings
from cti.model.ids import AgentId, ConnectionId, InteractionId, QueueId, SwitchId
from cti.model.interaction import Interaction
from cti.model.queue import Queue, QueueSettings
from cti.routing import Router


def agent(name: str, *, idle_since: float = 0.0, calls: int = 0, **skills: int) -> Agent:
    settings = AgentSettings(id=AgentId(name), contact=f"user/{name.replace(' ', '-')}", skills=skills)
    return Agent(settings, idle_since=idle_since, calls_answered=calls)


def queue(name: str, **settings: Any) -> Queue:
    return Queue(QueueSettings(id=QueueId(name), **settings))


def call(name: str, queue_name: str, *, at: float = 0.0, place: int = 0, **more: Any) -> Interaction:
    return Interaction(
        InteractionId(name),
        SwitchId("fs"),
        ConnectionId(f"leg of {name}"),
        "",
        "",
        "",
        at,
        queue=QueueId(queue_name),
        queued_at=at,
        place=place,
        **more,
    )


def wait(router: Router, *calls: Interaction) -> None:
    for one in calls:
        router.call_waiting(one)


def level(queue_: Queue, share: float, router: Router | None = None) -> tuple[InteractionId, ...]:
    """The last 100 calls had this service level; what the router says to match afresh."""
    for number in range(100):
        queue_.recent.note(in_time=number < round(share * 100))
    return router.figures_changed(queue_) if router is not None else ()
