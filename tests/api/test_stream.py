"""Whatever is lost on the way, who follows the rules knows the truth in the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cti.client import Event
from cti.client.stream import Stream
from cti.client.subscriber import Ledger


def snapshot(epoch, seq):
    return {
        "epoch": epoch,
        "seq": seq,
        "at": 0.0,
        "queues": [],
        "agents": [],
        "links": {},
        "calls": seq,
        "talking": 0,
    }


@given(st.lists(st.sampled_from(["event", "lost", "quiet", "answer", "restart"]), max_size=60))
def test_a_stream_is_never_wrong_for_longer_than_a_heartbeat(steps):
    """A model: what is known is the number of the last event; the server's truth is the same number."""
    stream, known = Stream(), (None, 0)
    epoch, seq, sent = 0, 0, 0
    stream.resync()

    def given_(items):
        nonlocal known
        for item in items:
            known = (known[0], item.seq) if isinstance(item, Event) else (item.epoch, item.seq)

    for step in [*steps, "pulse", "answer", "answer"]:
        if step == "event":
            seq += 1
            given_(stream.event({"epoch": str(epoch), "seq": seq, "prev": sent, "event": {"kind": "x"}}))
            sent = seq
        elif step == "lost":
            seq += 1
            sent = seq
        elif step == "quiet":
            seq += 1  # about something that was not subscribed
        elif step == "restart":
            epoch, seq, sent = epoch + 1, 0, 0
            stream.resync()
        elif step == "pulse":
            stream.pulse(str(epoch), sent)
        elif stream.wants_snapshot:
            stream.wants_snapshot = False
            given_(stream.snapshot(snapshot(str(epoch), seq)))
    assert known[0] == str(epoch)
    assert sent <= known[1] <= seq


@given(st.lists(st.tuples(st.sampled_from(["a.", "b."]), st.booleans()), max_size=40))
def test_a_ledger_sees_every_loss_by_the_next_beat(steps):
    ledger = Ledger()
    ledger.synced("e", 0)
    last, changed, whole, all_came = {}, {}, True, True
    for seq, (subject, comes) in enumerate(steps, 1):
        message = {"epoch": "e", "seq": seq, "prev": last.get(subject, 0)}
        last[subject] = changed[subject] = seq
        if comes:
            whole = ledger.event(subject, message) and whole
        all_came = all_came and comes
    whole = ledger.beat({"epoch": "e", "seq": len(steps), "prev": 0, "beat": changed}, ["a.", "b."]) and whole
    assert whole == all_came


def test_a_ledger_starts_anew_with_an_epoch():
    ledger = Ledger()
    ledger.synced("one", 40)
    assert not ledger.event("a.", {"epoch": "two", "seq": 1, "prev": 0})
    ledger.synced("two", 3)
    assert ledger.event("a.", {"epoch": "two", "seq": 5, "prev": 3})
    assert not ledger.event("b.", {"epoch": "two", "seq": 6, "prev": 4})
    assert ledger.is_old({"epoch": "two", "seq": 3})
