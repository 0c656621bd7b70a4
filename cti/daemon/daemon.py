"""The daemon's life: it starts, is reloaded, drains and ends."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Final

import gevent
import gevent.event
import gevent.lock
import structlog

from cti._version import __version__
from cti.center import CallCenter
from cti.centre_settings import address
from cti.config import Configuration, LoadedScripts, Problem, load_scripts, read_configuration
from cti.daemon.application import Application, no_collection
from cti.daemon.call_log import log_agent, log_call, log_link
from cti.daemon.change import Change, change
from cti.daemon.control import ControlServer
from cti.daemon.front_door import FrontDoor
from cti.daemon.log import LogWriter, set_up_log
from cti.daemon.pid_file import PidFile
from cti.daemon.service_manager import ServiceManager
from cti.daemon.surroundings import Surroundings
from cti.daemon.switch_requests import switch_requests
from cti.errors import CtiError
from cti.model import events
from cti.routing import SkillRouter

SWITCH_INTERVAL_S: Final = 0.001
"""How long the thread that reads a configuration may keep the others waiting (Python's own is 5 ms)."""
DRAIN_LOOK_S: Final = 0.2
SAID: Final = 50
"""So many changes of a reload, and so many warnings, are logged line by line."""

_log = structlog.get_logger("cti.daemon")


class Daemon:
    """A call centre that runs by a file.

    Args:
        file: the configuration.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.ready = gevent.event.Event()
        """Set when calls are taken."""
        self._configuration: Configuration | None = None
        self._stop = gevent.event.Event()
        self._stop_now = gevent.event.Event()
        self._reloading = gevent.lock.RLock()
        self._service = ServiceManager(os.environ)

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, and then drain; a second of them ends it at once. Blocks.

        SIGHUP reloads the configuration.

        Raises:
            BadConfiguration: the file cannot be used.
            ConfigurationError: something it names cannot: a port, a directory, a file.
            LinkError: the switch cannot be reached, refuses us, or the link failed for good later.
        """
        made = read_configuration(self._file)
        loaded = load_scripts(made)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        writer = self._writer = LogWriter()
        handlers = [
            gevent.signal_handler(signal.SIGTERM, self._told_to_stop),
            gevent.signal_handler(signal.SIGINT, self._told_to_stop),
            gevent.signal_handler(signal.SIGHUP, self._told_to_reload),
        ]
        try:
            set_up_log(made.log, writer)
            self._run(made, loaded)
        except CtiError as error:
            _log.critical("the daemon ends", code=error.code, reason=str(error))
            raise
        finally:
            self._service.close()
            for handler in handlers:
                handler.cancel()
            writer.close()

    def _run(self, made: Configuration, loaded: LoadedScripts) -> None:
        _log.info("starting", version=__version__, file=str(self._file), pid=os.getpid())
        _warn(made.warnings)
        closing: list[Any] = []
        try:
            if made.daemon.pid_file:
                closing.append(PidFile(Path(made.daemon.pid_file)).release)
            around = self._around = Surroundings(made)
            closing.append(around.close)
            centre = self._centre = CallCenter(
                None,
                router=SkillRouter(service_level=True, chance=random.random) if made.centre.by_service_level else None,
                node=made.centre.node,
                on_script_error=made.centre.on_script_error,
                bridge_at=made.centre.bridge_at,  # type: ignore[arg-type] # one of the two, by its validator
                journal=around.journal,
                recordings=around.recordings,
                history=around.history,
                messages=around.messages,
                allowed_destinations=made.destinations,
                allowed_contacts=made.centre.allowed_contacts,
            )
            closing[-1:] = [centre.stop, around.close]  # the doors are closed before the centre is
            _add_switches(centre, made)
            around.open(centre)
            around.count()
            self._set_up(centre, made, loaded)
            centre.start()
            for name, switch in centre.switches.items():
                if switch.connected:
                    _log.info("the switch is connected", switch=name, freeswitch=switch.version)
            around.serve()
            if made.daemon.control:
                methods = {"reload": lambda _: self.reload(), **switch_requests(centre)}
                closing.append(ControlServer(Path(made.daemon.control), methods).close)
            self._service.ready(self._status("running"))
            gc.collect()
            gc.freeze()  # what has been made by now stays: no collection needs to go through it again
            self.ready.set()
            _log.info("ready", queues=len(made.queues), agents=len(made.agents))
            gevent.wait([self._stop, centre.failed], count=1)
            if not centre.failed.ready():
                self._drain(centre)
        finally:
            for close in reversed(closing):
                close()
        if centre.failed.ready():
            centre.failed.get()
        _log.info("stopped")

    def _set_up(self, centre: CallCenter, made: Configuration, loaded: LoadedScripts) -> None:
        centre.subscribe(log_call, events.CallEvent)
        centre.subscribe(log_agent, events.AgentEvent)
        centre.subscribe(log_link, events.SystemStatus)
        self._front_door = FrontDoor(centre)
        self._application = Application(centre, self._front_door)
        self._application.begin(made, loaded)
        self._configuration = made

    def _status(self, what: str) -> str:
        made = self._configuration
        assert made is not None
        return f"{what}: {len(made.queues)} queues, {len(made.agents)} agents, switch {made.addresses}"

    # -- reload ---------------------------------------------------------------------------------------------------

    def reload(self) -> list[str]:
        """Read the configuration again and take it over; what changed, a line each. Blocks this greenlet.

        Calls under way are not touched, and everybody else gets a turn every few milliseconds.

        Raises:
            ConfigurationError: it cannot be used, or not without a restart; nothing was changed.
        """
        with self._reloading:
            old = self._configuration
            if old is None or self._stop.is_set():
                raise NotRunning("the daemon is starting or stopping; nothing was changed")
            began = time.monotonic()
            with no_collection():
                new, wanted = gevent.get_hub().threadpool.apply(self._read, (old,))
                loaded = load_scripts(new)
                self._application.go_on(wanted, new, loaded)
                self._around.reload(new)
            set_up_log(new.log, self._writer)
            self._configuration = new
            took_s = round(time.monotonic() - began, 3)
        for line in wanted.said[:SAID]:
            _log.info("reload", change=line)
        _warn(new.warnings, frozenset(old.warnings))
        _log.info("reloaded", changes=len(wanted.said), seconds=took_s)
        self._service.status(self._status("running"))
        return list(wanted.said) or ["nothing has changed"]

    def _read(self, old: Configuration) -> tuple[Configuration, Change]:
        """In another thread: it takes half a second with 5,000 agents."""
        new = read_configuration(self._file)
        return new, change(old, new)

    def _told_to_reload(self) -> None:
        try:
            self.reload()
        except CtiError as error:
            for line in str(error).splitlines():
                _log.error("the reload is refused", reason=line)
        except Exception:  # noqa: BLE001 - a defect; what runs goes on as it was
            _log.exception("the reload failed")

    # -- the end --------------------------------------------------------------------------------------------------

    def _told_to_stop(self) -> None:
        if self._stop.is_set():
            self._stop_now.set()
        self._stop.set()

    def _drain(self, centre: CallCenter) -> None:
        """Let calls end, for a while; what is left then is for the switch, and for the next start."""
        made = self._configuration
        assert made is not None
        with self._reloading:
            self._front_door.close(made.daemon.drain)
        centre.hold_callbacks()
        deadline = time.monotonic() + made.daemon.drain_s
        left = self._left(centre)
        _log.info("draining: no new calls are taken", calls=left, seconds=made.daemon.drain_s)
        self._service.stopping(f"draining: {left} calls")
        while left and time.monotonic() < deadline and not centre.failed.ready():
            if self._stop_now.wait(min(DRAIN_LOOK_S, max(0.0, deadline - time.monotonic()))):
                break
            left = self._left(centre)
        if left and made.daemon.drain is not None and not self._stop_now.is_set():
            gone = self._front_door.hand_over(made.daemon.drain)
            _log.info("calls that no agent had were handed over", calls=gone, to=str(made.daemon.drain))
            left -= gone
        if left:
            _log.warning("calls stay on the switch; the next start finds them", calls=left)

    def _left(self, centre: CallCenter) -> int:
        # The view of the whole centre takes a while where there are many agents; by then no call waits for one.
        return self._front_door.calls or centre.snapshot().calls


def _warn(warnings: Iterable[Problem], known: Collection[Problem] = ()) -> None:
    fresh = [warning for warning in warnings if warning not in known]
    for warning in fresh[:SAID]:
        _log.warning("configuration", warning=str(warning))
    if len(fresh) > SAID:
        _log.warning("configuration", warning=f"and {len(fresh) - SAID} more; `cti check` shows all")


def _add_switches(centre: CallCenter, made: Configuration) -> None:
    for each in made.switches:
        host, port = address(each.address)
        centre.add_switch(
            each.name or f"{host}:{port}",
            each.address,
            each.password,
            sip=each.sip,
            profile=each.profile,
            drain=each.drain,
            lost_after_s=each.lost_after_s,
            doorbell=each.doorbell,
        )


class NotRunning(CtiError):
    """The daemon is on its way up or down, where it cannot do this."""

    code = "state.not_running"
    retryable = True
