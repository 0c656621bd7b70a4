"""All state machines, as total tables: agent session, reservation, interaction, callback, connection, switch link,
device, standing connection (in ``standing_states``).

Read a row as "in this state, each trigger in turn leads to". ``_`` is illegal, ``I`` ignored (late or repeated),
``P`` kept as pending. The diagrams in docs/ are drawn from these tables.
"""

from __future__ import annotations

from enum import Enum

from cti.model.standing_states import STANDING
from cti.model.table import Outcome, Table

_ = Outcome.ILLEGAL
I = Outcome.IGNORE  # noqa: E741 - one letter a cell keeps the tables readable
P = Outcome.PENDING


class AgentState(Enum):
    """An agent's state (CSTA: null, not ready, ready, busy, working after call; reserved and alerting are ours)."""

    NULL = "null"
    NOT_READY = "not ready"
    READY = "ready"
    RESERVED = "reserved"
    ALERTING = "alerting"
    BUSY = "busy"
    WORKING_AFTER_CALL = "working after call"


class AgentTrigger(Enum):
    """What can happen to an agent session."""

    LOG_ON = "log on"
    LOG_OFF = "log off"
    READY = "ready"
    NOT_READY = "not ready"
    RESERVE = "reserve"
    ALERT = "alert"
    RELEASE = "release"
    ANSWER = "answer"
    CLEAR = "clear"


# fmt: off
A = AgentState
AGENT: Table[AgentState, AgentTrigger] = Table("agent session", AgentTrigger, {
    #                      log on       log off  ready    not ready    reserve     alert       release  answer  clear
    A.NULL:               (A.NOT_READY, I,       _,       _,           _,          I,          I,       _,      I),
    A.NOT_READY:          (_,           A.NULL,  A.READY, A.NOT_READY, _,          I,          I,       A.BUSY, I),
    A.READY:              (_,           A.NULL,  I,       A.NOT_READY, A.RESERVED, I,          I,       A.BUSY, I),
    A.RESERVED:           (_,           A.NULL,  I,       A.NOT_READY, _,          A.ALERTING, A.READY, A.BUSY, I),
    A.ALERTING:           (_,           A.NULL,  I,       A.NOT_READY, _,          I,          A.READY, A.BUSY, I),
    A.BUSY:               (_,           P,       P,       P,           _,          I,          I,       I,
                           A.WORKING_AFTER_CALL),
    A.WORKING_AFTER_CALL: (_,           A.NULL,  A.READY, A.NOT_READY, _,          I,          I,       A.BUSY, I),
})
# fmt: on
# "answer" outside an offer is a call found alive in a snapshot: the agent who is on it is busy, whatever we thought.


class ReservationState(Enum):
    """A promise of one agent to one interaction (Twilio TaskRouter's words)."""

    PENDING = "pending"
    OFFERING = "offering"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    REJECTED = "rejected"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    RESCINDED = "rescinded"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether the agent is no longer held by it."""
        return self not in (R.PENDING, R.OFFERING, R.ACCEPTED)


class ReservationTrigger(Enum):
    """What can happen to a reservation."""

    DELIVER = "deliver"
    ACCEPT = "accept"
    COMPLETE = "complete"
    REJECT = "reject"
    TIME_OUT = "time out"
    CANCEL = "cancel"
    RESCIND = "rescind"
    FAIL = "fail"


# fmt: off
R = ReservationState
RESERVATION: Table[ReservationState, ReservationTrigger] = Table("reservation", ReservationTrigger, {
    #             deliver     accept      complete     reject      time out     cancel       rescind      fail
    R.PENDING:   (R.OFFERING, R.ACCEPTED, R.COMPLETED, R.REJECTED, R.TIMED_OUT, R.CANCELLED, R.RESCINDED, R.FAILED),
    R.OFFERING:  (I,          R.ACCEPTED, R.COMPLETED, R.REJECTED, R.TIMED_OUT, R.CANCELLED, R.RESCINDED, R.FAILED),
    R.ACCEPTED:  (I,          I,          R.COMPLETED, R.REJECTED, R.FAILED,    R.CANCELLED, R.RESCINDED, R.FAILED),
    R.COMPLETED: (I,          I,          I,           I,          I,           I,           I,           I),
    R.REJECTED:  (I,          I,          I,           I,          I,           I,           I,           I),
    R.TIMED_OUT: (I,          I,          I,           I,          I,           I,           I,           I),
    R.CANCELLED: (I,          I,          I,           I,          I,           I,           I,           I),
    R.RESCINDED: (I,          I,          I,           I,          I,           I,           I,           I),
    R.FAILED:    (I,          I,          I,           I,          I,           I,           I,           I),
})
# fmt: on


class InteractionState(Enum):
    """Where an interaction is."""

    CREATED = "created"
    OFFERED = "offered"
    CALLBACK = "callback pending"
    QUEUED = "queued"
    ROUTING = "routing"
    DELIVERED = "delivered"
    ESTABLISHED = "established"
    DIVERTED = "diverted"
    ABANDONED = "abandoned"
    LOST = "lost"
    CLEARED = "cleared"

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for an agent: in the queue, or while one is being offered the call."""
        return self in (N.QUEUED, N.ROUTING, N.DELIVERED)

    @property
    def is_over(self) -> bool:
        """Whether nothing happens to it any more but the clearing of its connections."""
        return self in (N.DIVERTED, N.ABANDONED, N.LOST, N.CLEARED)


