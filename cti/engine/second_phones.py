"""Second phones: an agent's mobile rings after, or together with, the phone at the desk; the first answer wins."""

from __future__ import annotations

from cti.engine.offers import MOBILE, Offers
from cti.engine.world import World
from cti.model import facts, intents
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.ids import ReservationId
from cti.model.reservation import Reservation
from cti.model.states import DeviceState, ReservationState

_RINGING = (ReservationState.PENDING, ReservationState.OFFERING)


class SecondPhones:
    """Rings the mobiles of those who have one: a reservation then has two legs, until one of them is answered.

    Args:
        world: what is known.
        offers: makes and ends reservations.
    """

    def __init__(self, world: World, offers: Offers) -> None:
        self._world = world
        self._offers = offers
        offers.first_phone = self._first
        offers.rung = self._rung
        offers.goes_on = self._goes_on
        offers.won = self._won

    def look(self, fact: facts.TimerFired) -> None:
        """The phone at the desk has rung for long enough alone."""
        made = self._world.reservations.get(ReservationId(fact.key))
        if made is not None and made.state in _RINGING and made.second is None:
            self._ring(made)

    def _first(self, agent: Agent) -> tuple[str, str]:
        """Which phone rings first, and which key it has to press: the mobile if the one at the desk is out of service."""
        device = self._world.device_of(agent)
        settings = agent.settings
        if settings.mobile and device is not None and device.state is DeviceState.OUT_OF_SERVICE:
            return settings.mobile, settings.mobile_key
        return agent.phone, ""

    def _rung(self, made: Reservation, contact: str) -> None:
        """The first phone is being rung; the mobile is next."""
        settings = self._world.agents[made.agent].settings
        if not settings.mobile or contact == settings.mobile:
            return
        if settings.mobile_after_s > 0:
            self._world.timers.start(MOBILE, made.id, settings.mobile_after_s)
        else:
            self._ring(made)

    def _ring(self, made: Reservation) -> None:
        world = self._world
        call, settings = world.interactions[made.interaction], world.agents[made.agent].settings
        first = world.connections.get(made.leg)
        switch = first.switch if first is not None else call.switch
        leg = Connection(world.ids.connection(), switch, Side.AGENT, call.id, made.agent, made.id)
        self._offers.add_leg(call, leg)
        made.second = leg.id
        world.emit(
            intents.OfferCall(
                switch=switch,
                leg=leg.id,
                contact=settings.mobile,
                interaction=call.id,
                agent=made.agent,
                queue=made.queue,
                reservation=made.id,
                ring_timeout_s=max(0.0, made.lease_ends_at - world.now),
                calling_number=call.calling_number,
                calling_name=call.calling_name,
                called_number=call.called_number,
                confirm=settings.mobile_key,
            )
        )

    def _goes_on(self, made: Reservation, leg: Connection, cause: Cause, *, refused: bool) -> bool:
        """One leg has ended before anybody answered: whether the agent is still being rung by the other.

        The mobile is not waited for when the phone at the desk cannot ring; an agent who refuses there refuses the call.
        """
        world = self._world
        if made.state not in _RINGING:
            return False
        if leg.id == made.second:
            made.second = None
            return made.leg in world.connections and not world.connections[made.leg].clearing
        if refused and cause is not Cause.BUSY:
            return False
        if made.second is None and world.timers.running(MOBILE, made.id):
            world.timers.cancel(MOBILE, made.id)
            self._ring(made)
        if made.second is None or made.second not in world.connections:
            return False
        made.leg, made.second = made.second, None
        return True

    def _won(self, made: Reservation, leg: Connection) -> None:
        """One of the two has been answered: the other stops ringing."""
        world = self._world
        world.timers.cancel(MOBILE, made.id)
        others = [world.connections[each] for each in made.legs if each != leg.id and each in world.connections]
        made.leg, made.second = leg.id, None
        for other in others:
            other.reservation = None
            self._offers.clear(other, Cause.MULTIPLE_ALERTING)
