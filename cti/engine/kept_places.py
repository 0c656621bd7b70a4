"""Keeps the places of callers whom a lost switch has cut off, for those who call back."""

from __future__ import annotations

from itertools import islice

from cti.engine.wishes import customer
from cti.engine.world import World
from cti.model.ids import QueueId
from cti.model.interaction import Interaction
from cti.model.kept_place import KeptPlace


class KeptPlaces:
    """Remembers who was where, by the customer's number or the ``customer`` attached; anonymous callers are nobody.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def keep(self, call: Interaction) -> None:
        """A caller has been cut off who waited in a queue, or had come through it to an agent."""
        world = self._world
        queue = world.queues.get(call.queue) if call.queue is not None else None
        who = customer(call)
        if queue is None or call.queued_at is None or not queue.settings.keep_place_s or not who:
            return
        world.kept_places.pop(who, None)  # the latest goes to the end
        until = world.now + queue.settings.keep_place_s
        world.kept_places[who] = KeptPlace(queue.id, call.queued_at, call.place, until)
        for oldest in list(islice(world.kept_places, 2)):  # two for each one added: what is remembered stays bounded
            if world.kept_places[oldest].until < world.now:
                del world.kept_places[oldest]

    def take(self, call: Interaction, queue: QueueId) -> KeptPlace | None:
        """The place that is kept for a caller in this queue, if one is; it is kept no longer."""
        who = customer(call)
        kept = self._world.kept_places.get(who) if who else None
        if kept is None or kept.queue != queue:
            return None
        del self._world.kept_places[who]
        return kept if kept.until >= self._world.now else None
