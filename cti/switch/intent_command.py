"""Intents as FreeSWITCH's commands. Pure: an intent in, a command out."""

from __future__ import annotations

import math
import re
from typing import Final

from cti.errors import LocalProtocolError
from cti.esl import Api, BgApi, Execute, SendEvent, application, channel_variables
from cti.model import intents
from cti.model.ids import ConnectionId
from cti.switch import tags
from cti.switch.causes import hangup_cause_of
from cti.switch.tie_headers import dialled, tie_headers

ORIGINATE_GRACE_S: Final = 5
"""FreeSWITCH's own ring timer is only a belt behind ours: its whole-second clock may fire up to 1 s early [live]."""
PARK_TIMEOUT_S: Final = 20
"""An agent who answered and is never bridged (we died) is let go by FreeSWITCH after so long."""

TRANSFERS: Final = 1_000_000
"""How often a leg may be parked, in a call's life. Left to itself FreeSWITCH takes each time for a hop, and hangs up after
70 with EXCHANGE_ROUTING_ERROR (switch_ivr_session_transfer in switch_ivr.c) [live]."""
CONFIRM_TONE: Final = "tone_stream://%(150,1850,660);loops=100"
"""What is heard at a mobile until its key is pressed."""
CONFERENCE_PROFILE: Final = "default"
"""The profile of mod_conference that conferences are held by."""

AUTO_ANSWER: Final = "<sip:cti>;answer-after=0"
"""Yealink, Grandstream, Snom, Polycom and others go by this (RFC 3261, 20.9, and common use)."""

WARNING_TONE: Final = "tone_stream://%(500,500,1400);loops=2"
"""What those hear whose conversation somebody comes into."""

PUT_THROUGH_TONE: Final = "tone_stream://%(180,40,1000)"
"""What an agent with a standing connection hears as a call is put through."""

_DESTINATION: Final = re.compile(r"[\w+*#.@:-]{1,128}\Z", re.ASCII)
_MAILBOX: Final = re.compile(r"[\w+*#.-]{1,128}\Z", re.ASCII)

_STAYS: Final = {"park_after_bridge": "true", "uuid_bridge_park_on_cancel": "true"}
"""What keeps a leg when the other one of its bridge ends, or does before the bridge is up; as KeepCaller."""

Command = Api | BgApi | Execute | SendEvent


