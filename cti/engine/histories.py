"""Histories: after each fact, what every party to a call is doing now, as segments that leave no time out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cti.engine.world import World
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.connection import Connection, Side
from cti.model.history import (
    CallSegment,
    EndedBy,
    Ending,
    History,
    InteractionHistory,
    LeftOutRecord,
    SegmentKind,
    SegmentRecord,
)
from cti.model.ids import AgentId, ConnectionId, InteractionId
from cti.model.interaction import Interaction, InteractionKind
from cti.model.states import AgentState, ConnectionState, InteractionState, TalkState

_Party = tuple[ConnectionId, AgentId | None]

_GONE: Final = "SWITCH_SNAPSHOT"
_IN_CHARGE: Final = {
    TalkState.TALKING: SegmentKind.TALK,
    TalkState.ALTERNATED: SegmentKind.TALK,
    TalkState.HELD: SegmentKind.HOLD,
    TalkState.CALLING: SegmentKind.CONSULT,
    TalkState.CONSULTING: SegmentKind.CONSULT,
    TalkState.CONFERENCE: SegmentKind.CONFERENCE,
}
_WITH_CALLER: Final = (TalkState.TALKING, TalkState.ALTERNATED)
_CALLER: Final = {
    TalkState.TALKING: SegmentKind.TALK,
    TalkState.ALTERNATED: SegmentKind.TALK,
    TalkState.HELD: SegmentKind.HOLD,
    TalkState.CALLING: SegmentKind.HOLD,
    TalkState.CONSULTING: SegmentKind.HOLD,
    TalkState.CONFERENCE: SegmentKind.CONFERENCE,
}


class Histories:
    """Keeps the history of each interaction, from its beginning to the end of the last wrap-up.

    It watches: what each party does is read from the model after every fact, so that whatever changes a call is in its
    history, and the segments of a party follow one another without a gap.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def follow(self, fact: facts.Fact) -> Iterable[InteractionId]:
        """A fact has been handled: see what has changed in the calls that it was about; which these are."""
        world = self._world
        said = _Said(fact, world.intents)
        calls = dict.fromkeys(self._concerned(fact))
        for agent in said.of_agent:
            worked_after = self._wrap_up_over(agent, said)
            if worked_after is not None:
                calls[worked_after] = None
            known = world.agents.get(agent)
            if known is not None and known.interaction is not None:
                calls[known.interaction] = None
        for call in calls:
            self._settle(call, fact, said)
        return calls

    def _concerned(self, fact: facts.Fact) -> Iterator[InteractionId]:
        """The calls that a fact is about, by its own words and by what it made us want."""
        world = self._world
        if isinstance(fact, facts.SnapshotTaken):  # everything there may have changed
            yield from [call.id for call in world.interactions.values() if call.switch == fact.switch]
        elif isinstance(fact, facts.TimerFired):
            yield InteractionId(fact.key)
        for said in (fact, *world.intents):
            if isinstance(said, intents.Notify):
                named = getattr(said.event, "interaction", None)
                if named is not None and not isinstance(said.event, events.RecordingEvent):
                    yield named
                continue
            named = getattr(said, "interaction", None)
            if named:
                yield named
            for each in (getattr(said, "connection", None), getattr(said, "other", None)):
                leg = world.connections.get(each) if each is not None else None
                if leg is not None:
                    yield leg.interaction
        agent = world.agents.get(getattr(fact, "agent", None) or AgentId(""))
        if agent is not None and agent.interaction is not None:
            yield agent.interaction

    # -- one call -------------------------------------------------------------------------------------------------

    def _settle(self, interaction: InteractionId, fact: facts.Fact, said: _Said) -> None:
        world = self._world
        call, history = world.interactions.get(interaction), world.histories.get(interaction)
        if history is None:
            if call is None:
                return
            history = world.histories[interaction] = _begun(call)
        if history.ending is None and (call is None or call.state.is_over or call.caller_left):
            history.ending = self._ending(history, fact, said)
        elif history.ending is not None:
            self._hung_up_after_all(history.ending, said)
        over = said.over.get(interaction)
        if over is not None:
            history.queue, history.data, history.state = over.queue, over.data, over.state
        self._compare(call, history, said)
        if call is None and not history.going_on:
            del world.histories[interaction]
            world.notify(
                events.InteractionEnded(
                    interaction=interaction,
                    at=world.now,
                    agent=history.agents[-1] if history.agents else None,
                    queue=history.queue,
                    history=told(world, history),
                )
            )

    def _compare(self, call: Interaction | None, history: History, said: _Said) -> None:
        """End what is no more, begin what is new."""
        world, now = self._world, self._world.now
        doing = dict(self._doing(call)) if call is not None else {}
        for segment in list(history.going_on):
            if segment.kind is SegmentKind.WRAP_UP:
                continue
            party = (segment.connection, segment.agent)
            if party in doing:
                kind, _ = doing[party]
                promise_over = kind is None and segment.kind is SegmentKind.RINGING and segment.agent is not None
                if kind in (None, segment.kind) and not promise_over:
                    del doing[party]
                else:
                    history.end(segment, now, said.cause(history.interaction, segment.agent))
                continue
            leg = said.legs.get(segment.connection)
            if leg is not None:
                history.end(segment, now, leg.cause, leg.switch_cause)
            else:
                history.end(segment, now, said.cause(history.interaction, segment.agent))
            self._work_begins(history, segment)
        for (connection, agent), (kind, side) in doing.items():
            if kind is None or call is None:
                continue
            cause = said.cause(history.interaction, agent)
            begun = CallSegment(kind, side, connection, agent, call.queue, now, cause)
            if kind is SegmentKind.RINGING and agent is not None:
                made = world.reservations.get(call.consultation) if call.consultation is not None else None
                begun.from_agent = world.comes_from(call, asked=made is not None and made.leg == connection)
            history.begin(begun)

    def _doing(self, call: Interaction) -> Iterator[tuple[_Party, tuple[SegmentKind | None, Side]]]:
        """What each party does now; None for what it did before."""
        if call.caller not in call.connections and (call.state.is_waiting or call.is_away):  # alive without a leg
            away = SegmentKind.QUEUED if call.state.is_waiting else SegmentKind.CALLBACK
            yield (call.caller, None), (away, Side.CALLER)
        for each in sorted(call.connections):
            leg = self._world.connections.get(each)
            if leg is not None:
                kind = None if leg.clearing or call.state.is_over else self._kind(call, leg)
                yield (each, leg.agent), (kind, leg.side)
        if call.kind is InteractionKind.FAX:  # no phone rings for it
            for made in map(self._world.reservations.get, call.reservations):
                if made is not None:
                    yield (made.leg, made.agent), (SegmentKind.RINGING, Side.AGENT)
            if call.agent is not None and not call.state.is_over:
                yield (call.caller, call.agent), (SegmentKind.TALK, Side.AGENT)

    def _kind(self, call: Interaction, leg: Connection) -> SegmentKind | None:
        if leg.reservation is not None or leg.id == call.invited:
            return SegmentKind.RINGING
        if call.caller_left and call.talk is TalkState.TALKING:
            return SegmentKind.CONSULT
        if leg.id == call.caller:
            return self._caller_kind(call, leg)
        if leg.id == call.consulted:
            return SegmentKind.RINGING if call.talk is TalkState.CALLING and leg.agent is None else SegmentKind.CONSULT
        if call.talk is TalkState.CONFERENCE:
            return SegmentKind.CONFERENCE
        if call.state is InteractionState.CREATED:
            return SegmentKind.INITIATED
        if leg.agent is not None and leg.agent == call.agent and not leg.leaving:
            if call.talk in _WITH_CALLER and leg.state is ConnectionState.HOLD:
                return None  # a hold lasts until the switch says that it is over, as the figures count it
            # Without a conversation the bridge is not up yet, or it is over and the caller about to be sent on.
            return _IN_CHARGE.get(call.talk) or (None if call.onward is not None else SegmentKind.TALK)
        if leg.agent is None and call.agent is None and not leg.leaving:  # whom the call was transferred to, outside
            return _CALLER.get(call.talk)
        return None

    def _caller_kind(self, call: Interaction, leg: Connection) -> SegmentKind | None:
        match call.state:
            case InteractionState.ESTABLISHED if call.kind is InteractionKind.VOICEMAIL:
                return SegmentKind.RINGING  # whoever left a message is called by the agent who hears it
            case InteractionState.ESTABLISHED:
                return None if call.talk in _WITH_CALLER and self._is_held(call) else _CALLER.get(call.talk)
            case state if state.is_waiting:
                return SegmentKind.RINGING if call.is_away else SegmentKind.QUEUED
            case InteractionState.OFFERED:
                return SegmentKind.PARKED if call.place_kept else SegmentKind.SCRIPT
            case _:
                return SegmentKind.RINGING if leg.side is not Side.CALLER else SegmentKind.SCRIPT

    def _is_held(self, call: Interaction) -> bool:
        """Whether the agent in charge has not been heard by the caller again, after a hold."""
        agent = self._world.agents.get(call.agent) if call.agent is not None else None
        own = self._world.connections.get(agent.connection) if agent is not None and agent.connection else None
        return own is not None and own.state is ConnectionState.HOLD

    # -- work after the call --------------------------------------------------------------------------------------

    def _work_begins(self, history: History, segment: CallSegment) -> None:
        """An agent's leg is gone: if that made them work after the call, this is the call they work after."""
        world, name = self._world, segment.agent
        agent = world.agents.get(name) if name is not None else None
        if name is None or agent is None or name in world.wrapping or segment.kind is SegmentKind.RINGING:
            return
        if agent.state is AgentState.WORKING_AFTER_CALL and agent.state_since == world.now:
            world.wrapping[name] = history.interaction
            history.begin(
                CallSegment(
                    SegmentKind.WRAP_UP,
                    segment.side,
                    segment.connection,
                    name,
                    segment.queue,
                    world.now,
                    Cause.NORMAL_CLEARING,
                )
            )

    def _wrap_up_over(self, agent: AgentId, said: _Said) -> InteractionId | None:
        """If an agent has been working after a call, and does no more: which call."""
        world = self._world
        known = world.agents.get(agent)
        if agent not in world.wrapping or (known is not None and known.state is AgentState.WORKING_AFTER_CALL):
            return None
        interaction = world.wrapping.pop(agent)
        history = world.histories[interaction]
        for segment in list(history.going_on):
            if segment.kind is SegmentKind.WRAP_UP and segment.agent == agent:
                history.end(segment, world.now, said.of_agent[agent])
        return interaction

    # -- who hung up ----------------------------------------------------------------------------------------------

    def _ending(self, history: History, fact: facts.Fact, said: _Said) -> Ending:
        now = self._world.now
        leg = said.legs.get(getattr(fact, "connection", ConnectionId("")))
        match fact:
            case _ if leg is not None:
                return Ending(leg.by, leg.agent if leg.by is EndedBy.AGENT else None, leg.cause, leg.switch_cause, now)
            case services.ClearConnectionRequested(agent=agent):
                return Ending(EndedBy.AGENT, agent, Cause.NORMAL_CLEARING, "", now)
            case facts.SnapshotTaken():
                return Ending(EndedBy.SWITCH, None, Cause.SWITCHING_FUNCTION_TERMINATED, _GONE, now)
            case facts.ClearRequested():
                return Ending(EndedBy.US, None, fact.cause, "", now)
            case _:
                return Ending(EndedBy.US, None, said.cause(history.interaction, None), "", now)

    def _hung_up_after_all(self, ending: Ending, said: _Said) -> None:
        """The switch let one leg go by itself since the other's far end had hung up; the words came in this order."""
        if ending.by is not EndedBy.SWITCH or ending.cause is Cause.SWITCHING_FUNCTION_TERMINATED:
            return
        for leg in said.legs.values():
            if leg.by not in (EndedBy.SWITCH, EndedBy.US):
                ending.by, ending.agent = leg.by, leg.agent if leg.by is EndedBy.AGENT else None
                ending.cause, ending.switch_cause = leg.cause, leg.switch_cause


