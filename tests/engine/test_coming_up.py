"""While a bridge comes up, which takes FreeSWITCH 20 to 60 ms, neither of its legs is used for anything else."""

from __future__ import annotations

import pytest

from cti.engine.coming_up import HELD_S
from cti.engine.letting_go import FREE_AFTER_S
from cti.engine.media import AGAIN_S as PAIR_S
from cti.engine.offers import BRIDGE_LEASE_S
from cti.model import events, facts, intents, services
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, InteractionId
from cti.model.overflow import ToDestination
from cti.model.states import AgentState, InteractionState, TalkState

from .story import FS
from .test_standing import Desk

ANN, BOB, SUE = AgentId("ann"), AgentId("bob"), AgentId("sue")


class Centre(Desk):
    """Ann takes the calls of sales and Bob those of loans; both stay on the line."""

    def __init__(self) -> None:
        super().__init__()
        self.queue("sales", requires="sales")
        self.queue("loans", requires="loans")
        self.ann = self.stays("ann", wrap_up_s=0, skills={"sales": 1})
        self.bob = self.stays("bob", wrap_up_s=0, skills={"loans": 1})

    def moved(self) -> InteractionId:
        """A call is put through to Ann, and queued for Bob before that has come up."""
        call = self.waiting("sales")
        assert self.wanted(intents.Bridge) == [intents.Bridge(FS, self.caller_of(call), self.ann)]
        self.enqueue(call, "loans")
        assert self.state("bob") is AgentState.ALERTING
        self.holds_back()
        return call

    def holds_back(self) -> None:
        """Nothing is done to any leg of a bridge."""
        kinds = intents.Bridge | intents.StopListening | intents.Separate | intents.DivertConnection
        assert not [i for i in self.last if isinstance(i, kinds)]

    def bridges(self, call: InteractionId, leg: ConnectionId) -> None:
        """This is the bridge that is asked for now."""
        assert self.wanted(intents.Bridge) == [intents.Bridge(FS, self.caller_of(call), leg)]

    def both_talk(self, call: InteractionId) -> None:
        """Bob gets the call that was moved, and Ann is free for the next."""
        self.bridged(call, self.bob)
        assert (self.state("bob"), self.interaction(call).agent) == (AgentState.BUSY, BOB)
        assert self.interaction(call).talk is TalkState.TALKING
        assert self.state("ann") is AgentState.READY
        self.talks()


@pytest.fixture
def s() -> Centre:
    return Centre()


def test_a_call_that_is_queued_elsewhere_is_put_through_when_it_is_out_of_the_first_bridge(s):
    call = s.moved()
    s.bridged(call, s.ann)
    assert [i.connection for i in s.wanted(intents.StopListening)] == [s.ann]
    assert s.wanted(intents.Bridge) == []
    s.parks(s.ann)
    assert s.state("ann") is AgentState.READY
    assert s.wanted(intents.Bridge) == []
    s.parks(s.caller_of(call))
    s.bridges(call, s.bob)
    s.both_talk(call)
    assert s.events(events.Established)[-2].waited_s == 0
    assert [each.figures.no_answers for each in s.world.agents.values()] == [0, 0]


def test_the_first_bridge_fails(s):
    call = s.moved()
    s.bridge_failed(call, s.ann)
    s.bridges(call, s.bob)
    s.advance(FREE_AFTER_S)
    s.parks(s.ann)
    s.both_talk(call)


def test_the_first_agents_line_is_lost_meanwhile(s):
    call = s.moved()
    s.lost(s.ann, Cause.NETWORK_OUT_OF_ORDER)
    assert s.wanted(intents.Bridge) == []
    s.parks(s.caller_of(call))
    s.bridges(call, s.bob)
    s.bridged(call, s.bob)
    assert s.state("bob") is AgentState.BUSY


def test_a_word_that_is_lost_is_waited_for_for_a_second(s):
    call = s.moved()
    s.advance(HELD_S - 0.1)
    s.holds_back()
    s.advance(0.1)
    assert intents.Bridge(FS, s.caller_of(call), s.bob) in s.intents[-9:]
    s.parks(s.ann)
    s.advance(BRIDGE_LEASE_S - 0.1)  # which begins now
    assert s.state("bob") is AgentState.ALERTING
    s.both_talk(call)


