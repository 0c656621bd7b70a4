"""Callbacks as they are now, for whoever looks: plain values that nothing changes later."""

from __future__ import annotations

from attrs import frozen

from cti.engine.world import World
from cti.errors import ConfigurationError, DestinationNotAllowed
from cti.model.callback import AbandonedCall, CallbackSettings, Try
from cti.model.ids import AgentId, InteractionId, QueueId
from cti.model.interaction import Interaction
from cti.model.party import HIDDEN, contact_of


@frozen
class CallbackView:
    """A pending callback."""

    id: InteractionId
    queue: QueueId
    number: str
    calling_name: str
    state: str
    """``scheduled``, ``waiting`` (in its place in the queue), ``calling``, or ``holding`` (the customer has answered)."""
    source: str
    """``caller``, ``request`` or ``abandoned``."""
    position: int
    """Its place in the queue, 1 for the head; 0 while it has none."""
    waited_s: float
    """Since the customer first waited."""
    due_in_s: float
    """Until it may be made; 0 if it may."""
    expires_in_s: float
    agent: AgentId | None
    """The one agent whom it is for."""
    tries: tuple[Try, ...]


def callbacks(world: World, queue: QueueId | None = None) -> tuple[CallbackView, ...]:
    """The pending callbacks of a queue, or of all, those whose turn is next first.

    Raises:
        UnknownQueue: there is none of this id.
    """
    names = world.callbacks if queue is None else (world.queue(queue).id,)
    calls = [world.interactions[each] for name in names for each in world.callbacks.get(name, {}).values()]
    found = [made for call in calls if (made := _view(world, call)) is not None]
    return tuple(sorted(found, key=lambda each: (each.position == 0, each.queue, each.position, each.due_in_s)))


def _view(world: World, call: Interaction) -> CallbackView | None:
    back = call.callback
    if back is None or call.queue is None:
        return None
    return CallbackView(
        id=call.id,
        queue=call.queue,
        number=back.number,
        calling_name=call.calling_name,
        state=back.state.value,
        source=back.source,
        position=world.router.position(call.id),
        waited_s=call.waited_s(world.now),
        due_in_s=max(0.0, back.due_at - world.now),
        expires_in_s=max(0.0, back.expires_at - world.now),
        agent=back.agent,
        tries=tuple(back.tries),
    )


def abandoned(world: World, within_s: float, queue: QueueId | None = None) -> tuple[AbandonedCall, ...]:
    """The callers who hung up while waiting in the last so many seconds, the latest first.

    Raises:
        UnknownQueue: there is none of this id.
    """
    wanted = world.queue(queue).id if queue is not None else None
    since = world.now - within_s
    return tuple(each for each in reversed(world.abandoned) if each.at >= since and wanted in (None, each.queue))


def callback_settings(world: World, queue: QueueId) -> CallbackSettings:
    """How a queue calls back.

    Raises:
        UnknownQueue: there is none of this id.
        ConfigurationError: it calls nobody back.
    """
    settings = world.queue(queue).settings.callback
    if settings is None:
        raise ConfigurationError(f"queue {queue!r} calls nobody back; give it callback=CallbackSettings(...)")
    return settings


def callback_contact(world: World, settings: CallbackSettings, number: str) -> str:
    """The dial string by which a number is called back.

    Raises:
        DestinationNotAllowed: no rule lets it through, or it is none.
    """
    if number.lower() in HIDDEN:
        raise DestinationNotAllowed(number)
    return contact_of(number, settings.destinations or world.destinations)