class InteractionTrigger(Enum):
    """What can happen to an interaction."""

    OFFER = "offer"
    QUEUE = "queue"
    ROUTE = "route"
    DELIVER = "deliver"
    ESTABLISH = "establish"
    REQUEUE = "re-queue"
    RETURN = "return"
    SUSPEND = "suspend"
    DIVERT = "divert"
    ABANDON = "abandon"
    LOSE = "lose"
    CLEAR = "clear"


# fmt: off
N = InteractionState
INTERACTION: Table[InteractionState, InteractionTrigger] = Table("interaction", InteractionTrigger, {
    #               offer      queue     route      deliver      establish      re-queue  return     suspend
    #               divert      abandon      lose    clear
    N.CREATED:     (N.OFFERED, _,        _,         _,           N.ESTABLISHED, _,        _,         N.CALLBACK,
                    _,          _,           N.LOST, N.CLEARED),
    N.OFFERED:     (I,         N.QUEUED, _,         _,           N.ESTABLISHED, I,        I,         N.CALLBACK,
                    N.DIVERTED, _,           N.LOST, N.CLEARED),
    N.CALLBACK:    (_,         N.QUEUED, _,         _,           _,             I,        _,         I,
                    _,          _,           N.LOST, N.CLEARED),
    N.QUEUED:      (I,         N.QUEUED, N.ROUTING, I,           N.ESTABLISHED, I,        N.OFFERED, N.CALLBACK,
                    N.DIVERTED, N.ABANDONED, N.LOST, N.CLEARED),
    N.ROUTING:     (I,         N.QUEUED, I,         N.DELIVERED, N.ESTABLISHED, N.QUEUED, N.OFFERED, N.CALLBACK,
                    N.DIVERTED, N.ABANDONED, N.LOST, N.CLEARED),
    N.DELIVERED:   (I,         N.QUEUED, I,         I,           N.ESTABLISHED, N.QUEUED, N.OFFERED, N.CALLBACK,
                    N.DIVERTED, N.ABANDONED, N.LOST, N.CLEARED),
    N.ESTABLISHED: (I,         N.QUEUED, _,         I,           I,             I,        N.OFFERED, _,
                    N.DIVERTED, _,           N.LOST, N.CLEARED),
    N.DIVERTED:    (I,         I,        I,         I,           I,             I,        I,         I,
                    I,          I,           I,      I),
    N.ABANDONED:   (I,         I,        I,         I,           I,             I,        I,         I,
                    I,          I,           I,      I),
    N.LOST:        (I,         I,        I,         I,           I,             I,        I,         I,
                    I,          I,           I,      I),
    N.CLEARED:     (I,         I,        I,         I,           I,             I,        I,         I,
                    I,          I,           I,      I),
})
# fmt: on