def test_the_caller_hangs_up_meanwhile(s):
    call = s.moved()
    s.hang_up(call)
    assert [i.connection for i in s.wanted(intents.StopListening)] == [s.bob]
    s.advance(FREE_AFTER_S)
    assert intents.StopListening(FS, s.ann) in s.intents, "which may be stuck in the middle of it"
    for leg in (s.ann, s.bob):
        s.parks(leg)
    assert s.is_over(call)
    assert [s.state(name) for name in ("ann", "bob")] == [AgentState.READY] * 2
    s.advance(HELD_S)
    assert s.wanted(intents.Bridge) == []


def test_the_second_agent_pauses_meanwhile(s):
    """They have not heard anybody yet: the call waits for another, in its place."""
    call = s.moved()
    s.not_ready("bob")
    assert [i.connection for i in s.wanted(intents.StopListening)] == [s.bob]
    s.parks(s.bob)
    assert s.state("bob") is AgentState.NOT_READY
    assert s.interaction(call).state is InteractionState.QUEUED
    s.bridged(call, s.ann)
    s.parks(s.ann)
    s.parks(s.caller_of(call))
    s.advance(HELD_S)
    assert s.wanted(intents.Bridge) == []
    s.ready("bob")
    s.bridges(call, s.bob)
    s.both_talk(call)


def test_the_link_is_lost_meanwhile(s):
    call = s.moved()
    s.link_lost()
    s.advance(2 * HELD_S)
    assert s.wanted(intents.Bridge) == []
    standing = [_seen(s.ann, ANN), _seen(s.bob, BOB)]
    s.link_up(s.seen(s.caller_of(call)), *standing)
    s.parks(s.ann)
    s.advance(HELD_S)
    assert intents.Bridge(FS, s.caller_of(call), s.bob) in s.intents[-9:]
    s.both_talk(call)


def _seen(leg: ConnectionId, agent: AgentId) -> facts.ChannelSeen:
    from .test_standing import standing_seen

    return standing_seen(leg, agent)


def test_a_call_that_is_offered_again_to_the_same_agent(s):
    call = s.waiting("sales")
    s.enqueue(call, "sales")
    s.holds_back()
    s.bridged(call, s.ann)
    s.parks(s.ann)
    assert s.state("ann") is AgentState.ALERTING
    assert s.wanted(intents.Bridge) == []
    s.parks(s.caller_of(call))
    s.bridges(call, s.ann)
    s.bridged(call, s.ann)
    assert s.state("ann") is AgentState.BUSY


def test_an_old_word_that_the_line_is_parked_is_of_before(s):
    """A line that is told twice to hear nobody says so twice: the second time it may be on its way to somebody."""
    call = s.waiting("sales")
    s.parks(s.ann)
    s.enqueue(call, "loans")
    s.holds_back()
    s.parks(s.ann)
    assert s.state("ann") is not AgentState.READY, "it is not free, and nobody else is put through to it"
    s.parks(s.caller_of(call))
    assert s.wanted(intents.Bridge) == []
    s.bridged(call, s.ann)
    s.parks(s.ann)
    s.parks(s.caller_of(call))
    s.bridges(call, s.bob)
    s.both_talk(call)


def test_a_caller_who_is_to_leave_does_so_out_of_the_bridge(s):
    call = s.waiting("sales")
    caller = s.caller_of(call)
    s.divert(call, ToDestination("7000"))
    s.holds_back()
    assert s.events(events.Diverted)[-1].destination == "7000"
    s.bridged(call, s.ann)
    assert s.wanted(intents.DivertConnection) == []
    s.parks(s.ann)
    s.parks(caller)
    assert s.wanted(intents.DivertConnection) == [intents.DivertConnection(FS, caller, "7000")]
    assert s.is_over(call)
    s.talks()
    assert not [each for each in s.timers if each.kind == "leaving"]


