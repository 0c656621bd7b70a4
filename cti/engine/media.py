"""Media: who hears whom in a call, and bringing that about."""

from __future__ import annotations

from typing import Final

from cti.engine.coming_up import ask, is_coming_up
from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import events, intents, services
from cti.model.connection import Connection
from cti.model.ids import ConnectionId, InteractionId
from cti.model.interaction import Interaction

PAIR = "pair"

AGAIN_S: Final = 2.0
"""How long may a pair take? FreeSWITCH takes 20 to 60 ms; what is lost or refused is asked for again after so long."""
MOST_AGAIN: Final = 5

Pair = tuple[ConnectionId, ConnectionId]


class Media:
    """Brings the legs of a call into the pair that is wanted: at most one pair talks, the others are parked.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def join(self, call: Interaction, first: ConnectionId, second: ConnectionId) -> None:
        """Let these two hear each other, and nobody else of the call."""
        call.wanted_pair, call.pairings = (first, second), 0
        self.settle(call)

    def part(self, call: Interaction) -> None:
        """Let nobody hear anybody."""
        call.wanted_pair, call.pairings = None, 0
        self.settle(call)

    def apart(self, call: Interaction) -> bool:
        """Whether the caller is in our hands."""
        caller = self._world.connections.get(call.caller)
        return caller is not None and caller.parked

    def settle(self, call: Interaction) -> None:
        """Ask the switch for what is wanted, one step at a time: whoever talks is parked first, then the two are bridged.

        It is called again whenever the switch has said that something has changed.
        """
        now, wanted = call.pair, call.wanted_pair
        if call.pairing or (now is not None and wanted is not None and set(now) == set(wanted)):
            return
        if now is not None:
            self._ask(call)
            self._world.emit(intents.Separate(call.switch, now[0], now[1]))
        elif wanted is not None and all(self._is_free(each) for each in wanted):
            self._ask(call)
            ask(self._world, call.switch, *wanted)
        elif self._missing(call) and not self._world.timers.running(PAIR, call.id):
            self._world.timers.start(PAIR, call.id, AGAIN_S)

    def _missing(self, call: Interaction) -> list[ConnectionId]:
        """The legs that are in nobody's way but for the word that they are parked, or what became of another bridge of
        theirs, which may have been lost.
        """
        ids = call.wanted_pair or ((call.caller,) if call.onward is not None else ())
        legs = [leg for each in ids if (leg := self._world.connections.get(each)) is not None and not leg.clearing]
        return [leg.id for leg in legs if not leg.parked or leg.sought is not None] if len(legs) == len(ids) else []

    def _is_free(self, connection: ConnectionId) -> bool:
        leg = self._world.connections.get(connection)
        return leg is not None and leg.parked and leg.sought is None and not leg.clearing

    def _ask(self, call: Interaction) -> None:
        call.pairing = True
        self._world.timers.start(PAIR, call.id, AGAIN_S)

    def again(self, interaction: InteractionId) -> None:
        """What was asked for has not come about: look whether the legs live, and ask again, a few times."""
        call = self._world.interactions.get(interaction)
        missing = self._missing(call) if call is not None and not call.pairing else []
        if call is None or not (call.pairing or missing):
            return
        if not self._world.is_live(call.switch):  # nobody can be asked: a little later, then
            self._world.timers.start(PAIR, call.id, AGAIN_S)
            return
        call.pairing = False
        call.pairings += 1
        for each in sorted({*(call.pair or ()), *(call.wanted_pair or ()), *missing}):
            if each in self._world.connections:
                self._world.connections[each].sought = None  # the word of it is waited for no longer
                self._world.emit(intents.CheckConnection(call.switch, each))
        missing = self._missing(call) if missing else []
        wanted = call.wanted_pair if missing else None
        if call.pairings <= MOST_AGAIN:
            if wanted is not None:
                self._world.emit(intents.Bridge(call.switch, *wanted))
            else:
                for each in missing:  # who is parked once more says so once more
                    self._world.emit(intents.StopListening(call.switch, each))
            self.settle(call)
        elif wanted is None:  # else they have been bridged long ago, and an old word came again
            what = f"call {call.id}: the switch does not make the pair {call.wanted_pair} of {call.pair}"
            self._world.notify(events.InvariantBroken(at=self._world.now, what=what))

    def send_digits(self, fact: services.DigitsRequested) -> None:
        """Let whoever talks with an agent hear keys being pressed.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidConnection: the agent talks with nobody.
        """
        agent = self._world.agent(fact.agent)
        call = self._world.interactions.get(agent.interaction) if agent.interaction is not None else None
        pair = call.pair if call is not None else None
        if call is None or pair is None or agent.connection not in pair:
            state = call.talk.value if call is not None else agent.state.value
            raise InvalidConnection(
                f"agent {agent.id!r} talks with nobody who could hear digits; it is {state} "
                "(possible: talking, consulting, alternated)"
            )
        (other,) = set(pair) - {agent.connection}
        self._world.emit(intents.SendDigits(call.switch, other, fact.digits))

    # -- what the switch says -------------------------------------------------------------------------------------

    def parked(self, leg: Connection) -> None:
        """A leg hears nobody."""
        call = self._world.interactions[leg.interaction]
        leg.parked, leg.partner = True, None
        if not is_coming_up(self._world, leg):
            leg.sought = None
        if call.pair is not None and leg.id in call.pair:
            call.pair = None
            self._done(call)
        elif (call.wanted_pair is not None and leg.id in call.wanted_pair) or (
            call.onward is not None and leg.id == call.caller
        ):  # ready for it, or it came to nothing
            self._done(call)

    def bridged(self, first: Connection, second: Connection) -> None:
        """Two legs hear each other."""
        call = self._world.interactions[first.interaction]
        first.parked = second.parked = False
        first.partner, second.partner = second.id, first.id
        first.sought = second.sought = None
        call.pair = (first.id, second.id)
        self._done(call)

    def gone(self, call: Interaction, leg: Connection) -> None:
        """A leg has ended; nobody can be paired with it any more."""
        wanted = call.wanted_pair is not None and leg.id in call.wanted_pair
        paired = call.pair is not None and leg.id in call.pair
        if paired:
            call.pair = None
        if wanted:
            call.wanted_pair = None
        if wanted or paired:
            self._done(call)

    def over(self, call: Interaction) -> None:
        """The call ends: nobody is to be paired with anybody any more."""
        call.pair = call.wanted_pair = None
        self._done(call)

    def _done(self, call: Interaction) -> None:
        """Something of what was asked for has happened; if it is not all, it is asked for again."""
        call.pairing = False
        self._world.timers.cancel(PAIR, call.id)
