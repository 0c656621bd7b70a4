"""FreeSWITCH's events as facts. Pure: an event in, facts out; it remembers nothing."""

from __future__ import annotations

from collections.abc import Callable

from cti.esl import Event
from cti.model import facts
from cti.model.ids import ConnectionId, ReservationId, SwitchId
from cti.switch import tags
from cti.switch.causes import cause_of

EVENTS = (
    "CHANNEL_CREATE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_PARK",
    "CHANNEL_BRIDGE",
    "CHANNEL_HOLD",
    "CHANNEL_UNHOLD",
    "CHANNEL_HANGUP",
)
"""What to subscribe to for these facts."""


class EventFacts:
    """Translates the events of one switch.

    Args:
        switch: the switch's id, for the facts.
        node: our centre's name; channels that carry another, or none, are not ours.
    """

    def __init__(self, switch: SwitchId, node: str) -> None:
        self._switch = switch
        self._node = node
        self._table: dict[str, Callable[[Event, ConnectionId], facts.Fact | None]] = {
            "CHANNEL_CREATE": self._create,
            "CHANNEL_PROGRESS": self._progress,
            "CHANNEL_PROGRESS_MEDIA": self._progress,
            "CHANNEL_ANSWER": self._answer,
            "CHANNEL_PARK": self._park,
            "CHANNEL_BRIDGE": self._bridge,
            "CHANNEL_HOLD": lambda _, leg: facts.Held(self._switch, leg),
            "CHANNEL_UNHOLD": lambda _, leg: facts.Retrieved(self._switch, leg),
            "CHANNEL_HANGUP": self._hangup,
        }

    def fact(self, event: Event) -> facts.Fact | None:
        """What the event says of a leg of ours; None for any other event and anybody else's channel."""
        translate = self._table.get(event.name)
        if translate is None or tags.untag(event.text("variable_cti_node")) != self._node:
            return None
        return translate(event, ConnectionId(event.text("Unique-ID") or ""))

    def _reservation(self, event: Event) -> ReservationId | None:
        value = event.text("variable_cti_reservation")
        return ReservationId(tags.untag(value)) if value else None

    def _create(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        made_for = self._reservation(event)
        return facts.Originated(self._switch, leg, made_for) if made_for is not None else None

    def _progress(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        return facts.Delivered(self._switch, leg) if self._reservation(event) is not None else None

    def _answer(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        made_for = self._reservation(event)
        # A leg of ours that is not parked yet (its phone never rang) is still worked on by originate: a bridge now
        # would make that fail and may hang the leg up (switch_ivr_originate.c) [live]. Its park follows at once.
        if made_for is not None and event.text("Channel-State") != "CS_EXECUTE":
            return None
        return facts.Established(self._switch, leg, made_for)

    def _park(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        made_for = self._reservation(event)
        if made_for is not None:
            answered = event.text("Answer-State") == "answered"
            return facts.Established(self._switch, leg, made_for) if answered else None
        return facts.Offered(
            self._switch,
            leg,
            calling_number=event.text("Caller-Caller-ID-Number") or "",
            calling_name=event.text("Caller-Caller-ID-Name") or "",
            called_number=event.text("Caller-Destination-Number") or "",
            established=event.text("Answer-State") == "answered",
            data=collected(event),
        )

    def _bridge(self, event: Event, leg: ConnectionId) -> facts.Fact:
        first, second = event.text("Bridge-A-Unique-ID") or leg, event.text("Bridge-B-Unique-ID") or ""
        return facts.Bridged(self._switch, ConnectionId(first), ConnectionId(second))

    def _hangup(self, event: Event, leg: ConnectionId) -> facts.Fact:
        switch_cause = event.text("Hangup-Cause") or ""
        return facts.ConnectionCleared(self._switch, leg, cause_of(switch_cause), switch_cause)


def collected(event: Event) -> dict[str, str]:
    """What the dialplan attached to the channel (variables ``cti_data_*``)."""
    prefix = "variable_" + tags.DATA
    return {name[len(prefix) :]: value for name, value in event.starting_with(prefix) if isinstance(value, str)}