class _Said:
    """What the events of one fact say of causes.

    Args:
        fact: the fact.
        wanted: what it set off.
    """

    def __init__(self, fact: facts.Fact, wanted: list[intents.Intent]) -> None:
        self.of_agent: dict[AgentId, Cause] = {}
        """Whose session has changed, and why."""
        self.legs: dict[ConnectionId, events.ConnectionCleared] = {}
        """The legs that have ended."""
        self.over: dict[InteractionId, events.CallCleared] = {}
        """The interactions whose last leg has."""
        self._of_call: dict[tuple[InteractionId, AgentId | None], Cause] = {}
        self._last: dict[InteractionId, Cause] = {}
        for intent in wanted:
            event = intent.event if isinstance(intent, intents.Notify) else None
            if isinstance(event, events.CallEvent):
                self._of_call[event.interaction, event.agent] = self._last[event.interaction] = event.cause
                if isinstance(event, events.ConnectionCleared):
                    self.legs[event.connection] = event
                elif isinstance(event, events.CallCleared):
                    self.over[event.interaction] = event
            elif isinstance(event, events.AgentEvent):
                self.of_agent[event.agent] = event.cause
        self._else = getattr(fact, "cause", Cause.NORMAL)

    def cause(self, interaction: InteractionId, agent: AgentId | None) -> Cause:
        """The cause of what has happened to this call: what is said of it with this agent, or of this agent, or of it."""
        if agent is not None:
            found = self._of_call.get((interaction, agent)) or self.of_agent.get(agent)
            if found is not None:
                return found
        return self._last.get(interaction, self._else)


