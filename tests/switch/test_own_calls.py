"""Whose call a channel is that is none of ours."""

from __future__ import annotations

import json

import pytest

from cti.esl import Event
from cti.model.device_facts import OwnCallAnswered, OwnCallBegan, OwnCallEnded
from cti.model.ids import ConnectionId, DeviceId, SwitchId
from cti.switch.own_calls import OwnCalls
from cti.switch.snapshot import dumped

FS = SwitchId("fs")
ANN = DeviceId("1001")
LEG = ConnectionId("leg")
CALLS = {
    "Call-Direction": "inbound",
    "variable_sip_authorized": "true",
    "variable_user_name": "1001",
    "variable_domain_name": "cti.internal",
    "Caller-Destination-Number": "0301234",
    "Caller-Caller-ID-Number": "1001",
}
CALLED = {
    "Call-Direction": "outbound",
    "variable_dialed_user": "1001",
    "variable_dialed_domain": "cti.internal",
    "Caller-Destination-Number": "1001",
    "Caller-Caller-ID-Number": "0305678",
}


@pytest.fixture
def own():
    return OwnCalls(FS, "cti", lambda user: [ANN] if user == ("1001", "cti.internal") else [])


def event(name, **headers):
    return Event([("Event-Name", name), ("Unique-ID", LEG), *headers.items()])


def test_a_call_that_a_user_makes(own):
    assert own.facts(event("CHANNEL_CREATE", **CALLS)) == [OwnCallBegan(FS, ANN, LEG, False, "0301234", False)]
    assert own.facts(event("CHANNEL_ANSWER")) == [OwnCallAnswered(FS, ANN, LEG)]
    assert own.of(ANN, ("1001", "cti.internal")) == [OwnCallBegan(FS, ANN, LEG, False, "0301234", True)]
    # By then the dialplan may have handed it to us: it is still the phone's call.
    assert own.facts(event("CHANNEL_HANGUP", variable_cti_node="cti")) == [OwnCallEnded(FS, ANN, LEG)]
    assert own.facts(event("CHANNEL_HANGUP")) == []


def test_a_call_that_a_user_gets(own):
    assert own.facts(event("CHANNEL_CREATE", **CALLED)) == [OwnCallBegan(FS, ANN, LEG, True, "0305678", False)]


@pytest.mark.parametrize(
    "headers",
    [
        CALLS | {"variable_sip_authorized": "false"},  # anybody may write what they like into From
        CALLS | {"variable_user_name": "1002"},
        CALLS | {"variable_domain_name": "elsewhere"},
        CALLS | {"variable_cti_node": "cti"},
        CALLED | {"variable_cti_node": "cti"},  # the offer of a call
        CALLED | {"Call-Direction": "inbound"},  # the caller's leg of a bridge to the user has these too
        {"Call-Direction": "inbound"},
        {"Call-Direction": "outbound"},
        {},
    ],
)
def test_everybody_elses(own, headers):
    assert own.facts(event("CHANNEL_CREATE", **headers)) == []
    assert own.facts(event("CHANNEL_ANSWER", **headers)) == []
    assert own.facts(event("CHANNEL_HANGUP", **headers)) == []


def test_a_snapshot_and_what_ended_while_it_was_taken(own):
    own.facts(event("CHANNEL_CREATE", **CALLS))
    own.snapshotting()
    gone = {**CALLED, "Unique-ID": "gone", "Channel-State": "CS_EXECUTE"}
    here = {**CALLED, "Unique-ID": "here", "Channel-State": "CS_EXECUTE", "Answer-State": "answered"}
    over = {**CALLED, "Unique-ID": "over", "Channel-State": "CS_HANGUP"}
    own.facts(Event([("Event-Name", "CHANNEL_HANGUP"), ("Unique-ID", "gone")]))
    seen = own.seen(dumped([json.dumps(each) for each in (gone, here, over)] + ["-ERR No such channel!\n", "[]"]))
    assert seen == (OwnCallBegan(FS, ANN, ConnectionId("here"), True, "0305678", True),)
    own.lost()
    assert own.of(ANN, ("1001", "cti.internal")) == []
