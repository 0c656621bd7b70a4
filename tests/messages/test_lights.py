"""Message-waiting lights: what the switch is told, and when."""

from __future__ import annotations

import pytest

from cti import events
from cti.switch.event_socket import EventSocket

from .test_voicemail import box, leave


@pytest.fixture
def shown(line):
    """What the switch has been told of lights."""
    host, port = line.server.address
    told = []
    socket = EventSocket(host, port, "ClueCon", on_event=told.append, names=("MESSAGE_WAITING",))
    socket.start()
    yield lambda: [
        (e.text("MWI-Message-Account"), e.text("MWI-Messages-Waiting"), e.text("MWI-Voice-Message")) for e in told
    ]
    socket.stop()


def test_the_light_follows_the_messages_of_a_mailbox(line, shown):
    line.centre.add_queue("claims")
    box(line, queue="claims", light="1001@cti.internal")
    line.centre.on_call("5000")(lambda call: call.voicemail("claims"))
    line.centre.start()
    account = "sip:1001@cti.internal"
    line.until("it is off at first", lambda: shown() == [(account, "no", "0/0 (0/0)")])
    leave(line, 0.2)
    line.wait_for(events.MessageDelivered)
    line.until("it is on", lambda: shown()[-1] == (account, "yes", "1/0 (0/0)"))
    (record,) = line.centre.messages("claims")
    line.centre.mark_message(record.id)
    line.until("it is off", lambda: shown()[-1] == (account, "no", "0/1 (0/0)"))
    line.centre.mark_message(record.id, heard=False)
    line.until("it is on again", lambda: shown()[-1] == (account, "yes", "1/0 (0/0)"))
    line.centre.delete_message(record.id)
    line.until("it is off for good", lambda: shown()[-1] == (account, "no", "0/0 (0/0)"))


def test_two_mailboxes_share_a_light(line, shown):
    for name in ("claims", "sales"):
        box(line, name, light="1001@cti.internal")
        line.centre.on_call(f"500{len(name) % 2}")(lambda call, name=name: call.voicemail(name))
    line.centre.start()
    leave(line, 0.2, "5000")
    leave(line, 0.2, "5001")
    line.until("both are counted", lambda: shown() and shown()[-1][2] == "2/0 (0/0)")


def test_a_phone_that_asks_is_answered_and_others_are_not(line, shown):
    box(line, light="1001@cti.internal")
    line.centre.start()
    line.until("it is off at first", lambda: len(shown()) == 1)
    for account in ("sip:1002@cti.internal", "sip:1001@cti.internal"):
        line.centre.switch.send_event("MESSAGE_QUERY", {"Message-Account": account, "VM-Call-ID": "abc"})
    line.until("it is answered", lambda: len(shown()) == 2)
    assert shown()[-1][0] == "sip:1001@cti.internal"
