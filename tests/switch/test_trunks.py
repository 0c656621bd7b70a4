"""Which gateways there are and which are in service, from mod_sofia's list and its events."""

from __future__ import annotations

import pytest

from cti.errors import LinkClosed
from cti.esl import Event, Frame
from cti.model import facts
from cti.model.ids import SwitchId, TrunkId
from cti.model.trunk_facts import TrunkSeen, TrunksListed
from cti.switch.trunks import Trunks, judged, listed

FS = SwitchId("fs")
CARRIER = TrunkId("carrier")
# As FreeSWITCH 1.11.1 writes it; the "&" of a proxy's parameter makes it no XML.
GATEWAY = """  <gateway>
    <name>{name}</name>
    <profile>callers</profile>
    <scheme>Digest</scheme>
    <realm>127.0.0.1</realm>
    <username>u</username>
    <password>no</password>
    <from>&lt;sip:u@127.0.0.1;transport=udp&gt;</from>
    <proxy>sip:127.0.0.1:6060?a=1&b=2</proxy>
    <ping>1796000000</ping>
    <state>{state}</state>
    <status>{status}</status>
    <calls-in>0</calls-in>
  </gateway>
"""


def answer(*gateways: tuple[str, str, str]) -> str:
    rows = "".join(GATEWAY.format(name=name, state=state, status=status) for name, state, status in gateways)
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<gateways>\n{rows}</gateways>\n'


class Bench:
    def __init__(self) -> None:
        self.told: list[facts.Fact] = []
        self.asked: list = []
        self.later: list = []
        self.trunks = Trunks(
            FS,
            submit=lambda command, answered: self.asked.append((command.command, answered)),
            later=lambda after_s, fn: self.later.append(fn),
            tell=self.told.append,
        )

    def look(self, text):
        [(command, answered)], self.asked = self.asked, []
        assert command == "sofia xmlstatus gateway"
        answered(Frame("api/response", b"", text.encode()) if isinstance(text, str) else text)

    def event(self, subclass="sofia::gateway_state", **headers):
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return self.trunks.take(Event([("Event-Name", "CUSTOM"), ("Event-Subclass", subclass), *named]))

    def said(self):
        told, self.told[:] = list(self.told), []
        return told


@pytest.fixture
def bench():
    made = Bench()
    made.trunks.look()
    made.look(answer(("carrier", "REGED", "UP"), ("backup", "NOREG", "UP")))
    assert made.said() == [
        TrunksListed(FS, (TrunkSeen(FS, CARRIER, True), TrunkSeen(FS, TrunkId("backup"), True))),
    ]  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("state", "status", "in_service"),
    [
        ("REGED", "UP", True),
        ("NOREG", "UP", True),
        ("UNREGED", "UP", True),  # being renewed
        ("TRYING", "UP", True),
        ("REGISTER", "DOWN", False),  # a moment later REGED, and UP
        ("TRYING", "DOWN", False),
        ("FAILED", "UP", False),  # a moment later FAIL_WAIT, and DOWN
        ("DOWN", "UP", False),  # unregistered
        ("NOREG", "DOWN", False),
        ("REGED", "DOWN", False),
    ],
)
def test_what_a_gateways_state_and_status_mean(state, status, in_service):
    assert judged(state, status)[0] is in_service


def test_the_list_is_read_though_it_is_no_xml():
    assert listed(answer(("a", "REGED", "UP"), ("b.2", "FAIL_WAIT", "DOWN"))) == [
        ("a", "REGED", "UP"),
        ("b.2", "FAIL_WAIT", "DOWN"),
    ]
    assert listed("-ERR sofia Command not found!\n") == []


def test_without_mod_sofia_nothing_is_told():
    made = Bench()
    made.trunks.look()
    made.look("-ERR sofia Command not found!\n")
    assert made.said() == []


def test_a_registration_that_fails_and_comes_back(bench):
    assert bench.event(Gateway="carrier", State="FAILED", Ping_Status="UP", Phrase="Forbidden", Status="403")
    assert bench.said() == [TrunkSeen(FS, CARRIER, False, "registration FAILED 403 Forbidden")]
    for state in ("FAIL_WAIT", "UNREGED", "TRYING", "REGISTER"):
        bench.event(Gateway="carrier", State=state, Ping_Status="DOWN")
    assert bench.said() == []
    bench.event(Gateway="carrier", State="REGED", Ping_Status="UP")
    assert bench.said() == [TrunkSeen(FS, CARRIER, True)]


def test_a_registration_that_is_renewed_is_nothing_to_tell(bench):
    for state in ("UNREGED", "TRYING", "REGISTER", "REGED"):
        bench.event(Gateway="carrier", State=state, Ping_Status="UP")
    assert bench.said() == []


def test_a_ping_that_nobody_answers(bench):
    bench.event(Gateway="backup", State="NOREG", Ping_Status="DOWN", Phrase="Request Timeout", Status="408")
    down = TrunkSeen(FS, TrunkId("backup"), False, "no answer to OPTIONS 408 Request Timeout")
    assert bench.said() == [down]
    bench.trunks.look()  # the list does not know why
    bench.look(answer(("backup", "NOREG", "DOWN")))
    assert bench.said() == [TrunksListed(FS, (down,))]


def test_the_list_is_read_again_once_when_gateways_come_and_go(bench):
    for subclass in ("sofia::gateway_add", "sofia::gateway_delete", "sofia::profile_start"):
        assert bench.event(subclass, Gateway="backup")
    [look] = bench.later
    look()
    bench.look(answer(("carrier", "FAIL_WAIT", "DOWN")))
    assert bench.said() == [
        TrunksListed(FS, (TrunkSeen(FS, CARRIER, False, "registration FAIL_WAIT"),)),
    ]  # fmt: skip


def test_what_was_asked_before_the_link_was_lost_counts_no_more(bench):
    bench.trunks.look()
    bench.trunks.lost()
    bench.look(answer(("carrier", "FAIL_WAIT", "DOWN")))
    bench.trunks.look()
    bench.look(LinkClosed("gone"))
    assert bench.said() == []


def test_other_events_are_not_about_gateways(bench):
    assert not bench.event("sofia::register", Gateway="carrier")
    assert bench.event(State="REGED", Ping_Status="UP")  # of no gateway
    assert bench.said() == []
