"""Queues by the API: every setting that the daemon's file has, read to the same values, and changed one by one."""

from __future__ import annotations

import tomllib

import pytest
from attrs import fields

from cti.api.queue_params import QueueParams
from cti.client import Client
from cti.config import read_configuration
from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.model.queue import QueueSettings

from .wire import Served

TOML = """
requires = "claims >= 3"
priority = 2
priority_per_minute = 0.5
strategy = "longest-idle"
max_wait_s = 90
max_expected_wait_s = 300
max_waiting = 10
overflow_unstaffed = true
overflow = { queue = "loans" }
overflows = { expected_wait = { destination = "9000" }, length = { mailbox = "claims" }, wait = { voicemail = "500@office" }, unstaffed = { fax = "claims" } }
after_call = { script = "survey" }
conference_ends_with_caller = true
personal = { agent = "alice", wait_s = 30, by_presence = { leave = { agent = "bob" }, away = 10, mobile = { destination = "139" } } }
route_script = "decide"
route_deadline_s = 0.5
ring_timeout_s = 15
wrap_up_s = 20
music = "local_stream://moh"
service_level_s = 25
service_level_target = 0.8
borrows = { lenders = ["loans"], below = 0.5 }
short_abandon_s = 3
keep_place_s = 120
record = 0.5
record_announcement = "recorded.wav"
predictive = { message = "nobody.wav", abandon_cap = 0.02, alone_s = 1 }
widening = [{ after_s = 30, requires = "claims" }, { after_s = 60, also = ["loans"] }]
[waiting]
greeting = ["hello.wav"]
position = ["you-are.wav", { say = "position", kind = "persons" }]
messages = [["one.wav", "two.wav"], ["three.wav"]]
music = ["a.wav", "b.wav"]
offers = { "1" = { script = "callback" }, "2" = { queue = "loans" } }
offer_prompt = ["press-one.wav"]
offer_expected_wait_s = 120
language = "de"
[callback]
first = "customer"
destinations = { "1*" = "sofia/gateway/out/{number}", "0*" = "sofia/gateway/two/{number}" }
tries = 2
hours = "mon-fri 09:00-18:00"
time_zone = "Europe/Berlin"
closed = ["2026-12-24"]
rejoin = false
prompts = { number = ["number.wav"], goodbye = ["bye.wav"] }
"""


@pytest.fixture
def settings():
    return tomllib.loads(TOML)


def with_loans(wire):
    wire.ask("queue.add", queue="loans")
    return wire


def by_the_file(directory) -> QueueSettings:
    def within(name):
        return TOML.replace("[waiting]", f"[queue.{name}.waiting]").replace("[callback]", f"[queue.{name}.callback]")

    (directory / "centre.toml").write_text(
        "[switch]\npassword = 'x'\n[queue.loans]\n[agent.alice]\ncontact = 'a'\n[agent.bob]\ncontact = 'b'\n"
        "[scripts]\nsurvey = 'm:f'\n[route_scripts]\ndecide = 'm:f'\n[messages]\ndirectory = '/m'\n[mailbox.claims]\n"
        f"[queue.claims]\n{within('claims')}"
    )
    return read_configuration(directory / "centre.toml").queues[QueueId("claims")]


def test_the_api_takes_every_setting_there_is():
    of_api = {one.name for one in fields(QueueParams)} - {"queue"}
    assert of_api == {one.name for one in fields(QueueSettings)} - {"id"}


def test_the_same_settings_by_the_api_are_the_same_queue(open_centre: Served, wire, settings, tmp_path):
    assert settings.keys() == {one.name for one in fields(QueueParams)} - {"queue"}, "nothing is left out here"
    with_loans(wire).ask("queue.add", queue="claims", **settings)
    assert open_centre.centre.queue_settings("claims") == by_the_file(tmp_path)