def commands_for(intent: intents.LegIntent, node: str) -> tuple[Command, ...]:
    """The commands that carry out an intent, in order; the reply to the last one counts.

    Raises:
        LocalProtocolError: it cannot be said safely (a destination with a space, a contact with a line break).
    """
    match intent:
        case intents.OfferCall():
            return (_originate(intent, node),)
        case intents.PutThrough(connection=leg):
            return _put_through(intent)
        case intents.StandBy(connection=leg):
            return (Api(f"uuid_setvar_multi {leg} {tags.INTERACTION}=;{tags.QUEUE}=;rdnis="),)
        case intents.PlayBetweenCalls(connection=leg, music=music):
            # Not told to execute it: what a leg has not begun yet it would play once it is bridged, with the agent made to
            # wait (audio_bridge_thread in switch_ivr_bridge.c).
            return (Api(f"uuid_transfer {leg} 'm:|:playback:{music}|park' inline"),)
        case intents.Bridge(connection=first, other=second):
            return (Api(f"uuid_bridge {first} {second}"),)
        case intents.Separate(connection=leg):
            return (_not_let_go(leg), Api(f"uuid_dual_transfer {leg} park/inline park/inline"))
        case intents.JoinConference(connection=leg, other=other, conference=room):
            there = f"conference:{room}@{CONFERENCE_PROFILE}"
            if other is None:
                return (Api(f"uuid_transfer {leg} {there} inline"),)
            return (_not_let_go(leg), Api(f"uuid_dual_transfer {leg} {there}/inline {there}/inline"))
        case intents.MakeConnection():
            return (_make_connection(intent, node),)
        case intents.Listen(connection=leg, other=other, to_other=to_other, to_partner=to_partner):
            # Set before, since eavesdrop reads them as it begins; without DTMF, or the supervisor's own keys would change
            # who hears them (mod_dptools.c, eavesdrop_function). "aleg" is whom the other talks with.
            heard_by = (
                f"eavesdrop_enable_dtmf=false;eavesdrop_whisper_aleg={_yes(to_partner)};"
                f"eavesdrop_whisper_bleg={_yes(to_other)}"
            )
            listen = Api(f"uuid_transfer {leg} 'eavesdrop:{other},park' inline")
            return (Api(f"uuid_setvar_multi {leg} {heard_by}"), listen)
        case intents.StopListening(connection=leg):
            return (Api(f"uuid_transfer {leg} park inline"),)
        case intents.StartRecording(connection=leg, path=path):
            # Swapped: what the agent's leg hears, the caller, is left. Short ones count too; and nobody is hung up on for
            # a full disk (switch_ivr_async.c, switch_ivr_record_session_event).
            # What a run before us has recorded under this name is not written over.
            how = (
                "RECORD_STEREO=true;RECORD_STEREO_SWAP=true;RECORD_APPEND=true;"
                "RECORD_MIN_SEC=0;RECORD_HANGUP_ON_ERROR=false"
            )
            return (Api(f"uuid_setvar_multi {leg} {how}"), Api(f"uuid_record {leg} start {path}"))
        case intents.StopRecording(connection=leg, path=path):
            return (Api(f"uuid_record {leg} stop {path}"),)
        case intents.PauseRecording(connection=leg, path=path, pause=pause):
            # Masked, not paused: the file keeps the call's time, with silence in it.
            return (Api(f"uuid_record {leg} {'mask' if pause else 'unmask'} {path}"),)
        case intents.Announce(connection=leg, prompt=prompt):
            return (Api(f"uuid_displace {leg} start {prompt} 0 mux"),)
        case intents.SendDigits(connection=leg, digits=digits):
            return (Api(f"uuid_send_dtmf {leg} {digits}"),)
        case intents.AnswerConnection(connection=leg):
            return (Api(f"uuid_answer {leg}"),)
        case intents.AnswerPhone(connection=leg):
            # NOTIFY with "Event: talk" in the dialog of the ringing call (mod_sofia.c, SWITCH_MESSAGE_INDICATE_PHONE_EVENT).
            return (Api(f"uuid_phone_event {leg} talk"),)
        case intents.WarningTone(connection=leg):
            return (Api(f"uuid_displace {leg} start {WARNING_TONE} 0 mux"),)
        case intents.SendMessage(connection=leg, text=text):
            # Within the leg's own dialog (general_event_handler in mod_sofia.c); the text is the body, whatever it holds.
            return (SendEvent("SEND_MESSAGE", (("uuid", leg), ("content-type", "text/plain")), text),)
        case intents.PlayMessage(connection=leg, message=message):
            # "m:|:" has the applications divided by bars, and leaves commas in what is played (inline_dialplan_hunt in
            # mod_dptools.c).
            played = f"uuid_transfer {leg} 'm:|:playback:{message}|hangup:NORMAL_CLEARING' inline"
            return (Api(f"uuid_break {leg} all"), Api(played))
        case intents.ClearConnection(connection=leg, cause=cause):
            return (Api(f"uuid_kill {leg} {hangup_cause_of(cause)}"),)
        case intents.StartTreatment(connection=leg, music=music, replace=replace):
            play = Execute(leg, "playback", music)
            return (Api(f"uuid_break {leg} all"), play) if replace else (play,)
        case intents.ResumeTreatment(connection=leg, music=music):
            # Should it play after all: the switch refused the bridge. A break of silence is none (switch_core_session_exec
            # in switch_core_session.c).
            stop = Api(f"uuid_break {leg} all")
            return (stop, Execute(leg, "playback", music)) if music else (stop,)
        case intents.StopTreatment(connection=leg):
            return (Api(f"uuid_break {leg} all"),)
        case intents.LeaveMessage(connection=leg, mailbox=mailbox, domain=domain):
            if not _MAILBOX.match(mailbox) or (domain and not _MAILBOX.match(domain)):
                raise LocalProtocolError(
                    f"mailbox {mailbox!r} of {domain!r}: only letters, digits and + * # . - _ are possible"
                )
            # Commas part the applications of an inline dialplan, blanks the words of an api command: quoted as one.
            return (Api(f"uuid_transfer {leg} 'voicemail:default {domain or '$${domain}'} {mailbox}' inline"),)
        case intents.DivertConnection(connection=leg, destination=destination):
            if not _DESTINATION.match(destination):
                raise LocalProtocolError(
                    f"destination {destination!r}: only letters, digits and + * # . @ : - are possible"
                )
            return (Api(f"uuid_transfer {leg} {destination}"),)
        case intents.KeepCaller(connection=leg, keep=keep):
            # What uuid_bridge consults when the other leg ends before the bridge is up (switch_ivr_bridge.c) [live];
            # an empty value unsets. The third such case is "rdnis", below.
            value = "true" if keep else ""
            # A leg bridged at its answer has never been parked, and still has the time limit of its first parking: a hold
            # that lasts longer must not end it (switch_ivr_park in switch_ivr.c) [live].
            more = f";max_session_transfers={TRANSFERS};park_timeout=" if keep else ""
            return (Api(f"uuid_setvar_multi {leg} park_after_bridge={value};uuid_bridge_park_on_cancel={value}{more}"),)
        case intents.TagConnection(connection=leg, tags=values):
            pairs = ";".join(f"{name}={tags.tag(value)}" for name, value in values.items())
            return (Api(f"uuid_setvar_multi {leg} {pairs}"),)
        case intents.KeepData(connection=leg, data=data):
            return (Api(f"uuid_setvar_multi {leg} {tags.ATTACHED}={tags.tag_data(data)}"),)
        case intents.CheckConnection(connection=leg):
            return (Api(f"uuid_exists {leg}"),)


