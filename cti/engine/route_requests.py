"""Route requests: a route script is asked about a call, and has only so long to answer (CSTA's routeing services)."""

from __future__ import annotations

from typing import Final

from cti.engine.world import World
from cti.model import events, facts
from cti.model.cause import Cause
from cti.model.interaction import Interaction
from cti.model.overflow import Disconnect, Overflow, ToDestination, ToFax, ToMailbox, ToQueue, ToScript, ToVoicemail
from cti.model.personal import LastAgent, Personal
from cti.model.queue import QueueSettings

ROUTE = "route"

MOST: Final = 10
"""How often route scripts are asked about one call: two that send it to each other must not do so for ever."""


class RouteRequests:
    """Asks, and notes the answers.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def ask(self, call: Interaction, settings: QueueSettings) -> bool:
        """Ask the queue's route script about a call that enters it; whether there is one to wait for."""
        world = self._world
        if not settings.route_script:
            return False
        cross_ref = f"{call.id}/route/{world.next_token()}"
        if call.route_requests >= MOST:
            world.tell(
                events.RouteEnded,
                call,
                Cause.NORMAL,
                cross_ref=cross_ref,
                error=f"route scripts have been asked {MOST} times about this call",
            )
            return False
        call.route_requests += 1
        call.route_request = cross_ref
        world.timers.start(ROUTE, call.id, settings.route_deadline_s)
        world.tell(
            events.RouteRequested,
            call,
            Cause.NORMAL,
            cross_ref=cross_ref,
            script=settings.route_script,
            deadline_s=settings.route_deadline_s,
        )
        return True

    def used(self, call: Interaction, answer: facts.RouteSelected) -> None:
        """The answer is acted on."""
        self._close(call)
        self._world.tell(
            events.RouteUsed, call, Cause.NORMAL, cross_ref=answer.cross_ref, to=_said(answer.to, answer.personal)
        )

    def ended(self, call: Interaction, error: str) -> None:
        """The request, if one is open, is over without an answer that is used."""
        cross_ref = call.route_request
        if cross_ref:
            self._close(call)
            self._world.tell(events.RouteEnded, call, Cause.NORMAL, cross_ref=cross_ref, error=error)

    def _close(self, call: Interaction) -> None:
        call.route_request = ""
        self._world.timers.cancel(ROUTE, call.id)


def _said(to: Overflow | None, personal: Personal | LastAgent | None) -> str:
    match to:
        case ToQueue(queue=queue):
            return f"queue {queue}"
        case ToDestination(destination=destination):
            return f"destination {destination}"
        case ToVoicemail(mailbox=mailbox):
            return f"voicemail {mailbox}"
        case ToMailbox(mailbox=mailbox):
            return f"mailbox {mailbox}"
        case ToFax(mailbox=mailbox):
            return f"fax {mailbox}"
        case ToScript(script=script):
            return f"script {script}"
        case Disconnect():
            return "disconnect"
    if isinstance(personal, Personal):
        return f"agent {personal.agent}"
    return "last agent" if personal is not None else "default"
