"""Which phones are registered, from mod_sofia's events and from what a call would meet."""

from __future__ import annotations

import pytest

from cti.errors import LinkClosed
from cti.esl import Event, Frame
from cti.model import device_facts, facts
from cti.model.ids import DeviceId, SwitchId
from cti.switch.registrations import Registrations, reachable

FS = SwitchId("fs")
ANN = DeviceId("1001")
DIAL_STRING = "{^^:sip_invite_domain=${dialed_domain}}${sofia_contact(agents/${dialed_user}@${dialed_domain})}"
HERE = "{^^:sip_invite_domain=cti.internal}sofia/agents/sip:1001@127.0.0.1:5990"
NOBODY = "{^^:sip_invite_domain=cti.internal}error/user_not_registered"
IN, OUT = device_facts.DeviceInService(FS, ANN), device_facts.DeviceOutOfService(FS, ANN)
REGISTERED = device_facts.DeviceInService(FS, ANN, registered=True)


class Bench:
    """Registrations, what they asked, and a clock that goes on when told to."""

    def __init__(self) -> None:
        self.told: list[facts.Fact] = []
        self.asked: list = []
        self.later: list = []
        self.registrations = Registrations(FS, submit=self.submit, later=self.call_later, tell=self.told.append)
        self.registrations.connected("cti.internal")

    def submit(self, command, answer):
        command.encode()
        self.asked.append((command.command, answer))

    def call_later(self, after_s, fn):
        self.later.append((after_s, fn))

    def answer(self, text):
        _, answer = self.asked.pop(0)
        answer(Frame("api/response", b"", text.encode()) if isinstance(text, str) else text)

    def look(self, found, dial_string=DIAL_STRING):
        """The two questions of one look, answered."""
        assert self.asked[0][0] == "user_data 1001@cti.internal param dial-string"
        self.answer(dial_string)
        assert self.asked[0][0] == (
            "expand echo {^^:sip_invite_domain=cti.internal}${sofia_contact(agents/1001@cti.internal)}"
        )
        self.answer(found)

    def event(self, subclass, user="1001", host="cti.internal"):
        names = ("user", "host") if subclass == "sofia::expire" else ("from-user", "from-host")
        return self.registrations.take(
            Event([("Event-Name", "CUSTOM"), ("Event-Subclass", subclass), (names[0], user), (names[1], host)])
        )

    def said(self):
        told = list(self.told)
        self.told.clear()
        return told


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def watched(bench):
    """Ann's phone is watched, and registered."""
    bench.registrations.watch(ANN)
    bench.look(HERE)
    assert bench.said() == [IN]
    return bench


def test_a_phone_is_looked_at_as_a_call_would_meet_it(bench):
    bench.registrations.watch(ANN)
    assert bench.said() == []
    bench.look(NOBODY)
    assert bench.said() == [OUT]


@pytest.mark.parametrize("dial_string", ["sofia/external/1001@192.0.2.1", "-ERR no reply\n", "a\n\nb ${x}"])
def test_one_of_which_nobody_can_say_counts_as_in_service(bench, dial_string):
    bench.registrations.watch(ANN)
    bench.answer(dial_string)
    assert (bench.said(), bench.asked) == ([IN], [])


def test_without_a_link_nothing_is_said(bench):
    bench.registrations.watch(ANN)
    bench.answer(LinkClosed("gone"))
    assert (bench.said(), bench.asked) == ([], [])


def test_leaving_and_coming_back_is_told_once_each(watched):
    assert watched.event("sofia::unregister")
    watched.look(NOBODY)
    assert watched.said() == [OUT]
    assert watched.event("sofia::register")
    assert watched.event("sofia::register")  # it does so every few minutes
    assert (watched.said(), watched.asked) == ([REGISTERED], [])


def test_the_first_registration_is_told_of_one_that_was_found_to_be_there(watched):
    """Of several switches that one counts at which it has registered last."""
    watched.event("sofia::register")
    watched.event("sofia::register")
    assert (watched.said(), watched.asked) == ([REGISTERED], [])
    watched.registrations.lost()
    watched.registrations.watch(ANN)
    watched.look(HERE)
    assert watched.said() == [IN]
    watched.event("sofia::register")
    assert watched.said() == [REGISTERED]


def test_the_event_of_an_expiry_comes_before_the_registration_is_gone(watched):
    watched.event("sofia::expire")
    watched.look(HERE)
    assert watched.said() == []
    after_s, again = watched.later.pop()
    assert after_s <= 2
    again()
    watched.look(NOBODY)
    assert (watched.said(), watched.later) == ([OUT], [])


def test_one_of_two_registrations_that_ends_changes_nothing(watched):
    watched.event("sofia::unregister")
    for _ in range(3):
        watched.look(HERE)
        while watched.later:
            watched.later.pop()[1]()
    assert (watched.said(), watched.asked, watched.later) == ([], [], [])


def test_a_registration_that_comes_while_we_look_is_newer_than_what_we_find(watched):
    watched.event("sofia::unregister")
    watched.event("sofia::register")
    watched.answer(DIAL_STRING)
    assert (watched.said(), watched.asked) == ([REGISTERED], [])


def test_of_several_looks_the_last_counts(watched):
    watched.event("sofia::unregister")
    watched.event("sofia::unregister")
    watched.answer(DIAL_STRING)
    watched.look(NOBODY)
    assert watched.said() == [OUT]


def test_the_same_user_of_another_domain_is_looked_at(watched):
    watched.event("sofia::unregister")
    watched.look(NOBODY)
    assert watched.said() == [OUT]
    watched.event("sofia::register", host="elsewhere.example")
    watched.look(NOBODY)
    assert watched.said() == []


def test_everybody_elses_phone_costs_nothing(watched):
    for subclass in ("sofia::register", "sofia::unregister", "sofia::expire"):
        assert not watched.event(subclass, user="1002")
    watched.registrations.unwatch(ANN)
    assert not watched.event("sofia::unregister")
    assert (watched.said(), watched.asked) == ([], [])


def test_what_a_call_met_counts(watched):
    watched.registrations.refused(ANN)
    assert watched.said() == [OUT]
    watched.event("sofia::register")
    assert watched.said() == [REGISTERED]


def test_after_a_lost_link_it_is_told_anew(watched):
    watched.registrations.lost()
    watched.registrations.refused(ANN)
    assert not watched.event("sofia::unregister")
    watched.registrations.connected("-ERR no reply\n")
    watched.registrations.watch(DeviceId("1001@cti.internal"))
    watched.look(NOBODY)
    assert watched.said() == [device_facts.DeviceOutOfService(FS, DeviceId("1001@cti.internal"))]


@pytest.mark.parametrize(
    ("dial_string", "can"),
    [
        (HERE, True),
        (NOBODY, False),
        ("error/user_not_registered,error/user_not_registered", False),
        ("{presence_id=1001@a}error/user_not_registered,verto.rtc/u:1001@a", True),
        ("error/user_not_registered|sofia/gateway/mobile/138", True),
        ("{a=x,b=y}[c=1,d=2]error/user_not_registered", False),
        ("error/user_not_registered:_:sofia/agents/sip:1", True),
        ("", False),
        ("-ERR expand Command not found!\n", True),
    ],
)
def test_what_can_be_rung(dial_string, can):
    assert reachable(dial_string) is can
