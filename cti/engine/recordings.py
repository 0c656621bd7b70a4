"""Recordings: which calls are recorded, segment by segment, and what becomes of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cti.engine.world import World
from cti.errors import InvalidConnection
from cti.model import events, facts, intents, services
from cti.model.connection import Connection
from cti.model.history import HistoryRecording
from cti.model.ids import ConnectionId, InteractionId
from cti.model.interaction import Interaction
from cti.model.recording import CallRecording, RecordingAction, Segment, SegmentState, chosen
from cti.model.states import InteractionState, TalkState

SEGMENT = "segment"

ANNOUNCE_S: Final = 60.0
"""How long may an announcement take? After that the call is not recorded: nobody knows whether it was heard."""
START_S: Final = 3.0
"""How long may the switch take to say that a recording has begun?"""
MOST_ASKED: Final = 2
STOP_S: Final = 5.0
"""How long may it take to say that one has ended?"""


class Recordings:
    """Records calls while their callers are with an agent.

    A segment is one agent's part of a call. It is recorded at that agent's own leg, so that it goes on while the caller is
    held, while somebody is consulted, and in a conference; it ends with the leg, or when somebody else takes the call.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.overlaid: Callable[[ConnectionId], None] = lambda _: None
        """Set by the engine: a leg is being recorded from now on."""
        self.table: dict[type, Callable[[Any], None]] = {
            services.RecordingsDefined: self._define,
            services.RecordingRequested: self._requested,
            services.RecordingChecked: self._checked,
            facts.RecordingStarted: self._started,
            facts.RecordingStopped: self._stopped,
            facts.RecordingFailed: self._failed,
            facts.Announced: self._announced,
        }

    def _define(self, fact: services.RecordingsDefined) -> None:
        self._world.recording = fact.settings

    # -- what is asked for ----------------------------------------------------------------------------------------

    def _requested(self, fact: services.RecordingRequested) -> None:
        world = self._world
        call = world.interaction(fact.interaction)
        if world.recording is None:
            raise InvalidConnection(f"call {call.id} cannot be recorded: no directory for recordings has been given")
        known = self._known(call)
        segment = world.segments.get(known.current or "")
        if fact.what is RecordingAction.START:
            if call.state is not InteractionState.ESTABLISHED:
                raise InvalidConnection(f"call {call.id} is {call.state.value}; only one with an agent can be recorded")
            known.wanted, known.paused = True, False
            self.settle(call)
        elif not known.wanted:
            raise InvalidConnection(f"call {call.id} is not recorded; {fact.what.value!r} needs a recording")
        elif fact.what is RecordingAction.STOP:
            known.wanted = False
            self._tag(call, known)
            if segment is not None:
                self._stop(segment)
        elif known.paused != (fact.what is RecordingAction.PAUSE):
            known.paused = fact.what is RecordingAction.PAUSE
            self._tag(call, known)
            if segment is None:
                self.settle(call)
                self._unmask(known)
            elif segment.state in (SegmentState.STARTING, SegmentState.RECORDING):
                world.emit(intents.PauseRecording(segment.switch, segment.leg, segment.path, known.paused))
                self._tell(events.RecordingPaused if known.paused else events.RecordingResumed, segment)

    def _unmask(self, known: CallRecording) -> None:
        """What was found paused after a restart, and has just been taken up, is not silent any more."""
        segment = self._world.segments.get(known.current or "")
        if known.masked and segment is not None:
            known.masked = False
            self._world.emit(intents.PauseRecording(segment.switch, segment.leg, segment.path, pause=False))

    def _known(self, call: Interaction) -> CallRecording:
        """What is recorded of a call; decided when it is first asked for."""
        world = self._world
        if call.recording is None:
            agent = world.agents.get(call.agent) if call.agent is not None else None
            queue = world.queues.get(call.queue) if call.queue is not None else None
            part = queue.settings.record if queue is not None else 0.0
            if agent is not None and agent.settings.record is not None:
                part = agent.settings.record
            call.recording = CallRecording(wanted=chosen(call.id, part))
        return call.recording

    def _of(self, segment: Segment) -> CallRecording | None:
        """What is recorded of the call of a segment, while it lives."""
        call = self._world.interactions.get(segment.interaction)
        return call.recording if call is not None else None

    def _is_no_longer_current(self, segment: Segment) -> None:
        known = self._of(segment)
        if known is not None and known.current == segment.path:
            known.current = None

    # -- what happens to the call ---------------------------------------------------------------------------------

    def settle(self, call: Interaction) -> None:
        """See to it that a call whose caller talks with somebody is recorded, if it is to be, at that one's leg."""
        world = self._world
        if world.recording is None or call.id not in world.interactions:
            return
        leg = self._in_charge(call)
        if leg is None:
            return
        known = self._known(call)
        segment = world.segments.get(known.current or "")
        if segment is not None and segment.leg != leg.id:
            self._stop(segment)
            segment = None
        if known.wanted and not known.paused and segment is None:
            self._begin(call, known, leg)

    def _in_charge(self, call: Interaction) -> Connection | None:
        """The leg of whom the caller talks with."""
        world = self._world
        if call.state is not InteractionState.ESTABLISHED or call.talk is TalkState.NONE:
            return None
        if call.talk is TalkState.CONFERENCE:
            agent = world.agents.get(call.agent) if call.agent is not None else None
            found = agent.connection if agent is not None else None
        else:
            pair = call.pair or ()
            found = next((each for each in pair if each != call.caller), None) if call.caller in pair else None
        leg = world.connections.get(found) if found is not None else None
        return leg if leg is not None and not leg.clearing and not leg.leaving else None

    def _begin(self, call: Interaction, known: CallRecording, leg: Connection) -> None:
        world = self._world
        assert world.recording is not None
        known.segments += 1
        path = world.recording.path(call.id, known.segments, leg.agent, call.queue)
        state = SegmentState.STARTING
        queue = world.queues.get(call.queue) if call.queue is not None else None
        prompt = queue.settings.record_announcement if queue is not None else ""
        if prompt and not known.announced:
            state = SegmentState.ANNOUNCING
        segment = Segment(
            path, call.id, known.segments, call.switch, leg.id, leg.agent, call.queue, state, started_at=world.now
        )
        world.segments[path], known.current = segment, path
        self._tag(call, known)
        if state is SegmentState.ANNOUNCING:
            world.timers.start(SEGMENT, path, ANNOUNCE_S)
            world.emit(intents.Announce(call.switch, call.caller, prompt, path))
        else:
            self._record(segment)

    def _tag(self, call: Interaction, known: CallRecording) -> None:
        """Write onto the caller's leg how far it has come, so that after a restart, without a journal, the next segment has
        a name of its own, and what was stopped or paused stays so.
        """
        if known.segments and call.caller in self._world.connections:
            how = "" if known.wanted and not known.paused else "paused" if known.wanted else "stopped"
            tags = {"cti_recorded": f"{known.segments} {how}".rstrip()}
            self._world.emit(intents.TagConnection(call.switch, call.caller, tags))

    def _record(self, segment: Segment) -> None:
        segment.state, segment.started_at = SegmentState.STARTING, self._world.now
        segment.asked += 1
        self._world.timers.start(SEGMENT, segment.path, START_S)
        self._world.emit(intents.StartRecording(segment.switch, segment.leg, segment.path))
        self.overlaid(segment.leg)

    def _stop(self, segment: Segment) -> None:
        world = self._world
        self._is_no_longer_current(segment)
        if segment.state is SegmentState.ANNOUNCING:
            self._forget(segment)
        elif segment.state is not SegmentState.STOPPING:
            segment.state = SegmentState.STOPPING
            world.emit(intents.StopRecording(segment.switch, segment.leg, segment.path))
            world.timers.start(SEGMENT, segment.path, STOP_S)

    def _forget(self, segment: Segment) -> None:
        """It is over. The call's next one is another file."""
        world = self._world
        del world.segments[segment.path]
        world.timers.cancel(SEGMENT, segment.path)
        self._is_no_longer_current(segment)

    def leg_gone(self, call: Interaction, leg: Connection) -> None:
        """A leg of a call has ended, and with it what was recorded of it; the switch says so in a moment."""
        segment = self._world.segments.get(call.recording.current or "") if call.recording is not None else None
        if segment is not None and (leg.id in (segment.leg, call.caller) or call.caller_left):
            self._stop(segment)
        if call.caller_left and call.recording is not None:
            call.recording.wanted = False  # what those whom the caller has left say is not said to the caller
        self.settle(call)  # a conference goes on with somebody else

    # -- what the switch says -------------------------------------------------------------------------------------

    def _announced(self, fact: facts.Announced) -> None:
        world = self._world
        leg = world.connections.get(fact.connection)
        call = world.interactions[leg.interaction] if leg is not None else None
        if call is None or call.recording is None or call.caller != fact.connection:
            return
        segment = world.segments.get(call.recording.current or "")
        if segment is not None and segment.state is SegmentState.ANNOUNCING:
            call.recording.announced = True
            if call.recording.paused:
                self._forget(segment)  # its number is used up; the next begins when it is resumed
            else:
                self._record(segment)

    def _started(self, fact: facts.RecordingStarted) -> None:
        segment = self._world.segments.get(fact.path)
        if segment is not None and segment.state is SegmentState.STARTING:
            segment.state, segment.started_at = SegmentState.RECORDING, self._world.now
            self._world.timers.cancel(SEGMENT, segment.path)
            self._tell(events.RecordingStarted, segment)

    def _stopped(self, fact: facts.RecordingStopped) -> None:
        segment = self._world.segments.get(fact.path)
        if segment is None or segment.state is SegmentState.ANNOUNCING:
            return
        self._ended(segment, fact.length_s)

    def _ended(self, segment: Segment, length_s: float | None) -> None:
        by_itself = segment.state is not SegmentState.STOPPING
        self._forget(segment)
        self._tell(events.RecordingEnded, segment, started_at=segment.started_at, length_s=length_s)
        if by_itself and segment.leg in self._world.connections:
            # Its leg lives, and nobody asked for it: the disk is full, say. It is not begun again and again.
            self._give_up(segment, "it ended by itself")

    def _failed(self, fact: facts.RecordingFailed) -> None:
        segment = self._world.segments.get(fact.path)
        if segment is None:
            return
        if segment.state is SegmentState.RECORDING:  # it could not be paused, and must not go on
            self._stop(segment)
        elif segment.state is not SegmentState.STOPPING:
            if segment.state is SegmentState.STARTING:  # or the same, before we were told that it began
                self._world.emit(intents.StopRecording(segment.switch, segment.leg, segment.path))
            self._forget(segment)
        self._give_up(segment, fact.why)

    def _give_up(self, segment: Segment, why: str) -> None:
        """Record no more of this call, unless somebody asks again. The call goes on."""
        known = self._of(segment)
        if known is not None:
            known.wanted = False
        self._tell(events.RecordingFailed, segment, why=why)

    def timer_fired(self, path: str) -> None:
        """The switch has not said in time what became of an announcement, a start, or an end."""
        segment = self._world.segments.get(path)
        if segment is None:
            return
        if not self._world.is_live(segment.switch):
            self._world.timers.start(SEGMENT, path, STOP_S)
        elif segment.state is SegmentState.STOPPING:
            self._ended(segment, None)
        elif segment.state is SegmentState.ANNOUNCING:
            self._forget(segment)
            self._give_up(segment, "the announcement has not come to an end")
        elif segment.asked < MOST_ASKED:
            self._record(segment)  # it does no harm while it is recorded
        else:
            # It has not refused. It does not say that it begins when this file is being recorded already, which it is if
            # our process has been killed and knows nothing of it.
            self._started(facts.RecordingStarted(segment.switch, segment.leg, path))

    def _checked(self, fact: services.RecordingChecked) -> None:
        self._world.notify(
            events.RecordingKept(
                interaction=fact.interaction,
                at=self._world.now,
                path=fact.path,
                length_s=fact.length_s,
                size=fact.size,
                sha256=fact.sha256,
                error=fact.error,
            )
        )

    def _tell(self, kind: type[events.RecordingEvent], segment: Segment, **more: Any) -> None:
        self._world.notify(
            kind(
                interaction=segment.interaction,
                at=self._world.now,
                path=segment.path,
                n=segment.n,
                agent=segment.agent,
                queue=segment.queue,
                **more,
            )
        )


def recordings_under_way(world: World) -> dict[InteractionId, list[HistoryRecording]]:
    """What is being recorded now, by interaction."""
    found: dict[InteractionId, list[HistoryRecording]] = {}
    for each in world.segments.values():
        if each.state not in {SegmentState.RECORDING, SegmentState.STOPPING}:
            continue
        found.setdefault(each.interaction, []).append(
            HistoryRecording(
                n=each.n,
                path=each.path,
                agent=each.agent,
                queue=each.queue,
                started=world.ids.unix(each.started_at),
                ended=None,
                length_s=world.now - each.started_at,
                size=0,
                sha256="",
                error="",
                held=False,
            )
        )
    return found