class CallbackState(Enum):
    """Where a callback is; the interaction that keeps its place is "callback pending" while it is scheduled."""

    SCHEDULED = "scheduled"
    WAITING = "waiting"
    CALLING = "calling"
    HOLDING = "holding"
    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_over(self) -> bool:
        """Whether the customer will not be called any more."""
        return self in (B.ANSWERED, B.FAILED, B.CANCELLED, B.EXPIRED)

    @property
    def is_away(self) -> bool:
        """Whether the customer is not on the line, and is still to be called or being called."""
        return self in (B.SCHEDULED, B.WAITING, B.CALLING)


class CallbackTrigger(Enum):
    """What can happen to a callback."""

    DUE = "due"
    POSTPONE = "postpone"
    CALL = "call"
    ANSWER = "answer"
    CONNECT = "connect"
    MISS = "miss"
    GIVE_UP = "give up"
    CANCEL = "cancel"
    EXPIRE = "expire"


# fmt: off
B = CallbackState
CALLBACK: Table[CallbackState, CallbackTrigger] = Table("callback", CallbackTrigger, {
    #             due        postpone     call       answer     connect     miss         give up   cancel
    #             expire
    B.SCHEDULED: (B.WAITING, B.SCHEDULED, _,         I,         I,          I,           I,        B.CANCELLED,
                  B.EXPIRED),
    B.WAITING:   (I,         B.SCHEDULED, B.CALLING, I,         I,          I,           B.FAILED, B.CANCELLED,
                  B.EXPIRED),
    B.CALLING:   (I,         _,           I,         B.HOLDING, B.ANSWERED, B.SCHEDULED, B.FAILED, B.CANCELLED,
                  B.EXPIRED),
    B.HOLDING:   (I,         _,           I,         I,         B.ANSWERED, B.SCHEDULED, B.FAILED, B.CANCELLED,
                  B.EXPIRED),
    B.ANSWERED:  (I,         I,           I,         I,         I,          I,           I,        I,
                  I),
    B.FAILED:    (I,         I,           I,         I,         I,          I,           I,        I,
                  I),
    B.CANCELLED: (I,         I,           I,         I,         I,          I,           I,        I,
                  I),
    B.EXPIRED:   (I,         I,           I,         I,         I,          I,           I,        I,
                  I),
})
# fmt: on


class TalkState(Enum):
    """Who talks with whom, once an agent has a call (the calls of CSTA's consultation are one interaction here)."""

    NONE = "none"
    TALKING = "talking"
    HELD = "held"
    CALLING = "calling"
    CONSULTING = "consulting"
    ALTERNATED = "alternated"
    CONFERENCE = "conference"


class TalkTrigger(Enum):
    """What can happen to a conversation."""

    CONNECT = "connect"
    HOLD = "hold"
    RETRIEVE = "retrieve"
    CONSULT = "consult"
    ANSWER = "answer"
    ALTERNATE = "alternate"
    RECONNECT = "reconnect"
    TRANSFER = "transfer"
    CONFERENCE = "conference"
    JOIN = "single step conference"
    LOSE = "lose"
    END = "end"
    CALLER_LEFT = "caller left"


# fmt: off
T = TalkState
TALK: Table[TalkState, TalkTrigger] = Table("conversation", TalkTrigger, {
    #              connect     hold    retrieve   consult    answer        alternate     reconnect  transfer
    #              conference    join          lose          end         caller left
    T.NONE:       (T.TALKING,  _,      _,         _,         I,            _,            _,         _,
                   _,            _,            I,            I,          I),
    T.TALKING:    (I,          T.HELD, I,         T.CALLING, I,            _,            I,         _,
                   _,            T.CONFERENCE, I,            T.NONE,     _),
    T.HELD:       (I,          I,      T.TALKING, T.CALLING, I,            _,            T.TALKING, _,
                   _,            _,            I,            T.NONE,     _),
    T.CALLING:    (I,          _,      _,         _,         T.CONSULTING, _,            T.TALKING, _,
                   _,            _,            T.HELD,       T.NONE,     _),
    T.CONSULTING: (I,          _,      _,         _,         I,            T.ALTERNATED, T.TALKING, T.TALKING,
                   T.CONFERENCE, _,            T.HELD,       T.NONE,     T.TALKING),
    T.ALTERNATED: (I,          _,      _,         _,         I,            T.CONSULTING, T.TALKING, T.TALKING,
                   T.CONFERENCE, _,            T.TALKING,    T.NONE,     T.TALKING),
    T.CONFERENCE: (I,          _,      _,         _,         I,            _,            _,         _,
                   _,            T.CONFERENCE, T.CONFERENCE, T.NONE,     I),
})
# fmt: on


