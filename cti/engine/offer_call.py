"""What the switch is asked to ring an agent's phone by."""

from __future__ import annotations

from cti.model.agent import Agent
from cti.model.intents import OfferCall
from cti.model.interaction import Interaction
from cti.model.reservation import Reservation
from cti.model.switch import TieLine


def offer_call(  # noqa: PLR0917 - all of it is about one offer
    call: Interaction,
    agent: Agent,
    made: Reservation,
    ring_s: float,
    park_s: float,
    tie: TieLine | None,
    *,
    contact: str,
    confirm: str,
) -> OfferCall:
    """The intent that rings an agent who has been promised to a call.

    Args:
        call: what they are offered.
        agent: who.
        made: the promise.
        ring_s: how long their phone may ring.
        park_s: how long they may have to wait, once they have answered, besides the time that every leg is given.
        tie: the way to their phone, where it is at another switch.
        contact: the phone that rings first.
        confirm: the key that whoever answers there has to press before it counts; empty for none.
    """
    return OfferCall(
        switch=call.switch,
        leg=made.leg,
        contact=contact,
        interaction=call.id,
        agent=agent.id,
        queue=made.queue,
        reservation=made.id,
        ring_timeout_s=ring_s,
        calling_number=call.calling_number,
        calling_name=call.calling_name,
        called_number=call.called_number,
        park_s=park_s,
        tie=tie,
        data=dict(call.data) if tie is not None else {},
        confirm=confirm,
        auto_answer=agent.settings.auto_answer_offers and contact == agent.phone,
    )
