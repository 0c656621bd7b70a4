"""Offers a callback to the caller of a call, and takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from attrs import evolve

from cti.engine.callback_view import callback_contact, callback_settings
from cti.errors import CallGone, ConfigurationError, DestinationNotAllowed, ResourceBusy
from cti.model import callback_requests, facts
from cti.model.callback import CallbackPrompts
from cti.model.ids import ConnectionId
from cti.model.overflow import ToScript
from cti.model.queue import QueueSettings
from cti.script.callback_number import CallbackOutcome, agreed_number, goodbye
from cti.script.conversation import Conversation

if TYPE_CHECKING:
    from cti.call import Call
    from cti.engine.world import World
    from cti.engine_loop import EngineLoop

SCRIPT = "callback"
"""The script that every centre has: it offers a callback, and puts a caller who does not want one back in their place."""


def offer_callback(  # noqa: PLR0917 - all of it is the call's
    conversation: Conversation,
    channel: ConnectionId,
    loop: EngineLoop,
    request: callback_requests.CallbackRequested,
    ask: Callable[[facts.Fact], None],
    prompts: CallbackPrompts | None,
    *,
    confirm: bool,
) -> CallbackOutcome:
    """Agree on a number, and have the callback taken. Blocks while the caller is asked; see Call.callback.

    Args:
        conversation: the call.
        channel: the caller's leg.
        loop: runs the engine.
        request: what is asked for, with the number that is offered first.
        ask: asks the engine in the call's name.
        prompts: what the caller hears; None for what the queue says.
        confirm: whether the caller is asked.
    """
    world = loop.engine.world
    settings = callback_settings(world, request.queue)
    words = prompts or settings.prompts
    number, why = request.number, ""
    if confirm:
        number, why = agreed_number(
            conversation, number, lambda one: _allowed(world, request, one), words, others=settings.other_numbers
        )
    if why:
        return CallbackOutcome(False, why)
    if number in world.callbacks.get(request.queue, {}):
        return CallbackOutcome(False, "pending", number)
    try:
        ask(evolve(request, number=number))
    except DestinationNotAllowed:
        return CallbackOutcome(False, "refused", number)
    except ResourceBusy:
        return CallbackOutcome(False, "busy", number)
    except ConfigurationError:
        return CallbackOutcome(False, "closed", number)
    try:
        goodbye(conversation, words)
    except CallGone:
        pass
    finally:
        assert request.interaction is not None
        loop.ask(callback_requests.CallerLetGo(request.interaction, channel))
    return CallbackOutcome(True, "", number, request.interaction)


def _allowed(world: World, request: callback_requests.CallbackRequested, number: str) -> bool:
    try:
        callback_contact(world, callback_settings(world, request.queue), number)
    except DestinationNotAllowed:
        return False
    return True


def without_callbacks(queues: Iterable[QueueSettings]) -> list[str]:
    """The queues whose callers that script is offered to, and which call nobody back; one sentence each."""
    found = []
    for each in queues:
        offers = each.waiting.offers.values() if each.waiting is not None else ()
        if each.callback is None and ToScript(SCRIPT) in (each.overflow, *each.overflows.values(), *offers):
            found.append(
                f"queue {each.id!r}: the script {SCRIPT!r} offers its callers a callback, and it calls nobody back"
            )
    return found


def callback_script(call: Call) -> None:
    """The script that every centre has under the name ``callback``, for offers by digit and for overflow.

    Whoever declines goes back to their place in the queue they came from.
    """
    queue, priority = call.last_queue, call.own_priority
    if queue is not None and not call.callback(queue):
        call.queue(queue, priority=priority)
