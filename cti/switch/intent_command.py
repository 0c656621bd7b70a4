"""Intents as FreeSWITCH's commands. Pure: an intent in, a command out."""

from __future__ import annotations

import math
import re
from typing import Final

from cti.errors import LocalProtocolError
from cti.esl import Api, BgApi, Execute, application, channel_variables
from cti.model import intents
from cti.switch import tags
from cti.switch.causes import hangup_cause_of

ORIGINATE_GRACE_S: Final = 5
"""FreeSWITCH's own ring timer is only a belt behind ours: its whole-second clock may fire up to 1 s early [live]."""
PARK_TIMEOUT_S: Final = 20
"""An agent who answered and is never bridged (we died) is let go by FreeSWITCH after so long."""

_DESTINATION: Final = re.compile(r"[\w+*#.@:-]{1,128}\Z", re.ASCII)

Command = Api | BgApi | Execute


def commands_for(intent: intents.SwitchIntent, node: str) -> tuple[Command, ...]:
    """The commands that carry out an intent, in order; the reply to the last one counts.

    Raises:
        LocalProtocolError: it cannot be said safely (a destination with a space, a contact with a line break).
    """
    match intent:
        case intents.OfferCall():
            return (_originate(intent, node),)
        case intents.Bridge(connection=first, other=second):
            return (Api(f"uuid_bridge {first} {second}"),)
        case intents.AnswerConnection(connection=leg):
            return (Api(f"uuid_answer {leg}"),)
        case intents.ClearConnection(connection=leg, cause=cause):
            return (Api(f"uuid_kill {leg} {hangup_cause_of(cause)}"),)
        case intents.StartTreatment(connection=leg, music=music, replace=replace):
            play = Execute(leg, "playback", music)
            return (Api(f"uuid_break {leg} all"), play) if replace else (play,)
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
            return (Api(f"uuid_setvar_multi {leg} park_after_bridge={value};uuid_bridge_park_on_cancel={value}"),)
        case intents.TagConnection(connection=leg, tags=values):
            pairs = ";".join(f"{name}={tags.tag(value)}" for name, value in values.items())
            return (Api(f"uuid_setvar_multi {leg} {pairs}"),)
        case intents.CheckConnection(connection=leg):
            return (Api(f"uuid_exists {leg}"),)


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
            "park_timeout": str(PARK_TIMEOUT_S),
            "ignore_early_media": "true",  # or a 183 would count as the answer
            # Should the leg end in the 20 to 60 ms that a bridge takes to come up, FreeSWITCH sends the caller to this
            # number of its dialplan, which hands the call over again, and hangs up without it (uuid_bridge_on_soft_execute
            # in switch_ivr_bridge.c) [live].
            "rdnis": offer.called_number,
            "hangup_after_bridge": "true",
        }
    )
    # The job carries the leg's own name: its end is the only certain word on a leg that never came to be.
    return BgApi(f"originate {variables}{offer.contact} {application('park')}", job_uuid=offer.leg)