def _begun(call: Interaction) -> History:
    return History(
        interaction=call.id,
        switch=call.switch,
        calling_number=call.calling_number,
        calling_name=call.calling_name,
        called_number=call.called_number,
        created_at=call.created_at,
        previous=call.previous,
        kind=call.kind.value,
    )


def told(world: World, history: History) -> InteractionHistory:
    """A history in the form in which it is told and kept: the times in Unix seconds."""
    call = world.interactions.get(history.interaction)
    unix, now, ending = world.ids.unix, world.now, history.ending
    return InteractionHistory(
        interaction=history.interaction,
        previous=history.previous,
        interaction_kind=history.kind,
        switch=history.switch,
        calling_number=history.calling_number,
        calling_name=history.calling_name,
        called_number=history.called_number,
        queue=call.queue if call is not None else history.queue,
        state=call.state.value if call is not None else history.state,
        began=unix(history.created_at),
        ended=unix(ending.at) if ending is not None else None,
        ended_by=ending.by.value if ending is not None else "",
        ended_by_agent=ending.agent if ending is not None else None,
        cause=ending.cause.csta_name if ending is not None else "",
        switch_cause=ending.switch_cause if ending is not None else "",
        agents=tuple(history.agents),
        data=dict(call.data if call is not None else history.data),
        segments=tuple(
            SegmentRecord(
                kind=each.kind.value,
                side=each.side.value,
                connection=each.connection,
                agent=each.agent,
                queue=each.queue,
                began=unix(each.began_at),
                ended=unix(each.ended_at) if each.ended_at is not None else None,
                length_s=each.length_s(now),
                cause=each.cause.csta_name,
                end_cause=each.end_cause.csta_name if each.end_cause is not None else None,
                switch_cause=each.switch_cause,
                from_agent=each.from_agent,
            )
            for each in history.segments
        ),
        left_out=tuple(
            LeftOutRecord(each.kind.value, each.agent, each.times, each.length_s) for each in history.left_out
        ),
    )
