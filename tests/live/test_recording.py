"""Recordings on a real FreeSWITCH: the files are there, and hold what was said and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from cti import CallCenter, ToAgent, events
from cti.recordings import Recordings

from .audio import RATE_HZ, read_stereo, tone_share, write_pcmu_tone
from .freeswitch_process import FreeSwitchProcess
from .test_call_control import ANN_HZ, BOB_HZ, CALLER_HZ, Desk

pytestmark = pytest.mark.live

SUE_HZ = 1700


class Studio(Desk):
    """As a Desk, with recordings in a directory of the test's own; Sue may whisper."""

    def __init__(self, centre: CallCenter, workdir: Path, recordings: Recordings) -> None:
        super().__init__(centre, workdir)
        self.recordings = recordings
        centre.subscribe(self.said.append, events.RecordingEvent, events.RecordingKept, events.Supervised)

    def kept(self, many: int) -> list[Any]:
        return self.until(
            f"{many} are kept",
            lambda: len(self.of(events.RecordingKept)) == many and self.recordings.index.of(self.call),
        )


MakeStudio = Callable[..., Studio]


@pytest.fixture
def studio(switch: FreeSwitchProcess, start_agents: Any, start_callers: Any, tmp_path: Path) -> Iterator[MakeStudio]:
    centres: list[CallCenter] = []
    phones: dict[str, Any] = {}

    def make(directory: str = str(tmp_path / "kept"), *, after: Studio | None = None, **queue: Any) -> Studio:
        """A centre with a call; or, ``after`` another one has stopped, one that finds its call."""
        recordings = Recordings(directory, index=tmp_path / "index" / "recordings.sqlite3")
        centre = CallCenter(switch.address, switch.password, recordings=recordings)
        centres.append(centre)
        centre.add_queue("claims", requires="claims", music="tone_stream://%(1000,0,250);loops=-1", **queue)
        centre.add_queue("loans", requires="loans")
        for name, hz, skill in (("ann", ANN_HZ, "claims"), ("bob", BOB_HZ, "loans"), ("sue", SUE_HZ, "none")):
            if name not in phones:
                tone = write_pcmu_tone(tmp_path / f"{name}.pcmu", hz, level=0.2)
                phones[name] = start_agents(ring_s=0.05, talk_s=90, tone=tone)
            agent = centre.add_agent(name, phones[name].contact(name), skills={skill: 1})
            agent.log_on(ready=name != "sue")
        centre.on_call("5*")(lambda call: call.queue("claims"))
        made = Studio(centre, tmp_path, recordings)
        centre.start()
        if after is not None:
            made.call, made.caller = after.call, after.caller
            return made
        start_callers("5000", hold_s=60, tone=write_pcmu_tone(tmp_path / "caller.pcmu", CALLER_HZ, level=0.2))
        made.begin()
        return made

    try:
        yield make
    finally:
        for centre in centres:
            centre.stop()


def share(samples: list[int], hz: int) -> float:
    """The greatest share of a tone in any half second."""
    half = RATE_HZ // 2
    return max(tone_share(samples[at : at + half], hz) for at in range(0, max(1, len(samples) - half), half))


def silent_s(samples: list[int]) -> float:
    """The longest silence, in seconds."""
    longest = run = 0
    for sample in samples:
        run = run + 1 if sample == 0 else 0
        longest = max(longest, run)
    return longest / RATE_HZ


