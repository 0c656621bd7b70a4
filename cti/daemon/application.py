"""Configurations applied to a centre: the first one, and changes while calls are under way."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator
from typing import Any, Final

import gevent
import structlog
from attrs import fields

from cti.center import CallCenter
from cti.config import Configuration, LoadedScripts
from cti.config.queue_order import definitions
from cti.daemon.change import Change
from cti.daemon.front_door import FrontDoor
from cti.daemon.leavers import Leavers
from cti.errors import ConfigurationError, CtiError

SLICE_S: Final = 0.002
"""How long a change works before everybody else gets a turn."""

_log = structlog.get_logger("cti.daemon")


class Application:
    """Makes a centre what configurations say.

    Args:
        centre: the centre.
        front_door: where its calls come in.
    """

    def __init__(self, centre: CallCenter, front_door: FrontDoor) -> None:
        self._centre = centre
        self._front_door = front_door
        self._leavers = Leavers(centre)

    def begin(self, made: Configuration, loaded: LoadedScripts) -> None:
        """Furnish a centre that has nothing yet."""
        self._front_door.use(made.routes, loaded)
        for queue in definitions(made.queues):
            self._centre.add_queue(**_arguments(queue, id="queue"))
        for agent in made.agents.values():
            self._centre.add_agent(**_arguments(agent, id="agent"))
        for box in (made.services.mailboxes or {}).values():
            self._centre.add_mailbox(**_arguments(box, id="mailbox"))
        self._front_door.detect_fax = _detect_fax(made)
        for name, ready in made.log_on.items():
            self._log_on(name, ready=ready)

    def go_on(self, wanted: Change, new: Configuration, loaded: LoadedScripts) -> None:
        """Change it. Blocks this greenlet, and gives everybody else a turn every few milliseconds.

        First the queues and agents, then the routes that lead to them, then what nothing leads to any more.

        Raises:
            ConfigurationError: calls wait in a queue that is to be closed; nothing was changed.
        """
        self._refuse_if_waiting(wanted)
        centre, turns = self._centre, _turns()
        for queue in definitions(wanted.queues, wanted.known):
            centre.add_queue(**_arguments(queue, id="queue"))
            next(turns)
        for agent in wanted.agents.values():
            self._leavers.stay(agent.id)
            centre.add_agent(**_arguments(agent, id="agent"))
            next(turns)
        for name, ready in wanted.log_on.items():
            self._log_on(name, ready=ready)
            next(turns)
        for box in wanted.mailboxes.values():
            centre.add_mailbox(**_arguments(box, id="mailbox"))
            next(turns)
        self._front_door.use(new.routes, loaded)
        for gone in wanted.mailboxes_gone:
            centre.remove_mailbox(gone)
        for name in wanted.removed:
            if not self._leavers.leave(name):
                _log.info("an agent on a call is removed after it", agent=name)
            next(turns)
        for queue in wanted.closed:
            centre.add_queue(**_arguments(queue, id="queue"))
            next(turns)

    def _refuse_if_waiting(self, wanted: Change) -> None:
        loads = {queue.id: self._centre.load(queue.id) for queue in wanted.closed}
        refused = [
            f"queue {name!r} has {load.waiting} waiting calls; it can be taken out when they are gone"
            for name, load in loads.items()
            if load is not None and load.waiting
        ]
        if refused:
            raise ConfigurationError("\n".join([*refused, "nothing was changed"]))

    def _log_on(self, agent: str, *, ready: bool) -> None:
        try:
            self._centre.agent(agent).log_on(ready=ready)
        except CtiError as error:
            _log.warning("an agent is not logged on", agent=agent, reason=str(error))


def _detect_fax(made: Configuration) -> str:
    return made.services.messages.detect_fax if made.services.messages is not None else ""


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """While so much is made that will stay, a collection would find nothing, and hold up everybody for 100 ms."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _arguments(settings: Any, **renamed: str) -> dict[str, Any]:
    """Settings as the arguments of the centre's own methods."""
    return {renamed.get(one.name, one.name): getattr(settings, one.name) for one in fields(type(settings))}


def _turns() -> Iterator[None]:
    """Gives everybody else a turn when its slice of time is over; a longer one where a step took long.

    An offer is several messages to and fro: a turn has to be long enough for all of them.
    """
    began = time.monotonic()
    while True:
        worked_s = time.monotonic() - began
        if worked_s >= SLICE_S:
            gevent.sleep(worked_s / 2)
            began = time.monotonic()
        yield
