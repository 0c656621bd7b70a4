"""The front door: what becomes of every call that comes, by the configuration that counts at that moment."""

from __future__ import annotations

import contextlib
import fnmatch
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import structlog

from cti.call import Call
from cti.center import CallCenter
from cti.config import LoadedScripts, Number, Routes
from cti.config.routes import PLAN
from cti.errors import ConfigurationError, CtiError
from cti.model.cause import Cause
from cti.model.overflow import Overflow
from cti.plan import Request, RouteSelect

_log = structlog.get_logger("cti.daemon")


class FrontDoor:
    """Lets calls in.

    Scripts are registered once, by name, and looked up when a call comes: so that other routes can be taken over while
    calls are under way, which go on with what they have begun.

    Args:
        centre: whose calls.
    """

    def __init__(self, centre: CallCenter) -> None:
        self._centre = centre
        self._routes = Routes()
        self._loaded = LoadedScripts({}, {})
        self._registered: set[tuple[str, str]] = set()
        self._calls: dict[object, Call] = {}
        """By the greenlet that has it in hand: those in a script or in a queue."""
        self._closed_to: Overflow | None = None
        self._closed = False
        self.detect_fax = ""
        """The mailbox that receives the faxes of machines which call any of the numbers; empty listens for none."""
        centre.on_call("*")(self._come)

    @property
    def calls(self) -> int:
        """How many calls are in a script or wait in a queue."""
        return len(self._calls)

    def use(self, routes: Routes, loaded: LoadedScripts) -> None:
        """Take over other routes; they count from the next call on."""
        self._routes, self._loaded = routes, loaded
        for name in loaded.scripts:
            self._register("script", name, self._centre.script, self._script)
        for name in loaded.route_scripts:
            self._register("route script", name, self._centre.route_script, self._route_script)
        if routes.plan is not None:
            self._register("route script", PLAN, self._centre.route_script, self._route_script)

    def close(self, to: Overflow | None) -> None:
        """Let no new call in: it goes where it is said, or is refused so that the network may try elsewhere."""
        self._closed, self._closed_to = True, to

    def hand_over(self, to: Overflow) -> int:
        """Send the calls that no agent has somewhere else; how many went."""
        gone = 0
        for call in list(self._calls.values()):
            try:
                call.go(RouteSelect(to))
            except CtiError as error:
                _log.info("a call is not handed over", call=call.id, reason=str(error))
            else:
                gone += 1
        return gone

    def _register(self, kind: str, name: str, register: Callable[[str], Any], run: Callable[..., Any]) -> None:
        if (kind, name) not in self._registered:
            self._registered.add((kind, name))
            register(name)(lambda subject: run(name, subject))

    # -- calls ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _in_hand(self, call: Call) -> Iterator[None]:
        """While a script has the call; each greenlet has a context of its own, so that its log lines name the call."""
        me = gevent.getcurrent()
        self._calls[me] = call
        try:
            with structlog.contextvars.bound_contextvars(call=call.id):
                yield
        finally:
            del self._calls[me]

    def _come(self, call: Call) -> None:
        with self._in_hand(call):
            if self._closed:
                self._refuse(call)
                return
            number = self._number(call.called_number)
            if number is None:
                _log.warning("there is no route for this number", called_number=call.called_number)
                call.hang_up(Cause.DEST_NOT_OBTAINABLE)
                return
            if self.detect_fax:
                call.answer()  # a machine is silent before
                call.detect_fax(self.detect_fax)
            if number.to is not None:
                call.go(number.to.answer(call.request(), number.pattern))
            elif self._routes.plan is not None:
                call.route(self._routes.plan)

    def _number(self, called: str) -> Number | None:
        return next((one for one in self._routes.numbers if fnmatch.fnmatchcase(called, one.pattern)), None)

    def _refuse(self, call: Call) -> None:
        _log.info("a new call is not taken: the centre is being stopped", to=str(self._closed_to))
        if self._closed_to is None:
            call.hang_up(Cause.RESOURCES_NOT_AVAILABLE)
        else:
            call.go(RouteSelect(self._closed_to))

    def _script(self, name: str, call: Call) -> None:
        script = self._loaded.scripts.get(name)
        if script is None:
            raise ConfigurationError(f"there is no script {name!r} any more")
        with self._in_hand(call):
            script(call)

    def _route_script(self, name: str, request: Request) -> RouteSelect | None:
        if name == PLAN and self._routes.plan is not None:
            return self._routes.plan.select(request)
        script = self._loaded.route_scripts.get(name)
        if script is None:
            raise ConfigurationError(f"there is no route script {name!r} any more")
        found: RouteSelect | None = script(request)
        return found