def test_a_change_leaves_the_rest(open_centre: Served, wire, settings):
    with_loans(wire).ask("queue.add", queue="claims", **settings)
    before = open_centre.centre.queue_settings("claims")
    wire.ask("queue.change", queue="claims", wrap_up_s=7, callback={"tries": 5}, reset=["waiting", "priority"])
    now = open_centre.centre.queue_settings("claims")
    assert (now.wrap_up_s, now.callback.tries, now.callback.first) == (7, 5, "agent")
    assert (now.waiting, now.priority) == (None, 0)
    same = {one.name for one in fields(QueueSettings) if getattr(before, one.name) == getattr(now, one.name)}
    assert {one.name for one in fields(QueueSettings)} - same == {"wrap_up_s", "callback", "waiting", "priority"}
    assert wire.refused("queue.change", queue="claim", wrap_up_s=7)["code"] == "operation.unknown_queue"


@pytest.mark.parametrize(
    ("method", "settings", "code", "said"),
    [
        ("add", {"waiting": {"greeting": "hello.wav"}}, "operation.invalid_parameter", "params.waiting.greeting"),
        ("add", {"waiting": {"position": [3]}}, "operation.invalid_parameter", "must be text, or a map, not a whole number"),
        ("add", {"waiting": {"position": [{"say": "age"}]}}, "operation.configuration", "position"),
        ("add", {"waiting": {"offers": {"x": {"queue": "loans"}}}}, "operation.configuration", "offers has the key 'x'"),
        ("add", {"waiting": {"offers": {"1": {"queue": "gone"}}}}, "operation.unknown_queue", "gone"),
        ("add", {"callback": {"tries": 0}}, "operation.configuration", "callback: tries is 0"),
        ("add", {"callback": {"hours": "sometimes"}}, "operation.configuration", "sometimes"),
        ("add", {"callback": {"destinations": {"1*": "x"}}}, "operation.configuration", "{number}"),
        ("add", {"callback": {"prompts": {"number": [""]}}}, "operation.invalid_parameter", "params.callback.prompts"),
        ("add", {"predictive": {"abandon_cap": 0.1}}, "operation.invalid_parameter", "params.predictive.message"),
        ("add", {"predictive": {"message": "a.wav", "alone_s": 9}}, "operation.invalid_parameter", "alone_s is 9"),
        ("add", {"keep_place_s": -1}, "operation.configuration", "keep_place_s is -1"),
        ("add", {"overflow": {"queue": "a", "script": "b"}}, "operation.configuration", "not queue and script"),
        ("add", {"overflows": {"noon": {}}}, "operation.configuration", "overflows has 'noon'"),
        ("add", {"personal": {}}, "operation.configuration", "give agent, or last_agent"),
        ("add", {"personal": {"last_agent": True, "by_presence": {"away": {}}}}, "operation.configuration", "away: give"),
        ("add", {"personal": {"last_agent": True, "by_presence": {"away": "x"}}}, "operation.invalid_parameter", "away"),
        ("add", {"record": [1]}, "operation.invalid_parameter", "must be text or a number, not a list"),
        ("add", {"record": "often"}, "operation.configuration", "record"),
        ("add", {"borrows": {"lenders": []}}, "operation.invalid_parameter", "params.borrows"),
        ("change", {"reset": ["wrapup"]}, "operation.configuration", "there is no setting 'wrapup'"),
        ("change", {"reset": ["wrap_up_s"], "wrap_up_s": 3}, "operation.configuration", "wrap_up_s is given too"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_and_changes_nothing(open_centre: Served, wire, method, settings, code, said):  # noqa: PLR0917
    before = open_centre.centre.queue_settings("claims")
    error = wire.refused(f"queue.{method}", queue="claims", **settings)
    assert error["code"] == code, error
    assert said in f"{error['field']} {error['message']}", error
    assert open_centre.centre.queue_settings("claims") == before


def test_by_the_client(open_centre: Served):
    with Client(open_centre.server.address) as client:
        client.add_queue("claims", requires="claims", callback={"tries": 2}, wrap_up_s=5)
        client.change_queue("claims", keep_place_s=60, reset=["wrap_up_s"])
        with pytest.raises(ConfigurationError, match="keep_place_s"):
            client.change_queue("claims", keep_place_s=-1)
    now = open_centre.centre.queue_settings("claims")
    assert (now.callback.tries, now.keep_place_s, now.wrap_up_s) == (2, 60, 0)
