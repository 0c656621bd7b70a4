"""A centre with a journal: what it did on a switch is in it, and replays."""

from __future__ import annotations

import pytest

from cti import events
from cti.errors import ConfigurationError
from cti.routing import SkillRouter
from cti.store import Journal, Replay, compare, survey
from tests.center.bench import bench


def a_call(b):
    b.centre.add_queue("sales")
    b.centre.on_call("5000")(lambda call: call.queue("sales"))
    b.centre.start()
    b.agent("ann")
    b.switch.incoming(called_number="5000", talk_s=0.05)
    b.wait_for(events.CallCleared)
    b.all_is_over()


@pytest.mark.parametrize("seed", [None, 7])
def test_a_call_through_a_centre_is_in_its_journal_and_replays(tmp_path, seed):
    with bench(journal=str(tmp_path / "journal"), seed=seed) as b:
        a_call(b)
    found = survey(tmp_path / "journal")
    assert found.sound
    assert found.segments[0].header.node == "cti"
    assert (found.facts["Offered"], found.facts["Bridged"], found.offers) == (1, 1, 1)
    report = Replay(tmp_path / "journal").run()
    assert report.same, report.first_difference
    assert report.facts == found.facts.total()
    assert report.until - report.since < 60
    done = compare(Replay(tmp_path / "journal"), lambda chance: SkillRouter("top-down", chance=chance))
    assert done.recorded.answered == done.before.answered == done.after.answered == 1


def test_a_journal_may_be_given_as_made_and_is_closed_by_stop(tmp_path):
    journal = Journal(tmp_path, segment_bytes=2_000)
    with bench(journal=journal) as b:
        a_call(b)
    assert journal.figures.segments > 1
    assert Replay(tmp_path).run().same
    Journal(tmp_path).close()  # nobody writes it any more


def test_a_journal_that_cannot_be_is_said_before_the_centre_starts(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="name a directory"), bench(journal=tmp_path / "file"):
        pass