class ConnectionState(Enum):
    """CSTA's connection states."""

    NULL = "null"
    INITIATED = "initiated"
    ALERTING = "alerting"
    CONNECTED = "connected"
    HOLD = "hold"
    QUEUED = "queued"
    FAIL = "fail"


class ConnectionTrigger(Enum):
    """What can happen to a connection."""

    ORIGINATE = "originate"
    ALERT = "alert"
    ESTABLISH = "establish"
    QUEUE = "queue"
    HOLD = "hold"
    RETRIEVE = "retrieve"
    FAIL = "fail"
    CLEAR = "clear"


# fmt: off
C = ConnectionState
CONNECTION: Table[ConnectionState, ConnectionTrigger] = Table("connection", ConnectionTrigger, {
    #              originate    alert       establish    queue     hold    retrieve     fail    clear
    C.NULL:       (C.INITIATED, C.ALERTING, C.CONNECTED, C.QUEUED, I,      I,           C.FAIL, I),
    C.INITIATED:  (I,           C.ALERTING, C.CONNECTED, C.QUEUED, I,      I,           C.FAIL, C.NULL),
    C.ALERTING:   (I,           I,          C.CONNECTED, C.QUEUED, I,      I,           C.FAIL, C.NULL),
    C.CONNECTED:  (I,           I,          I,           C.QUEUED, C.HOLD, I,           C.FAIL, C.NULL),
    C.HOLD:       (I,           I,          I,           C.QUEUED, I,      C.CONNECTED, C.FAIL, C.NULL),
    C.QUEUED:     (I,           I,          C.CONNECTED, I,        I,      I,           C.FAIL, C.NULL),
    C.FAIL:       (I,           I,          I,           I,        I,      I,           I,      C.NULL),
})
# fmt: on


class LinkState(Enum):
    """The link to a switch. Routing waits for live."""

    DOWN = "down"
    CONNECTING = "connecting"
    SNAPSHOTTING = "snapshotting"
    LIVE = "live"


class LinkTrigger(Enum):
    """What can happen to a link."""

    CONNECT = "connect"
    AUTHENTICATE = "authenticate"
    SNAPSHOT_TAKEN = "snapshot taken"
    LOSE = "lose"


# fmt: off
L = LinkState
LINK: Table[LinkState, LinkTrigger] = Table("switch link", LinkTrigger, {
    #                connect       authenticate    snapshot taken  lose
    L.DOWN:         (L.CONNECTING, _,              _,              I),
    L.CONNECTING:   (I,            L.SNAPSHOTTING, _,              L.DOWN),
    L.SNAPSHOTTING: (_,            I,              L.LIVE,         L.DOWN),
    L.LIVE:         (_,            I,              L.LIVE,         L.DOWN),
})
# fmt: on


class DeviceState(Enum):
    """Whether a switch can reach a phone (CSTA: Back In Service, Out Of Service)."""

    UNKNOWN = "unknown"
    IN_SERVICE = "in service"
    OUT_OF_SERVICE = "out of service"


class DeviceTrigger(Enum):
    """What can happen to a phone."""

    BACK_IN_SERVICE = "back in service"
    OUT_OF_SERVICE = "out of service"


# fmt: off
D = DeviceState
DEVICE: Table[DeviceState, DeviceTrigger] = Table("device", DeviceTrigger, {
    #                  back in service  out of service
    D.UNKNOWN:        (D.IN_SERVICE,    D.OUT_OF_SERVICE),
    D.IN_SERVICE:     (I,               D.OUT_OF_SERVICE),
    D.OUT_OF_SERVICE: (D.IN_SERVICE,    I),
})
# fmt: on

TABLES = (AGENT, RESERVATION, INTERACTION, CALLBACK, TALK, CONNECTION, LINK, DEVICE, STANDING)
