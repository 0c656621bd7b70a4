"""Conferences as things: which there are, who is in them, and telling when that changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve

from cti.engine.world import World
from cti.model import events
from cti.model.cause import Cause
from cti.model.conference import Conference, ConferenceView, Member, Participation
from cti.model.ids import AgentId, ConnectionId, InteractionId
from cti.model.interaction import Interaction
from cti.model.states import TalkState
from cti.model.supervision import Mode, Phase

_Party = tuple[ConnectionId, str, AgentId | None, Participation]


class Conferences:
    """Keeps the conferences: after each fact those of the calls that it was about are as the calls are.

    Args:
        world: what is known.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def follow(self, calls: Iterable[InteractionId]) -> None:
        """Something may have changed in these calls."""
        for each in calls:
            call, known = self._world.interactions.get(each), self._world.conferences.get(each)
            confers = call is not None and call.talk is TalkState.CONFERENCE and not call.state.is_over
            if call is not None and confers:
                self._settle(call, known)
            elif known is not None:
                del self._world.conferences[each]
                if call is not None:  # else Call Cleared has been told, and nothing comes after it
                    self._tell(call, known, ())

    def _settle(self, call: Interaction, known: Conference | None) -> None:
        now = self._world.now
        if known is None:
            known = Conference(call.id, call.id, call.switch, call.agent, now, ())
            self._world.conferences[call.id] = known
        before = {member.connection: member for member in known.members}
        members = []
        for connection, side, agent, how in sorted(self._parties(call), key=lambda party: party[0]):
            was = before.get(connection)
            same = was is not None and (was.side, was.agent, was.participation) == (side, agent, how)
            members.append(was if was is not None and same else Member(connection, side, agent, how, now))
        if (known.owner, known.members) != (call.agent, tuple(members)):
            known.owner, known.members = call.agent, tuple(members)
            self._tell(call, known, known.members)

    def _parties(self, call: Interaction) -> Iterator[_Party]:
        world = self._world
        for each in call.connections:
            leg = world.connections.get(each)
            if leg is not None and not leg.clearing:
                rings = leg.reservation is not None or leg.id == call.invited
                yield each, leg.side.value, leg.agent, Participation.NONE if rings else Participation.ACTIVE
        for known in world.supervisions.values():
            if known.phase is Phase.LISTENING and known.target in call.connections:
                silent = known.mode is Mode.MONITOR
                yield (
                    known.leg,
                    "supervisor",
                    known.supervisor,
                    Participation.SILENT if silent else Participation.ACTIVE,
                )

    def _tell(self, call: Interaction, conference: Conference, members: tuple[Member, ...]) -> None:
        unix = self._world.ids.unix
        self._world.tell(
            events.ConferenceChanged,
            call,
            Cause.CONFERENCE,
            conference=conference.id,
            owner=conference.owner,
            since=unix(conference.since),
            members=tuple(evolve(member, since=unix(member.since)) for member in members),
        )


def conferences_view(world: World) -> tuple[ConferenceView, ...]:
    """The conferences as they are now, the oldest first."""
    unix = world.ids.unix
    return tuple(
        ConferenceView(
            known.id,
            known.interaction,
            world.interactions[known.interaction].queue,
            known.owner,
            unix(known.since),
            tuple(evolve(member, since=unix(member.since)) for member in known.members),
        )
        for known in sorted(world.conferences.values(), key=lambda known: (known.since, known.id))
        if known.interaction in world.interactions
    )
