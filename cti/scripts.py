"""The host application's scripts: by called number, by name, and those that are asked for a route."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Callable
from typing import Any

import gevent
import structlog
from attrs import fields

from cti.call import Call
from cti.callback_offer import SCRIPT, callback_script
from cti.engine_loop import EngineLoop
from cti.errors import CallGone, CtiError, LinkClosed
from cti.model import callback_events, events, facts
from cti.model.cause import Cause
from cti.model.ids import InteractionId
from cti.model.overflow import FAX_SCRIPT
from cti.model.states import InteractionState
from cti.plan import Request, RouteSelect

Script = Callable[[Call], object]
RouteScript = Callable[[Request], RouteSelect | None]

_log = structlog.get_logger("cti.script")


class Scripts:
    """Runs scripts, one greenlet a call, and says what becomes of a call whose script has ended.

    Args:
        loop: runs the engine.
        make_call: makes the Call of a call that has come.
        request: what a route script is told of a call.
        on_error: what becomes of a call whose script raised: ``"hang up"``, or the id of a queue it goes to.
    """

    def __init__(
        self,
        loop: EngineLoop,
        make_call: Callable[[events.Offered], Call],
        request: Callable[[events.CallEvent], Request],
        on_error: str,
    ) -> None:
        self._loop = loop
        self._make_call = make_call
        self._request = request
        self._on_error = on_error
        self._by_number: list[tuple[str, Script]] = []
        self._by_name: dict[str, Script] = {SCRIPT: callback_script}
        self._route_scripts: dict[str, RouteScript] = {}
        self._calls: dict[InteractionId, Call] = {}
        self._running: dict[InteractionId, gevent.Greenlet[..., None]] = {}
        """The script that a call is in the hands of; another that still runs for it no longer decides its end."""
        self._greenlets: set[gevent.Greenlet[..., None]] = set()

    def on_number(self, pattern: str, script: Script) -> None:
        """Add the script of calls to a number; ``*`` and ``?`` match as in file names, the first match counts."""
        self._by_number.append((pattern, script))

    def on_name(self, name: str, script: Script) -> None:
        """Add the script that calls overflow to under this name, or replace it."""
        self._by_name[name] = script

    def on_route(self, name: str, script: RouteScript) -> None:
        """Add the route script of this name, or replace it."""
        self._route_scripts[name] = script

    @property
    def calls_back(self) -> bool:
        """Whether the script that offers callbacks is the one that every centre has."""
        return self._by_name[SCRIPT] is callback_script

    def missing(self, names: set[str], routes: set[str]) -> list[str]:
        """Which of these scripts, and of these route scripts, there are not; one sentence each."""
        return [
            *(f"there is no script {name!r}, and queues overflow to it" for name in sorted(names - set(self._by_name))),
            *(
                f"there is no route script {name!r}, and queues ask it"
                for name in sorted(routes - set(self._route_scripts))
            ),
        ]

    def call(self, interaction: InteractionId) -> Call | None:
        """A call that lives and that a script has had; None for any other."""
        return self._calls.get(interaction)

    def stop(self) -> None:
        """End every script."""
        for greenlet in list(self._greenlets):
            greenlet.kill(block=False)

    # -- told by the engine, in whatever greenlet runs it ---------------------------------------------------------

    def told(self, event: events.Event) -> None:
        """Follow the calls. Never blocks."""
        if isinstance(event, events.Offered):
            if (
                event.cause is not Cause.RESOURCES_NOT_AVAILABLE
            ):  # its switch is drained, and it is on its way elsewhere
                self._come(event)
        elif isinstance(event, events.RouteRequested):
            self._spawn(self._decide, event)
        elif isinstance(event, callback_events.CallbackAnswered):
            self._answered(event)
        elif isinstance(event, events.CallEvent):
            call = self._calls.get(event.interaction)
            if call is not None:
                call._told(event)  # noqa: SLF001 - nobody else tells it
                if isinstance(event, events.Diverted) and event.to_script:
                    if event.to_script.startswith(FAX_SCRIPT):
                        self._interrupt(call)
                    self._begin(call, self._by_name.get(event.to_script), f"no script {event.to_script!r}")
            if isinstance(event, events.CallCleared):
                self._calls.pop(event.interaction, None)

    def _answered(self, event: callback_events.CallbackAnswered) -> None:
        """A customer who is called back is on the line, by another leg than the one they had."""
        before = self._calls.pop(event.interaction, None)
        if before is not None:
            before._control.gone("called back")  # noqa: SLF001 - nobody else tells it
        told = {each.name: getattr(event, each.name) for each in fields(events.CallEvent)}
        self._calls[event.interaction] = self._make_call(events.Offered(**told))

    def take_up(self, offered: events.Offered, first: Callable[[Call], object] | None, name: str = "") -> None:
        """Follow a call that was there before we were; harmless for one that is followed already.

        Args:
            offered: as it was told when the call came.
            first: the call's script runs from the top, in a greenlet that does this before; None: no script runs.
            name: of the script that had it; empty for that of its number.
        """
        if offered.interaction in self._calls:
            return
        if first is not None:
            self._come(offered, first, name)
        else:
            self._calls[offered.interaction] = self._make_call(offered)

    def _come(self, offered: events.Offered, first: Callable[[Call], object] | None = None, name: str = "") -> None:
        call = self._calls[offered.interaction] = self._make_call(offered)
        call.restarted = first is not None
        found = (s for pattern, s in self._by_number if fnmatch.fnmatchcase(call.called_number, pattern))
        script = self._by_name.get(name) if name else next(found, None)
        if script is not None and first is not None:
            script = _then(first, script)
        self._begin(call, script, f"no script {name!r}" if name else "no script for this number")

    def _interrupt(self, call: Call) -> None:
        """The caller has turned out to be a fax machine: whatever a script is saying to it, it says no more."""
        running = self._running.get(call.id)
        if running is not None and running is not gevent.getcurrent():
            running.kill(block=False)

    def _begin(self, call: Call, script: Script | None, without: str) -> None:
        greenlet = self._running[call.id] = self._spawn(self._play, call, script, without)

        def ended(_: object) -> None:
            if self._running.get(call.id) is greenlet:
                del self._running[call.id]

        greenlet.link(ended)

    def _spawn(self, run: Callable[..., None], *args: Any) -> gevent.Greenlet[..., None]:
        greenlet: gevent.Greenlet[..., None] = gevent.spawn(run, *args)
        self._greenlets.add(greenlet)
        greenlet.link(self._greenlets.discard)
        return greenlet

    # -- a script's life ------------------------------------------------------------------------------------------

    def _play(self, call: Call, script: Script | None, without: str) -> None:
        log = _log.bind(call=call.id)
        if script is None:
            log.warning(without, called_number=call.called_number)
            call.hang_up(Cause.DEST_NOT_OBTAINABLE)
            return
        try:
            script(call)
        except CallGone:
            return
        except Exception:
            log.exception("a script failed", script=getattr(script, "__qualname__", repr(script)))
            self._rescue(call)
            return
        if self._in_hand(call):
            call.hang_up()

    def _rescue(self, call: Call) -> None:
        """What becomes of a call whose script raised."""
        if not self._in_hand(call):
            return
        try:
            if self._on_error == "hang up":
                call.hang_up(Cause.NORMAL)
            else:
                call.queue(self._on_error)
        except (CallGone, LinkClosed):  # or the centre has been stopped
            return
        except CtiError:
            _log.exception("the queue for calls of failed scripts cannot take one", call=call.id)
            call.hang_up(Cause.NORMAL)

    def _in_hand(self, call: Call) -> bool:
        """Whether the call is in no queue and with no agent, and this greenlet's script is the one that has it."""
        known = self._loop.engine.world.interactions.get(call.id)
        in_script = known is not None and known.state is InteractionState.OFFERED
        return in_script and self._running.get(call.id) is gevent.getcurrent()

    # -- routes ---------------------------------------------------------------------------------------------------

    def _decide(self, asked: events.RouteRequested) -> None:
        """Ask a route script; whatever it does, its request is answered, here or by the engine's deadline."""
        script = self._route_scripts.get(asked.script)
        answer: object = None
        error = "" if script is not None else f"there is no route script {asked.script!r}"
        if script is not None:
            try:
                answer = script(self._request(asked))
            except Exception as raised:  # noqa: BLE001 - a host's own code may raise anything
                error = f"it raised {raised!r}"
        if isinstance(answer, RouteSelect):
            select = answer.selected(asked.interaction, asked.cross_ref)
        else:
            if answer is not None:
                error = f"it returned {answer!r}; it must be a RouteSelect or None"
            select = facts.RouteSelected(asked.interaction, asked.cross_ref, error=error)
        if error:
            _log.error("a route script failed", script=asked.script, call=asked.interaction, reason=error)
        try:
            self._loop.ask(select)
        except CtiError as refused:
            _log.error("a route script's answer", script=asked.script, call=asked.interaction, reason=str(refused))


def _then(first: Callable[[Call], object], script: Script) -> Script:
    @functools.wraps(script)
    def both(call: Call) -> object:
        first(call)
        return script(call)

    return both
