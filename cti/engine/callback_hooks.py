"""What the other parts of the engine leave to callbacks, which are made of those parts."""

from __future__ import annotations

from collections.abc import Callable

from cti.model.cause import Cause
from cti.model.connection import Connection
from cti.model.ids import ConnectionId
from cti.model.interaction import Interaction
from cti.model.queue import Queue
from cti.model.reservation import Reservation


class CallbackHooks:
    """Each does nothing until the engine has set it."""

    def __init__(self) -> None:
        # -- of offers
        self.kept_silent: Callable[[Interaction, Reservation], bool] = lambda _call, _made: False
        """Whether an agent who has been promised is not rung yet: a customer is called back first."""
        self.accepted: Callable[[Interaction, Reservation], None] = lambda _call, _made: None
        """An agent has answered an offer."""
        self.waits_s: Callable[[Interaction], float] = lambda _: 0.0
        """How long an agent who answers may have to wait for somebody to talk with."""
        # -- of the line
        self.rejoins: Callable[[Interaction, Queue], None] = lambda _call, _queue: None
        """A call enters a queue in which a callback of the same customer may be pending."""
        self.abandoned: Callable[[Interaction, Queue], None] = lambda _call, _queue: None
        """The caller of a waiting call hung up."""
        self.called_back: Callable[[Interaction], None] = lambda _: None
        """An agent talks with a customer who was called back."""
        self.released: Callable[[Interaction], None] = lambda _: None
        """A customer who has answered a callback goes elsewhere than to an agent of the queue."""
        self.back_in_place: Callable[[Interaction], None] = lambda _: None
        """An offer came to nothing, and the call is in its place again."""
        # -- of calls
        self.parked: Callable[[Connection], None] = lambda _: None
        """A leg hears nobody, which may be what a callback waits for."""
        self.customer_gone: Callable[[Interaction, Connection, Cause, str], None] = lambda *_: None
        """The leg of a customer who is called back has ended, before an agent talked with them."""
        self.leaver_gone: Callable[[Interaction, ConnectionId], None] = lambda _call, _leg: None
        """A caller who is to be called back has left the line."""
        self.let_go: Callable[[Interaction], bool] = lambda _: False
        """End the leg of a caller who is to be called back; whether the call is to go on."""