def _put_through(intent: intents.PutThrough) -> tuple[Command, ...]:
    leg, number = intent.connection, intent.called_number
    # "rdnis" as for a leg that is made for one call, see _originate.
    back = number if _DESTINATION.match(number) else ""
    values = f"{tags.INTERACTION}={intent.interaction};{tags.QUEUE}={tags.tag(intent.queue)};rdnis={back}"
    tagged = Api(f"uuid_setvar_multi {leg} {values}")
    # The tone begins with the first sound that is sent to the phone, which is the caller's.
    return (Api(f"uuid_displace {leg} start {PUT_THROUGH_TONE} 0 mux"), tagged) if intent.tone else (tagged,)


def _not_let_go(leg: ConnectionId) -> Api:
    """Keep a leg whose partner is taken away from it first.

    uuid_dual_transfer transfers the partner, then the leg (dual_transfer_function in mod_commands.c). In between, if the
    machine is busy, the leg's own thread sees the bridge end with no transfer of its own under way, and hangs up
    (audio_bridge_on_exchange_media in switch_ivr_bridge.c), unless it is to park after a bridge.
    """
    return Api(f"uuid_setvar_multi {leg} park_after_bridge=true;park_timeout=")


def _originate(offer: intents.OfferCall, node: str) -> BgApi:
    variables = channel_variables(
        {
            "origination_uuid": offer.leg,
            tags.NODE: tags.tag(node),
            tags.INTERACTION: offer.interaction,
            tags.AGENT: tags.tag(offer.agent),
            tags.QUEUE: tags.tag(offer.queue),
            tags.RESERVATION: tags.tag(offer.reservation),
            "origination_caller_id_number": offer.calling_number,
            "origination_caller_id_name": offer.calling_name,
            "originate_timeout": str(math.ceil(offer.ring_timeout_s) + ORIGINATE_GRACE_S),
            "park_timeout": str(PARK_TIMEOUT_S + math.ceil(offer.park_s)),
            "ignore_early_media": "true",  # or a 183 would count as the answer
            # Should the leg end in the 20 to 60 ms that a bridge takes to come up, FreeSWITCH sends the caller to this
            # number of its dialplan, which hands the call over again, and hangs up without it (uuid_bridge_on_soft_execute
            # in switch_ivr_bridge.c) [live].
            "rdnis": offer.called_number,
            "hangup_after_bridge": "true",
            "max_session_transfers": str(TRANSFERS),
            "sip_h_Call-Info": AUTO_ANSWER if offer.auto_answer else "",
            **tie_headers(offer, offer.interaction),
            **_confirmed(offer),
        }
    )
    # The job carries the leg's own name: its end is the only certain word on a leg that never came to be.
    return BgApi(f"originate {variables}{dialled(offer)} {application('park')}", job_uuid=offer.leg)


def _confirmed(offer: intents.OfferCall) -> dict[str, str]:
    """What has FreeSWITCH wait for a key before an answer counts (switch_ivr_originate.c, check_per_channel_timeouts and
    collect_thread_run): until then the leg is answered, and not parked.
    """
    if not offer.confirm:
        return {}
    return {
        tags.CONFIRM: "true",
        "group_confirm_key": offer.confirm,
        "group_confirm_file": CONFIRM_TONE,
        "group_confirm_timeout": str(math.ceil(offer.ring_timeout_s) + ORIGINATE_GRACE_S),
    }


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _make_connection(call: intents.MakeConnection, node: str) -> BgApi:
    variables = channel_variables(
        {
            "origination_uuid": call.leg,
            tags.NODE: tags.tag(node),
            tags.INTERACTION: call.interaction,
            tags.OTHER: "true",
            tags.AGENT: tags.tag(call.agent or ""),
            tags.SUPERVISOR: tags.tag(call.supervisor or ""),
            "sip_h_Call-Info": AUTO_ANSWER if call.auto_answer else "",
            "origination_caller_id_number": call.calling_number,
            "origination_caller_id_name": call.calling_name,
            "originate_timeout": str(math.ceil(call.ring_timeout_s) + ORIGINATE_GRACE_S),
            "ignore_early_media": "true",
            "rdnis": "" if call.standing else call.called_number,
            **(_STAYS if call.standing else {"park_timeout": str(PARK_TIMEOUT_S + math.ceil(call.park_s))}),
            "hangup_after_bridge": "" if call.standing else "true",
            tags.STANDING: tags.tag(call.agent or "") if call.standing else "",
            "max_session_transfers": str(TRANSFERS),
            **tie_headers(call, call.interaction),
        }
    )
    return BgApi(f"originate {variables}{dialled(call)} {application('park')}", job_uuid=call.leg)
