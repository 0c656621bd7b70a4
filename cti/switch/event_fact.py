"""FreeSWITCH's events as facts. Pure: an event in, facts out; it remembers nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from cti.esl import Event
from cti.model import facts
from cti.model.cause import Cause
from cti.model.ids import ConnectionId, InteractionId, ReservationId, SwitchId
from cti.switch import tags
from cti.switch.causes import cause_of
from cti.switch.intent_command import PUT_THROUGH_TONE, WARNING_TONE

BridgeAt = Literal["answer", "park"]

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
    "MEDIA_BUG_START",
    "MEDIA_BUG_STOP",
    "RECORD_START",
    "RECORD_STOP",
)
"""What to subscribe to for these facts."""


class EventFacts:
    """Translates the events of one switch.

    Args:
        switch: the switch's id, for the facts.
        node: our centre's name; channels that carry another, or none, are not ours.
        bridge_at: which event of a leg of ours counts as its answer, see CallCenter.
    """

    def __init__(self, switch: SwitchId, node: str, bridge_at: BridgeAt = "park") -> None:
        self._switch = switch
        self._node = node
        self._bridge_at = bridge_at
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
            "MEDIA_BUG_START": self._bug_added,
            "MEDIA_BUG_STOP": self._bug_removed,
            "RECORD_START": self._record_started,
            "RECORD_STOP": self._record_stopped,
        }

    def fact(self, event: Event) -> facts.Fact | None:
        """What the event says of a leg of ours; None for any other event and anybody else's channel."""
        translate = self._table.get(event.name)
        if translate is None or tags.untag(event.text("variable_cti_node")) != self._node:
            return None
        leg = ConnectionId(event.text("Unique-ID") or "")
        if event.text("variable_" + tags.TIE) is not None:
            return self._tie(event, leg)
        return translate(event, leg)

    def _tie(self, event: Event, channel: ConnectionId) -> facts.Fact | None:
        """A channel that carries on a leg of another switch: it comes, and it goes."""
        if event.name == "CHANNEL_HANGUP":
            return self._hangup(event, channel)
        if event.name not in ("CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER"):
            return None
        interaction = tags.untag(event.text("variable_" + tags.INTERACTION))
        return facts.Tied(
            self._switch,
            channel,
            ConnectionId(tags.untag(event.text("variable_" + tags.TIE))),
            SwitchId(tags.untag(event.text("variable_" + tags.TIE_FROM))),
            InteractionId(interaction) if interaction else None,
        )

    def _reservation(self, event: Event) -> ReservationId | None:
        value = event.text("variable_cti_reservation")
        return ReservationId(tags.untag(value)) if value else None

    def _create(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        made_for = self._reservation(event)
        return facts.Originated(self._switch, leg, made_for) if made_for is not None else None

    def _progress(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        ours = self._reservation(event) is not None or event.text("variable_" + tags.OTHER) is not None
        return facts.Delivered(self._switch, leg) if ours else None

    def _answer(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        made_for = self._reservation(event)
        if made_for is not None and (self._bridge_at == "park" or event.text("variable_" + tags.CONFIRM)):
            return None
        return facts.Established(self._switch, leg, made_for)

    def _park(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        made_for = self._reservation(event)
        if made_for is not None:  # our own leg, which waits for its bridge
            if self._bridge_at == "park" or event.text("variable_" + tags.CONFIRM):
                return facts.Established(self._switch, leg, made_for, parked=True)
            return facts.Parked(self._switch, leg)
        if event.text("variable_" + tags.OTHER) is not None:
            return facts.Parked(self._switch, leg)
        return facts.Offered(
            self._switch,
            leg,
            calling_number=event.text("Caller-Caller-ID-Number") or "",
            calling_name=event.text("Caller-Caller-ID-Name") or "",
            called_number=event.text("Caller-Destination-Number") or "",
            established=event.text("Answer-State") == "answered",
            data=collected(event),
            previous=InteractionId(p) if (p := tags.untag(event.text("variable_" + tags.PREVIOUS))) else None,
        )

    def _bridge(self, event: Event, leg: ConnectionId) -> facts.Fact:
        first, second = event.text("Bridge-A-Unique-ID") or leg, event.text("Bridge-B-Unique-ID") or ""
        return facts.Bridged(self._switch, ConnectionId(first), ConnectionId(second))

    def _bug_added(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        # switch_core_media_bug.c: the event of the channel that is listened in on.
        return facts.Tapped(self._switch, leg) if event.text("Media-Bug-Function") == "eavesdrop" else None

    def _bug_removed(self, event: Event, leg: ConnectionId) -> facts.Fact | None:
        # The warning of somebody who intrudes, or of a call that comes without ringing, is announced to nobody who waits for it.
        warning = event.text("Media-Bug-Target") in (WARNING_TONE, PUT_THROUGH_TONE)
        displaced = event.text("Media-Bug-Function") == "displace"
        return facts.Announced(self._switch, leg) if displaced and not warning else None

    def _record_started(self, event: Event, leg: ConnectionId) -> facts.Fact:
        return facts.RecordingStarted(self._switch, leg, event.text("Record-File-Path") or "")

    def _record_stopped(self, event: Event, leg: ConnectionId) -> facts.Fact:
        # switch_ivr_async.c, send_record_stop_event: what has been written of this file, in milliseconds.
        said = event.text("variable_record_ms") or ""
        length_s = int(said) / 1000 if said.isdecimal() else None
        return facts.RecordingStopped(self._switch, leg, event.text("Record-File-Path") or "", length_s)

    def _hangup(self, event: Event, leg: ConnectionId) -> facts.Fact:
        switch_cause = event.text("Hangup-Cause") or ""
        cause = cause_of(switch_cause)
        # mod_sofia.c sets it before the event: recv_bye, recv_cancel, recv_refuse; send_bye, send_cancel, send_refuse.
        disposition = event.text("variable_sip_hangup_disposition")
        by_far_end = disposition.startswith("recv") if disposition else None
        if disposition is None and event.text("variable_" + tags.STANDING) and event.text("variable_sip_call_id"):
            # That of a BYE comes after the event; what has been set before it tells a BYE from an end that is FreeSWITCH's
            # own, which may have the same cause: a caller who has gone as the bridge came up, say (sofia_handle_sip_i_bye
            # in sofia.c; abort_call in switch_ivr_bridge.c).
            by_far_end = event.text("variable_sip_term_status") is not None
        if (
            cause is Cause.NORMAL_CLEARING
            and disposition == "send_bye"
            and event.text("Caller-Channel-Bridged-Time") == "0"
            and self._reservation(event) is not None
        ):
            # FreeSWITCH itself hung up on an agent who had answered: the bridge and the end of originate collided,
            # about once in a thousand calls when bridged at the answer under load [live]. No fault of the agent.
            cause = Cause.SWITCHING_FUNCTION_TERMINATED
        return facts.ConnectionCleared(self._switch, leg, cause, switch_cause, by_far_end)


def collected(event: Event) -> dict[str, Any]:
    """What is attached to the channel's call: all that we have written there, if we have; else what the dialplan set
    (variables ``cti_data_*``).
    """
    attached = event.text("variable_" + tags.ATTACHED)
    if attached:
        return tags.untag_data(attached)
    prefix = "variable_" + tags.DATA
    return {name[len(prefix) :]: value for name, value in event.starting_with(prefix) if isinstance(value, str)}
