"""What an offer that came to nothing means for its agent."""

from __future__ import annotations

from typing import Final

from cti.engine.desk import Desk
from cti.model import reason
from cti.model.agent import Agent
from cti.model.cause import Cause
from cti.model.reservation import Reservation
from cti.model.states import AgentState, AgentTrigger, ReservationState, ReservationTrigger

_OFFERED: Final = (AgentState.RESERVED, AgentState.ALERTING)
NETWORK: Final = frozenset(
    {Cause.DEST_OUT_OF_ORDER, Cause.NETWORK_OUT_OF_ORDER, Cause.NETWORK_CONGESTION, Cause.RESOURCES_NOT_AVAILABLE}
)
"""The switch or the network, not the agent."""


def trigger_of(made: Reservation, cause: Cause) -> ReservationTrigger:
    """What the end of an agent's leg, before the bridge, means for their promise."""
    if cause in NETWORK or cause in (Cause.DEST_NOT_OBTAINABLE, Cause.SWITCHING_FUNCTION_TERMINATED):
        return ReservationTrigger.FAIL
    if made.state is ReservationState.ACCEPTED:
        return ReservationTrigger.REJECT  # answered and hung up before the caller was there (race 4)
    if cause in (Cause.CALL_NOT_ANSWERED, Cause.ALERT_TIME_EXPIRED):
        return ReservationTrigger.TIME_OUT
    return ReservationTrigger.REJECT


def blame(desk: Desk, agent: Agent, made: Reservation, cause: Cause) -> None:
    """Free an agent whose offer came to nothing: ready at once, or after a pause, or not ready, by whose fault it was."""
    settings = agent.settings
    if agent.pending is not None and agent.state in _OFFERED:
        desk.release(agent, cause)
    elif made.state is ReservationState.TIMED_OUT:
        agent.no_answers += 1
        if agent.no_answers >= settings.no_answers_allowed:
            agent.no_answers = 0
            if agent.state in _OFFERED:
                desk.apply(agent, AgentTrigger.NOT_READY, cause, reason.RNA)
        else:
            desk.pause(agent, reason.RNA, settings.no_answer_delay_s, cause)
    elif made.state is ReservationState.REJECTED and cause is Cause.BUSY:
        desk.pause(agent, reason.BUSY, settings.busy_delay_s, cause)
    elif made.state is ReservationState.REJECTED:
        desk.pause(agent, reason.REJECTED, settings.reject_delay_s, cause)
    elif made.state is ReservationState.FAILED and cause is Cause.DEST_NOT_OBTAINABLE:
        desk.pause(agent, reason.PHONE_DOWN, settings.phone_down_delay_s, cause)
    elif made.state is ReservationState.FAILED and cause in NETWORK:
        desk.pause(agent, reason.CONN_DOWN, settings.phone_down_delay_s, cause)
    else:
        desk.apply(agent, AgentTrigger.RELEASE, cause)
