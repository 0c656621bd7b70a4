"""The parts of the engine that make callbacks, put together, and what the other parts leave to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cti.engine.callback_desk import CallbackDesk
from cti.engine.callback_hooks import CallbackHooks
from cti.engine.callbacks import CALLBACK, FAREWELL, Callbacks
from cti.engine.calling_back import CUSTOMER, CallingBack
from cti.engine.calls import Calls
from cti.engine.coming_back import ComingBack
from cti.engine.exits import Exits
from cti.engine.line import Line
from cti.engine.matching import Matching
from cti.engine.offers import Offers
from cti.engine.wishes import Wishes
from cti.engine.world import World
from cti.model import facts, services
from cti.model.ids import ConnectionId, InteractionId

ABOUT_SWITCHES: Final = (facts.SnapshotTaken, facts.LinkLost, facts.SwitchRemoved, services.DrainRequested)
"""After these callbacks may have to be made by another switch, or may be made again."""


class CallbackParts:
    """Puts the parts together.

    Args:
        world: what is known.
        offers: makes and ends reservations, clears legs.
        line: moves calls into queues and out of them.
        matching: looks for agents.
        wishes: settles for whom a call waits.
        exits: ends interactions.
        calls: follows calls and their legs.
    """

    def __init__(  # noqa: PLR0917 - the parts it is made of
        self,
        world: World,
        offers: Offers,
        line: Line,
        matching: Matching,
        wishes: Wishes,
        exits: Exits,
        calls: Calls,
    ) -> None:
        calling = CallingBack(world, offers, matching, line, wishes)
        kept = Callbacks(world, offers, line, matching, wishes, exits, calling)
        desk = CallbackDesk(world, kept, calling, line, offers)
        again = ComingBack(world, kept, desk)
        calling.missed, calling.impossible = kept.missed, kept.impossible
        hooks = offers.callbacks = line.callbacks = calls.callbacks = CallbackHooks()
        hooks.kept_silent, hooks.accepted, hooks.waits_s = calling.kept_silent, calling.agent_answered, calling.waits_s
        hooks.called_back, hooks.released, hooks.back_in_place = kept.connected, kept.released, calling.back_in_place
        hooks.rejoins, hooks.abandoned = again.rejoins, again.abandoned
        hooks.parked, hooks.customer_gone = calling.parked, calling.customer_gone
        hooks.leaver_gone, hooks.let_go = kept.leaver_gone, kept.let_go
        self.table: dict[type, Callable[[Any], None]] = desk.table
        self.timers: dict[str, Callable[[facts.TimerFired], None]] = {
            CALLBACK: lambda fact: kept.look(InteractionId(fact.key)),
            CUSTOMER: lambda fact: calling.ring_over(InteractionId(fact.key)),
            FAREWELL: lambda fact: kept.farewell_over(ConnectionId(fact.key)),
        }
        self.redefined, self.look_at_switches, self.place = kept.redefined, kept.look_at_switches, kept.place
