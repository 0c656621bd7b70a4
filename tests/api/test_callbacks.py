"""Callbacks by requests: asked for, listed, moved and cancelled, within the bounds of each key; and by the client."""

from __future__ import annotations

import pytest

from cti import CallbackSettings, Destination, errors
from cti.client import Client, RequestRefused
from cti.model import services

SETTINGS = CallbackSettings(destinations=(Destination("0*", "user/{number}"),))


@pytest.fixture
def calls_back(open_centre):
    for agent in ("alice", "bob"):
        open_centre.centre.agent(agent).not_ready()
    open_centre.centre.add_queue("claims", requires="claims", callback=SETTINGS)
    return open_centre


def test_asked_for_listed_moved_and_cancelled(calls_back, wire):
    wire.ask("subscribe", kinds=["CallEvent"])
    made = wire.ask("callback.request", queue="claims", number="030123", name="Mrs Hill", data={"policy": "12"})
    told = wire.event("CallbackMade")["event"]
    assert (told["interaction"], told["number"], told["source"]) == (made["callback"], "030123", "request")
    (listed,) = wire.ask("callback.list")["callbacks"]
    assert {key: listed[key] for key in ("callback", "queue", "number", "calling_name", "state", "position")} == {
        "callback": made["callback"],
        "queue": "claims",
        "number": "030123",
        "calling_name": "Mrs Hill",
        "state": "waiting",
        "position": 1,
    }
    wire.ask("callback.reschedule", callback=made["callback"], at=4e9, number="0404")
    (moved,) = wire.ask("callback.list", queue="claims")["callbacks"]
    assert (moved["number"], moved["state"]) == ("0404", "scheduled")
    wire.ask("callback.cancel", callback=made["callback"])
    assert wire.event("CallbackEnded")["event"]["state"] == "cancelled"
    assert wire.ask("callback.list") == {"callbacks": []}
    figures = wire.ask("queue.get", queue="claims")["figures"]
    assert (figures["callbacks"], figures["callbacks_cancelled"], figures["callbacks_pending"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"queue": "nowhere", "number": "030"}, "operation.unknown_queue", ""),
        ({"queue": "loans", "number": "030"}, "operation.configuration", ""),
        ({"queue": "claims", "number": "0900}bgapi"}, "destination.not_allowed", ""),
        ({"queue": "claims", "number": "1900"}, "destination.not_allowed", ""),
        ({"queue": "claims", "number": "030\n1"}, "operation.invalid_parameter", "params.number"),
        ({"queue": "claims", "number": 30}, "operation.invalid_parameter", "params.number"),
        ({"queue": "claims", "number": "030", "agent": "nobody"}, "operation.unknown_agent", ""),
        ({"queue": "claims", "number": "030", "at": -1.0}, "operation.configuration", ""),
        ({"queue": "claims", "number": "030", "data": [1]}, "operation.invalid_parameter", "params.data"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_changed(calls_back, wire, params, code, field):
    calls_back.centre.add_queue("loans")
    refused = wire.refused("callback.request", **params)
    assert (refused["code"], refused.get("field") or "") == (code, field)
    assert wire.ask("callback.list") == {"callbacks": []}


def test_a_second_one_to_the_same_number_is_busy(calls_back, wire):
    wire.ask("callback.request", queue="claims", number="030")
    assert wire.refused("callback.request", queue="claims", number="030")["code"] == "resource.busy"


def test_who_hung_up_is_listed(calls_back, wire):
    wire.ask("subscribe", kinds=["Queued", "Abandoned"])
    caller = calls_back.call()
    wire.event("Queued")
    caller.hang_up()
    wire.event("Abandoned")
    (one,) = wire.ask("queue.abandoned", queue="claims")["calls"]
    assert one["calling_number"]
    assert one["callback"] is None
    assert wire.ask("queue.abandoned", queue="claims", hours=0) == {"calls": []}
    assert wire.refused("queue.abandoned", queue="claims", hours=-1)["field"] == "params.hours"


def test_keys_act_within_their_bounds(locked_centre):
    centre = locked_centre.centre
    for agent in ("alice", "bob"):
        centre.agent(agent).not_ready()
    for queue in ("claims", "loans"):
        centre.add_queue(queue, requires="claims", callback=SETTINGS)
    alice, sue = locked_centre.wire("alice"), locked_centre.wire("sue")
    assert alice.refused("callback.request", queue="claims", number="030")["field"] == "params.queue"
    assert sue.refused("callback.request", queue="claims", number="030", agent="bob")["field"] == "params.agent"
    sue.ask("callback.request", queue="claims", number="030", agent="alice")
    other = centre.request_callback("loans", "040")
    assert [each["queue"] for each in sue.ask("callback.list")["callbacks"]] == ["claims"]
    assert sue.refused("callback.list", queue="loans")["field"] == "params.queue"
    assert sue.refused("callback.cancel", callback=other)["field"] == "params.callback"
    assert sue.refused("callback.reschedule", callback=other, number="050")["field"] == "params.callback"
    assert sue.refused("callback.cancel", callback="nothing")["code"] == "operation.unknown_interaction"
    assert len(centre.callbacks()) == 2


def test_the_client_has_them_too(calls_back):
    with Client(calls_back.server.address) as client:
        back = client.request_callback("claims", "030", at=4e9, name="Mrs Hill")
        (listed,) = client.callbacks("claims")
        assert (listed.callback, listed.number, listed.state, listed.tries) == (back, "030", "scheduled", ())
        client.reschedule_callback(back, number="031")
        assert [each.number for each in client.callbacks()] == ["031"]
        client.cancel_callback(back)
        with pytest.raises(errors.UnknownInteraction):
            client.cancel_callback(back)
        with pytest.raises(errors.DestinationNotAllowed):
            client.request_callback("claims", "9")
        assert client.abandoned("claims") == ()
        with pytest.raises(RequestRefused):
            client.abandoned("claims", hours=-1)


def test_rules_of_the_centre_count_where_the_queue_has_none(calls_back, wire):
    calls_back.centre.add_queue("claims", requires="claims", callback=CallbackSettings())
    assert wire.refused("callback.request", queue="claims", number="030")["code"] == "destination.not_allowed"
    calls_back.centre._loop.ask(services.DestinationsDefined((Destination("03*", "user/{number}"),)))
    wire.ask("callback.request", queue="claims", number="030")