@pytest.mark.parametrize("how", ["fails", "never comes", "caller hangs up"])
def test_a_caller_who_is_to_leave_and_the_bridge(s, how):
    call = s.waiting("sales")
    caller = s.caller_of(call)
    s.divert(call, ToDestination("7000"))
    if how == "fails":
        s.bridge_failed(call, s.ann)
    elif how == "never comes":
        s.advance(HELD_S)
    else:
        s.cleared(caller)
    left = [i for i in s.intents if isinstance(i, intents.DivertConnection)]
    assert left == ([intents.DivertConnection(FS, caller, "7000")] if how != "caller hangs up" else [])
    s.parks(s.ann)
    assert s.is_over(call)
    assert s.state("ann") is AgentState.READY
    s.advance(HELD_S)
    assert len([i for i in s.intents if isinstance(i, intents.DivertConnection)]) == len(left)


def test_whoever_is_handed_over_is_not_handed_over_once_more_when_the_link_is_back(s):
    """What was said to the switch as the link went was lost, and the next snapshot makes a new call of the caller."""
    s.agent("eve", skills={"eve": 1})
    s.queue("eves", requires="eve")
    call = s.waiting("eves")
    caller, leg = s.caller_of(call), s.offered_leg("eve")
    s.link_lost()
    s.divert(call, ToDestination("7000"))
    s.link_up(s.seen(caller), s.seen(leg), _seen(s.ann, ANN), _seen(s.bob, BOB))
    assert len([i for i in s.intents if isinstance(i, intents.DivertConnection)]) == 1
    s.link_lost()
    s.link_up(facts.ChannelSeen(caller), s.seen(leg), _seen(s.ann, ANN), _seen(s.bob, BOB))
    assert len([i for i in s.intents if isinstance(i, intents.DivertConnection)]) == 1
    assert caller in s.world.connections


# -- phones that ring --------------------------------------------------------------------------------------------------


def test_a_phone_that_has_answered_and_a_line_for_the_same_caller(s):
    s.agent("eve", skills={"eve": 1})
    s.queue("eves", requires="eve")
    call = s.waiting("eves")
    leg = s.offered_leg("eve")
    s.established(leg)
    s.bridges(call, leg)
    s.enqueue(call, "loans")
    assert s.clears() == [leg]
    assert s.wanted(intents.Bridge) == []
    s.cleared(leg)
    assert s.wanted(intents.Bridge) == []
    s.parks(s.caller_of(call))
    s.bridges(call, s.bob)
    s.both_talk(call)


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("stands", [True, False])
def test_a_supervisor_pulls_a_call_while_it_is_put_through(s, stands, late):
    s.agent("sue", ready=False)
    if stands:
        queue, who = "sales", "ann"
    else:
        s.agent("eve", skills={"eve": 1})
        queue, who = s.queue("eves", requires="eve"), "eve"
    s.not_ready(who)
    call = s.waiting(queue)
    s.tell(services.PullRequested(SUE, call))
    (own,) = s.world.supervisions
    s.established(own)
    s.ready(who)
    leg = s.ann
    if not stands:
        leg = s.offered_leg("eve")
        s.established(leg)
    s.bridges(call, leg)
    s.parks(own)
    assert s.interaction(call).agent == SUE
    s.holds_back()
    if late:
        s.bridged(call, leg)
        assert s.wanted(intents.Bridge) == []
    if stands and not late:
        s.lost(leg, Cause.NETWORK_OUT_OF_ORDER)
    elif stands:
        s.parks(leg)
    else:
        s.cleared(leg)
    s.parks(s.caller_of(call))
    s.bridges(call, own)
    s.bridged(call, own)
    assert (s.interaction(call).agent, s.interaction(call).talk) == (SUE, TalkState.TALKING)
    assert s.state("sue") is AgentState.BUSY
    assert s.state(who) is (AgentState.NOT_READY if stands and not late else AgentState.READY)


def test_a_supervisor_whose_pull_meets_a_bridge_of_which_no_word_comes(s):
    s.agent("sue", ready=False)
    s.not_ready("ann")
    call = s.waiting("sales")
    s.tell(services.PullRequested(SUE, call))
    (own,) = s.world.supervisions
    s.established(own)
    s.ready("ann")
    s.parks(own)
    s.holds_back()
    s.advance(PAIR_S)
    assert intents.Bridge(FS, s.caller_of(call), own) in s.intents[-9:]
    s.bridged(call, own)
    assert s.interaction(call).talk is TalkState.TALKING
