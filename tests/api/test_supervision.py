"""Supervision by requests: what a supervisor's key may do, and that each verb of the library is one of the API."""

from __future__ import annotations

import inspect

import pytest

from cti import ToAgent, ToQueue, errors
from cti.api import METHODS
from cti.api.dispatch import invoke
from cti.api.grant import Grant, Role
from cti.api.refusal import NotPermitted
from cti.api.service import Service
from cti.client import Client
from cti.client.supervisor import SupervisorAtCentre
from cti.supervisor_control import SupervisorControl

from .wire import served, until


def test_every_verb_of_the_library_is_a_request_and_a_verb_of_the_client():
    verbs = {name for name, _ in inspect.getmembers(SupervisorControl, inspect.isfunction) if name[0] != "_"}
    assert verbs == {name.removeprefix("supervisor.") for name in METHODS if name.startswith("supervisor.")}
    for verb in verbs:
        ours, theirs = (inspect.signature(getattr(kind, verb)) for kind in (SupervisorControl, SupervisorAtCentre))
        assert ours == theirs, verb
        assert Role.AGENT not in METHODS[f"supervisor.{verb}"].roles


@pytest.fixture
def floor():
    with served() as one, Client(one.server.address) as client:
        one.bench.agent("alice", skills={"claims": 5})
        one.bench.agent("sue")
        one.centre.agent("sue").not_ready()
        yield one, client


def test_listening_changing_and_taking_over(floor):
    one, client = floor
    call = one.call()
    until(lambda: one.centre.agent("alice").view.state.value == "busy", "alice talks")
    sue = client.supervisor("sue")
    supervisions = one.centre._loop.engine.world.supervisions
    sue.monitor(agent="alice")
    until(lambda: [s.phase.value for s in supervisions.values()] == ["listening"], "sue listens")
    sue.whisper()
    until(
        lambda: [(s.mode.value, s.phase.value) for s in supervisions.values()] == [("whisper", "listening")], "whispers"
    )
    sue.take_over()
    until(lambda: one.centre.agent("sue").view.state.value == "busy", "sue has the call")
    client.agent("sue").hang_up()
    until(lambda: not one.centre._loop.engine.world.interactions, "it is over")
    with pytest.raises(errors.InvalidConnection, match="supervises nobody"):
        sue.end()
    assert call is not None


def test_states_are_forced_and_calls_pushed(floor):
    _, client = floor
    sue = client.supervisor("sue")
    sue.force_not_ready("alice")
    assert (client.agent("alice").view.state, client.agent("alice").view.reason) == ("not ready", "SUPERVISOR")
    sue.force_ready("alice")
    assert client.agent("alice").view.state == "ready"
    sue.force_log_off("alice")
    assert client.agent("alice").view.state == "null"
    with pytest.raises(errors.InvalidAgentState):
        sue.force_ready("alice")
    with pytest.raises(errors.UnknownInteraction):
        sue.push("no-such-call", ToQueue("sales"))
    with pytest.raises(errors.UnknownInteraction):
        sue.pull("no-such-call")
    with pytest.raises(errors.UnknownInteraction):
        sue.push("no-such-call", ToAgent("alice"))


@pytest.mark.parametrize(
    ("method", "params", "field"),
    [
        ("supervisor.monitor", {"watched": "bob"}, "params.watched"),
        ("supervisor.barge", {"call": "its-id"}, "params.call"),
        ("supervisor.force_log_off", {"watched": "bob"}, "params.watched"),
        ("supervisor.pull", {"call": "its-id"}, "params.call"),
        ("agent.join", {"at": "bob"}, "params.at"),
        ("agent.intrude", {"at": "bob"}, "params.at"),
    ],
)
def test_a_key_has_to_cover_whom_it_is_about(method, params, field):
    class NoCalls:
        def covered_by(self, grant: Grant, call: str) -> bool:
            return False

    asked: list[str] = []

    class NoCentre:
        def supervisor(self, agent: str) -> None:
            asked.append(agent)

        agent = supervisor

    grant = Grant("sue", Role.SUPERVISOR, agents={"sue", "alice"})
    service = Service(NoCentre(), None, NoCalls(), grant)
    with pytest.raises(NotPermitted) as refused:
        invoke(service, METHODS[method], {"agent": "sue", **params})
    assert refused.value.field == field
    assert asked == []
    alices = Service(NoCentre(), None, NoCalls(), Grant("alice", Role.AGENT, agents={"alice"}))
    with pytest.raises(NotPermitted, match="with the role agent may not"):
        invoke(alices, METHODS[method], {"agent": "alice", **params})
