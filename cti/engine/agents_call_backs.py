"""Agents' call backs: two are called when both are free; and requests to be called, until they have talked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cti.engine.made_calls import OWN_RING_S, MadeCalls
from cti.engine.offers import Offers
from cti.engine.world import World
from cti.errors import InvalidAgentState, InvalidConnection, ResourceBusy
from cti.model import call_back, events, intents
from cti.model.agent import Agent
from cti.model.call_back import MOST_REQUESTS, MOST_WISHES, CallBackWish, CallMe
from cti.model.cause import Cause
from cti.model.ids import AgentId
from cti.model.interaction import Interaction
from cti.model.party import ToAgent
from cti.model.states import AgentState

CALL_BACK = "call back"

HELD_S: Final = OWN_RING_S + 5.0
"""How long is an agent kept free who is to be called, while the other's phone rings?"""


class AgentsCallBacks:
    """Keeps what agents want of each other.

    Args:
        world: what is known.
        made: makes the calls.
        offers: keeps those who are to be called from being offered another call.
    """

    def __init__(self, world: World, made: MadeCalls, offers: Offers) -> None:
        self._world = world
        self._offers = offers
        self._made = made
        made.in_vain = self._in_vain
        self.table: dict[type, Callable[[Any], None]] = {
            call_back.CallBackRequested: self._ask,
            call_back.CallBackCancelled: self._cancel,
            call_back.CallBackMessageRequested: self._leave_message,
            call_back.CallBackMessageCancelled: self._cancel_message,
            call_back.MessageRequested: self._send,
        }

    # -- call back when free --------------------------------------------------------------------------------------

    def _ask(self, fact: call_back.CallBackRequested) -> None:
        world = self._world
        by, to = self._two(fact.agent, fact.to)
        if by.state is AgentState.NULL:
            raise InvalidAgentState(f"agent {by.id!r} is logged off; 'call back' is not possible (possible: log on)")
        if to.state is AgentState.READY and by.state is AgentState.READY:
            raise InvalidConnection(f"agent {to.id!r} is ready; 'make call' reaches them now")
        mine = world.call_backs.get(by.id, [])
        known = self._known(by.id, to.id)
        if known is None and len(mine) >= MOST_WISHES:
            raise ResourceBusy(f"agent {by.id!r} waits for {MOST_WISHES} call backs already; take one back")
        if known is not None:
            self._drop(known)
        self._keep(CallBackWish(str(world.next_token()), by.id, to.id, world.now + fact.expires_s))
        self._tell(by.id, to.id, Cause.CALL_BACK, is_set=True)

    def _keep(self, wish: CallBackWish) -> None:
        world = self._world
        world.call_backs.setdefault(wish.by, []).append(wish)
        world.called_back.setdefault(wish.to, []).append(wish.by)
        world.timers.start(CALL_BACK, wish.id, max(0.0, wish.until - world.now))

    def _drop(self, wish: CallBackWish) -> None:
        world = self._world
        world.timers.cancel(CALL_BACK, wish.id)
        mine, theirs = world.call_backs[wish.by], world.called_back[wish.to]
        mine.remove(wish)
        theirs.remove(wish.by)
        if not mine:
            del world.call_backs[wish.by]
        if not theirs:
            del world.called_back[wish.to]

    def _known(self, by: AgentId, to: AgentId) -> CallBackWish | None:
        return next((each for each in self._world.call_backs.get(by, ()) if each.to == to), None)

    def _cancel(self, fact: call_back.CallBackCancelled) -> None:
        by, to = self._two(fact.agent, fact.to)
        known = self._known(by.id, to.id)
        if known is None:
            waits = ", ".join(sorted(each.to for each in self._world.call_backs.get(by.id, ()))) or "for none"
            raise InvalidConnection(f"agent {by.id!r} waits for no call back to {to.id!r} (waits: {waits})")
        self._over(known, Cause.CALL_CANCELLED)

    def _over(self, wish: CallBackWish, cause: Cause) -> None:
        self._drop(wish)
        self._tell(wish.by, wish.to, cause, is_set=False)

    def expired(self, wish_id: str) -> None:
        """A wish has waited for long enough."""
        for mine in self._world.call_backs.values():
            for wish in mine:
                if wish.id == wish_id:
                    self._over(wish, Cause.TIMEOUT)
                    return

    def became_ready(self, agent: Agent) -> bool:
        """An agent is ready: whether they are called now, or call now, since the other is free too."""
        world = self._world
        wishes = [*world.call_backs.get(agent.id, ())]
        wishes += [w for by in world.called_back.get(agent.id, ()) if (w := self._known(by, agent.id)) is not None]
        for wish in wishes:
            by, to = world.agents.get(wish.by), world.agents.get(wish.to)
            if by is None or to is None or by.state is not AgentState.READY or to.state is not AgentState.READY:
                continue
            if world.switch_for(by) is None:
                continue
            self._over(wish, Cause.CALL_BACK)
            call = self._made.begin(by.id, ToAgent(to.id), "", 0.0, Cause.CALL_BACK)
            call.calls_back = wish
            assert by.connection is not None
            self._offers.promise(call, to, by.connection, Cause.CALL_BACK, HELD_S)
            return True
        return False

    def _in_vain(self, call: Interaction) -> None:
        """Whom a call back was to reach is not ready any more when the other has answered: it waits on."""
        wish, call.calls_back = call.calls_back, None
        if wish is not None and wish.until > self._world.now and self._known(wish.by, wish.to) is None:
            self._keep(wish)
            self._tell(wish.by, wish.to, Cause.CALL_BACK, is_set=True)

    def left(self, agent: AgentId, *, removed: bool = False) -> None:
        """An agent has logged off: they want no call back any more; one who is removed is asked for nothing either."""
        world = self._world
        for wish in [*world.call_backs.get(agent, ())]:
            self._over(wish, Cause.CALL_CANCELLED)
        if removed:
            for by in [*world.called_back.get(agent, ())]:
                wish = self._known(by, agent)
                if wish is not None:
                    self._over(wish, Cause.CALL_CANCELLED)
            world.call_me.pop(agent, None)
            for to in [*world.call_me]:
                self._talked(to, agent, Cause.CALL_CANCELLED)

    def _tell(self, by: AgentId, to: AgentId, cause: Cause, *, is_set: bool) -> None:
        self._world.notify(events.CallBack(agent=by, at=self._world.now, cause=cause, to=to, set=is_set))

    # -- messages -------------------------------------------------------------------------------------------------

    def _leave_message(self, fact: call_back.CallBackMessageRequested) -> None:
        world = self._world
        by, to = self._two(fact.agent, fact.to)
        theirs = world.call_me.get(to.id, [])
        others = [each for each in theirs if each.by != by.id]
        if len(others) >= MOST_REQUESTS:
            raise ResourceBusy(f"agent {to.id!r} has been asked to call by {MOST_REQUESTS} agents already")
        message = CallMe(by.id, to.id, fact.text, world.now)
        world.call_me[to.id] = [*others, message]
        self._tell_message(message, Cause.CALL_BACK, is_set=True)

    def _cancel_message(self, fact: call_back.CallBackMessageCancelled) -> None:
        asked, by = self._two(fact.agent, fact.by)
        if not self._talked(asked.id, by.id, Cause.CALL_CANCELLED):
            known = ", ".join(sorted(each.by for each in self._world.call_me.get(asked.id, ()))) or "by nobody"
            raise InvalidConnection(f"agent {asked.id!r} has not been asked to call {by.id!r} (asked: {known})")

    def talked(self, call: Interaction) -> None:
        """Two hear each other: if they are agents, neither has to call the other any more."""
        if call.pair is None or not self._world.call_me:
            return
        legs = [self._world.connections.get(each) for each in call.pair]
        first, second = (leg.agent if leg is not None else None for leg in legs)
        if first is not None and second is not None:
            self._talked(first, second, Cause.NORMAL)
            self._talked(second, first, Cause.NORMAL)

    def _talked(self, to: AgentId, by: AgentId, cause: Cause) -> bool:
        """Take away the request that ``by`` has left with ``to``; whether there was one."""
        theirs = self._world.call_me.get(to, [])
        found = next((each for each in theirs if each.by == by), None)
        if found is None:
            return False
        left = [each for each in theirs if each is not found]
        if left:
            self._world.call_me[to] = left
        else:
            del self._world.call_me[to]
        self._tell_message(found, cause, is_set=False)
        return True

    def _tell_message(self, message: CallMe, cause: Cause, *, is_set: bool) -> None:
        self._world.notify(
            events.CallBackMessage(
                agent=message.to,
                at=self._world.now,
                cause=cause,
                from_agent=message.by,
                text=message.text,
                set=is_set,
            )
        )

    def _send(self, fact: call_back.MessageRequested) -> None:
        world = self._world
        by, to = self._two(fact.agent, fact.to)
        if to.state is AgentState.NULL:
            raise InvalidAgentState(
                f"agent {to.id!r} is logged off; nobody would read it (possible: call back message)"
            )
        leg = world.connections.get(to.connection) if to.connection is not None else None
        if fact.phone:
            if leg is None or leg.established_at is None or leg.via is not None or not world.is_live(leg.switch):
                raise InvalidConnection(
                    f"agent {to.id!r} is on no call of their phone's own switch; it can be sent a text during one only"
                )
            world.emit(intents.SendMessage(leg.switch, leg.id, fact.text))
        world.notify(
            events.MessageReceived(agent=to.id, at=world.now, from_agent=by.id, text=fact.text, on_phone=fact.phone)
        )

    def _two(self, first: AgentId, second: AgentId) -> tuple[Agent, Agent]:
        one, other = self._world.agent(first), self._world.agent(second)
        if one is other:
            raise InvalidConnection(f"agent {first!r} cannot ask that of themselves")
        return one, other
