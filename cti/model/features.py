"""Which CSTA services there are here, and which FreeSWITCH cannot do (CSTA: Get CSTA Features)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen


@frozen
class Feature:
    """One service: the method that asks for it, empty if there is none, and what limits it or why there is none."""

    method: str
    note: str = ""

    @property
    def available(self) -> bool:
        """Whether it can be asked for."""
        return bool(self.method)


FEATURES: Final[Mapping[str, Feature]] = {
    "Accept Call": Feature(
        "", "an offer is accepted by answering it: FreeSWITCH has no state between ringing and answered"
    ),
    "Alternate Call": Feature("AgentControl.alternate"),
    "Answer Call": Feature(
        "AgentControl.answer", "phones that obey NOTIFY with Event: talk; a caller's leg: Call.answer"
    ),
    "Call Back (Call-Related)": Feature(
        "AgentControl.call_back", "to agents, not to numbers: FreeSWITCH does not know when one is free"
    ),
    "Call Back Message (Call-Related)": Feature("AgentControl.call_back_message", "to agents, by events"),
    "Camp On Call": Feature(
        "AgentControl.consult", "with wait_s, on an agent who has a call or works after one; not on a number"
    ),
    "Clear Call": Feature("AgentControl.clear_call", "of any call by its id: CallCenter.hang_up"),
    "Clear Connection": Feature("AgentControl.hang_up"),
    "Conference Call": Feature("AgentControl.conference"),
    "Consultation Call": Feature("AgentControl.consult"),
    "Deflect Call": Feature("AgentControl.deflect"),
    "Dial Digits": Feature("AgentControl.dial_digits", "the centre collects them: FreeSWITCH dials whole numbers"),
    "Directed Pickup Call": Feature("AgentControl.pick_up"),
    "Generate Digits": Feature("AgentControl.send_digits"),
    "Group Pickup Call": Feature(
        "AgentControl.pick_up", "a group is declared by agents' pickup_groups, or is whoever serves a queue"
    ),
    "Hold Call": Feature("AgentControl.hold", "by parking both legs: the phone itself is not told"),
    "Intrude Call": Feature("AgentControl.intrude", "to be heard by all, after a warning tone"),
    "Join Call": Feature(
        "AgentControl.join", "heard by all, or silent; speaking to one side is a supervisor's whisper"
    ),
    "Make Call": Feature("AgentControl.make_call"),
    "Make Connection": Feature("AgentControl.make_connection"),
    "Make Predictive Call": Feature(
        "CallCenter.make_predictive_call", "without telling machines from people: mod_amd is not among the modules"
    ),
    "Park Call": Feature("AgentControl.park", "for calls that came by a queue; taken up with unpark"),
    "Reconnect Call": Feature("AgentControl.reconnect"),
    "Retrieve Call": Feature("AgentControl.retrieve"),
    "Send Message": Feature("AgentControl.send_message", "to agents, by events; to their phones during a call"),
    "Single Step Conference": Feature("AgentControl.invite", "of an agent, or a number"),
    "Single Step Transfer": Feature("AgentControl.transfer_to"),
    "Transfer Call": Feature("AgentControl.transfer"),
}
"""The call-control services of ECMA-269, by name."""