def test_a_call_is_recorded_in_stereo_through_hold_and_transfer_as_two_linked_segments(studio):
    made = studio(record="always")
    began = made.wait_for(events.RecordingStarted)
    gevent.sleep(1)
    (under_way,) = made.centre.interaction(made.call).recordings
    assert (under_way.path, under_way.agent, under_way.ended) == (began.path, "ann", None)
    made.ann.hold()
    made.until("they are apart", lambda: made.pair() == set())
    gevent.sleep(1)
    made.ann.retrieve()
    made.until_pair("ann", "caller")
    gevent.sleep(1)
    made.ann.consult(ToAgent("bob"))
    made.until_pair("ann", "bob")
    gevent.sleep(1)
    made.ann.transfer()
    made.until_pair("bob", "caller")
    made.until("the second segment", lambda: len(made.of(events.RecordingStarted)) == 2)
    gevent.sleep(1.5)
    made.bob.hang_up()
    made.is_over()
    first, second = made.kept(2)
    assert [(r.interaction, r.n, r.agent, r.queue, r.error) for r in (first, second)] == [
        (made.call, 1, "ann", "claims", ""),
        (made.call, 2, "bob", "claims", ""),
    ]
    for record in (first, second):
        path = Path(record.path)
        assert (path.parent.name, path.name) == (made.call, f"{record.n}-{record.agent}.wav")
        content = path.read_bytes()
        assert (record.size, record.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert record.ended - record.started == pytest.approx(record.length_s, abs=1.0)
    left, right = read_stereo(Path(first.path))
    assert share(left, CALLER_HZ) > 0.7
    assert share(right, ANN_HZ) > 0.7
    assert share(right, CALLER_HZ) < 0.1, "the sides are not apart"
    assert share(left, ANN_HZ) < 0.1, "the sides are not apart"
    left, right = read_stereo(Path(second.path))
    assert (share(left, CALLER_HZ) > 0.7, share(right, BOB_HZ) > 0.7) == (True, True)
    assert first.length_s > 3.5


def test_what_is_said_during_a_pause_is_not_in_the_file_and_whispers_are_not(studio):
    made = studio()
    gevent.sleep(0.5)
    assert not made.of(events.RecordingStarted)
    sue = made.centre.supervisor("sue")
    sue.whisper(agent="ann")
    made.until("sue listens", lambda: made.of(events.Supervised, phase="listening"))
    made.ann.start_recording()
    made.wait_for(events.RecordingStarted)
    gevent.sleep(1)
    made.ann.pause_recording()
    gevent.sleep(2)
    made.ann.resume_recording()
    gevent.sleep(1)
    made.ann.stop_recording()
    (record,) = made.kept(1)
    assert made.pair() == {"ann", "caller"}
    left, right = read_stereo(Path(record.path))
    assert silent_s(left) > 1.6
    assert silent_s(right) > 1.6
    assert share(left, CALLER_HZ) > 0.7
    assert record.length_s > 3
    # What was whispered may be in it for the moment between the two commands.
    assert tone_share(left[len(left) * 3 // 4 :], SUE_HZ) < 0.05, "the whisper is in the recording"
    sue.end()
    made.ann.hang_up()
    made.is_over()


def test_after_a_restart_without_a_journal_it_goes_on_under_its_own_number(studio):
    first = studio(record="always")
    first.wait_for(events.RecordingStarted)
    first.ann.consult(ToAgent("bob"))
    first.until_pair("ann", "bob")
    first.ann.transfer()
    first.until("the second segment", lambda: first.of(events.RecordingStarted)[1:])
    first.until("the first is kept", lambda: first.recordings.index.of(first.call))
    first.centre.stop()
    gevent.sleep(1)
    made = studio(after=first, record="always")
    made.until_pair("bob", "caller")
    assert made.wait_for(events.RecordingStarted).n == 2
    made.bob.hang_up()
    made.is_over()
    (kept,) = made.until("it is kept", lambda: made.of(events.RecordingKept))
    one, two = made.recordings.index.of(made.call)
    assert (one.n, one.agent, two.n, two.agent, two.path) == (1, "ann", 2, "bob", kept.path)
    assert (Path(two.path).name, two.error) == ("2-bob.wav", "")
    assert two.length_s > 2
    assert sorted(path.name for path in Path(two.path).parent.iterdir()) == ["1-ann.wav", "2-bob.wav"]


def test_an_announcement_comes_before_the_recording(studio):
    made = studio(record="always", record_announcement="tone_stream://%(1500,0,2200)")
    asked_at = made.wait_for(events.Established).at
    assert made.hears(made.caller, 2200)
    assert made.wait_for(events.RecordingStarted).at - asked_at > 1.0
    gevent.sleep(1)
    made.ann.hang_up()
    made.is_over()
    (record,) = made.kept(1)
    assert record.error == ""


@pytest.mark.parametrize("directory", ["/proc/nowhere", "/dev/null"], ids=["no directory", "a file"])
def test_what_cannot_be_recorded_is_said_and_the_call_goes_on(studio, directory):
    made = studio(directory, record="always")
    assert "Cannot record" in made.wait_for(events.RecordingFailed).why
    gevent.sleep(0.5)
    assert made.pair() == {"ann", "caller"}
    assert made.hears(made.caller, ANN_HZ)
    made.ann.hang_up()
    made.is_over()
    assert not made.of(events.RecordingEnded)
