"""Exits: the ways in which a call leaves the queues, and the end of every interaction."""

from __future__ import annotations

from cti.engine.coming_up import HELD_S, LEAVING, is_taken
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.model import events, intents
from cti.model.cause import Cause
from cti.model.ids import SwitchId
from cti.model.interaction import Interaction
from cti.model.overflow import ToDestination, ToVoicemail
from cti.model.predictive import ALONE
from cti.model.states import ConnectionTrigger, InteractionTrigger

LIVE = "live"


class Exits:
    """Lets calls go; whoever calls it has taken them out of their queue.

    Args:
        world: what is known.
        offers: clears legs.
    """

    def __init__(self, world: World, offers: Offers) -> None:
        self._world = world
        self._offers = offers

    def divert(self, call: Interaction, destination: str, cause: Cause) -> None:
        """To a number of the switch's dialplan; the call is over for us."""
        self._hand_over(call, ToDestination(destination), destination, cause)

    def leave_message(self, call: Interaction, mailbox: str, domain: str, cause: Cause) -> None:
        """To a mailbox of the switch's voicemail; the call is over for us."""
        self._hand_over(call, ToVoicemail(mailbox, domain), f"voicemail:{mailbox}", cause)

    def _hand_over(self, call: Interaction, to: ToDestination | ToVoicemail, destination: str, cause: Cause) -> None:
        world = self._world
        call.move(InteractionTrigger.DIVERT, world.now)
        world.tell(events.Diverted, call, cause, destination=destination)
        call.handed_to = to
        if world.is_live(call.switch) and is_taken(world.connections[call.caller]):
            world.timers.start(LEAVING, call.id, HELD_S)  # out of a bridge that comes up it would take somebody along
        elif world.is_live(call.switch):
            self._hand_over_now(call, to, cause)

    def caller_free(self, call: Interaction) -> None:
        """The caller is in no bridge any more, or is taken for that: if they are to leave us, they do."""
        world = self._world
        if call.handed_to is not None and call.caller in call.connections and world.is_live(call.switch):
            self._hand_over_now(call, call.handed_to, Cause.REDIRECTED)

    def _hand_over_now(self, call: Interaction, to: ToDestination | ToVoicemail, cause: Cause) -> None:
        world = self._world
        world.timers.cancel(LEAVING, call.id)
        tags = {"cti_interaction": "", "cti_queue": "", "cti_previous": call.id}  # should it come back to us
        world.emit(intents.TagConnection(call.switch, call.caller, tags))
        # What it is bridged to there may end without its being parked, and handed to us again.
        world.emit(intents.KeepCaller(call.switch, call.caller, keep=False))
        if isinstance(to, ToDestination):
            world.emit(intents.DivertConnection(call.switch, call.caller, to.destination))
        else:
            world.emit(intents.LeaveMessage(call.switch, call.caller, to.mailbox, to.domain))
        del world.connections[call.caller]  # it is the dialplan's now
        call.connections.discard(call.caller)
        self.finish(call, cause)

    def stays(self, call: Interaction, destination: str) -> None:
        """The caller is no caller any more, but stays on the switch, in our hands."""
        world = self._world
        call.move(InteractionTrigger.DIVERT, world.now)
        world.tell(events.Diverted, call, Cause.REDIRECTED, destination=destination)
        del world.connections[call.caller]
        call.connections.discard(call.caller)
        self.finish(call, Cause.REDIRECTED)

    def link_is_back(self, switch: SwitchId) -> None:
        """Callers who were to leave while their switch could not be reached go now."""
        for call in [c for c in self._world.interactions.values() if c.switch == switch and c.handed_to is not None]:
            assert call.handed_to is not None
            if call.caller in call.connections:
                self._hand_over_now(call, call.handed_to, Cause.REDIRECTED)

    def to_script(self, call: Interaction, script: str, cause: Cause) -> None:
        """Back to a script; the call keeps its age and place."""
        world = self._world
        call.move(InteractionTrigger.RETURN, world.now)
        call.script = script
        caller = world.connections[call.caller]
        if caller.established_at is not None:
            caller.move(ConnectionTrigger.ESTABLISH)
        if call.treated:
            call.treated = False
            world.emit(intents.StopTreatment(call.switch, call.caller))
        if call.queue is not None:
            world.emit(intents.TagConnection(call.switch, call.caller, {"cti_queue": ""}))
        world.tell(events.Diverted, call, cause, to_script=script)
        call.queue = None

    def clear(self, call: Interaction, cause: Cause) -> None:
        """The whole call ends."""
        call.move(InteractionTrigger.CLEAR, self._world.now)
        self.clear_legs(call, cause)
        self.finish(call, cause)

    def clear_legs(self, call: Interaction, cause: Cause) -> None:
        """Whatever the call has become, its legs end."""
        for each in sorted(call.connections):
            leg = self._world.connections[each]
            made = self._world.reservations.get(leg.reservation) if leg.reservation is not None else None
            if made is not None and made.consults is not None:
                self._offers.cancel(made, cause)  # whoever is being rung is not to blame
            elif not leg.clearing:
                self._offers.clear(leg, cause)

    def finish(self, call: Interaction, cause: Cause) -> None:
        """Forget a call whose last leg is gone, and what is no call when it is over."""
        world = self._world
        if call.connections or call.callback is not None or not (call.on_the_line or call.state.is_over):
            return
        if world.interactions.pop(call.id, None) is not None:
            for kind in (LIVE, ALONE, LEAVING):
                world.timers.cancel(kind, call.id)
            world.tell(events.CallCleared, call, cause, state=call.state.value)
