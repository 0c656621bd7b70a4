"""The call centre that a host application embeds: everything wired together, scripted in plain blocking Python."""

from __future__ import annotations

import fnmatch
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import gevent
import gevent.event
import structlog

from cti.call import Call
from cti.engine import Engine
from cti.engine.invariants import broken
from cti.engine.view import AgentView, CentreView, view
from cti.engine.why import AgentExplained, CallExplained, explain_agent, explain_call
from cti.engine.world import World
from cti.engine_loop import EngineLoop, Subscription
from cti.errors import CallGone, ConfigurationError, CtiError, UnknownAgent, UnknownEvent
from cti.model import events, facts
from cti.model.agent import AgentSettings
from cti.model.cause import Cause
from cti.model.ids import AgentId, ConnectionId, IdSource, InteractionId, QueueId, SwitchId
from cti.model.queue import QueueSettings
from cti.model.states import InteractionState
from cti.routing import Router, SkillRouter
from cti.switch import BridgeAt, FreeSwitch

DEFAULT_PORT: Final = 8021
WATCHDOG_EVERY_S: Final = 10.0
"""How often the invariants are checked; each failure is logged and told as InvariantBroken."""
WATCHDOG_GRACE_S: Final = 5.0

Script = Callable[[Call], object]

_log = structlog.get_logger("cti")


class AgentControl:
    """What an agent, or somebody on their behalf, can ask for. None of these blocks for more than microseconds.

    A state asked for while the agent is on a call is kept as pending and applied when the call and its wrap-up end.
    """

    def __init__(self, agent: AgentId, loop: EngineLoop) -> None:
        self._agent = agent
        self._loop = loop

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<agent {self._agent}>"

    def log_on(self, *, ready: bool = False) -> None:
        """Begin a session, not ready unless ``ready``.

        Raises:
            InvalidAgentState: logged on already.
            ResourceBusy: another agent is logged on at the same phone.
        """
        self._loop.ask(facts.LogOnRequested(self._agent, ready))

    def log_off(self, reason: str = "") -> None:
        """End the session, at once or after the call in hand; harmless when logged off."""
        self._loop.ask(facts.LogOffRequested(self._agent, reason))

    def ready(self) -> None:
        """Ask for calls, at once or after the call in hand; during wrap-up this ends it.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._loop.ask(facts.ReadyRequested(self._agent))

    def not_ready(self, reason: str = "") -> None:
        """Ask for no calls, at once (an offer under way is withdrawn) or after the call in hand.

        Raises:
            InvalidAgentState: not logged on.
        """
        self._loop.ask(facts.NotReadyRequested(self._agent, reason))

    @property
    def view(self) -> AgentView:
        """The agent as they are now."""
        return next(a for a in view(self._loop.engine.world).agents if a.id == self._agent)


class CallCenter:
    """A call centre on one FreeSWITCH.

    Set it up (queues, agents, scripts, subscriptions), then ``start`` it and go on, or ``run_forever``. Everything
    but these two can be done at any time, before and after. It neither monkey-patches nor configures logging nor
    installs signal handlers: those are the host's. All its methods must be called in the thread that made it.

    Args:
        switch: ``host:port`` of FreeSWITCH's event socket; the port may be left out (8021). IPv6 as ``[::1]:8021``.
        password: the event socket's password.
        router: decides which call goes to which agent; a SkillRouter if not given.
        node: this centre's name: calls whose channel variable ``cti_node`` is this are its own.
        on_script_error: what becomes of a call whose script raised: ``"hang up"``, or the id of a queue it goes to.
        bridge_at: when an agent who answers is connected: ``"answer"`` at once, 40 ms to the caller's ear; ``"park"``
            25 ms later, when FreeSWITCH's originate has let go of the leg. At the answer, under heavy load, about one
            bridge in a thousand collides with the end of originate: FreeSWITCH drops that agent's leg, the caller keeps
            the place and is offered again. At the park that cannot happen.
        seed: makes ids reproducible; leave it out in production.
    """

    def __init__(
        self,
        switch: str = "127.0.0.1:8021",
        password: str = "ClueCon",  # noqa: S107 - FreeSWITCH's own default
        *,
        router: Router | None = None,
        node: str = "cti",
        on_script_error: str = "hang up",
        bridge_at: BridgeAt = "answer",
        seed: int | None = None,
    ) -> None:
        host, port = address(switch)
        chance = random.SystemRandom() if seed is None else random.Random(seed)
        ids = IdSource(chance.getrandbits, epoch=time.time() - time.monotonic())
        self._loop = EngineLoop(Engine(ids, router or SkillRouter(chance=chance.random)), on_event=self._told)
        switch_id = SwitchId(f"{host}:{port}")
        self.switch = FreeSwitch(
            host, port, password, on_fact=self._loop.submit, switch=switch_id, node=node, bridge_at=bridge_at
        )
        self._loop.switches[switch_id] = self.switch
        self._on_script_error = on_script_error
        self._scripts: list[tuple[str, Script]] = []
        self._calls: dict[InteractionId, Call] = {}
        self._script_greenlets: dict[InteractionId, gevent.Greenlet[..., None]] = {}
        self._stopped = gevent.event.Event()
        self._watchdog: gevent.Greenlet[..., None] | None = None

    # -- set-up ---------------------------------------------------------------------------------------------------

    def add_queue(self, queue: str, **settings: Any) -> None:
        """Add a queue, or change one's settings: waiting calls are matched afresh.

        Args:
            queue: its id.
            settings: the fields of QueueSettings: requires, priority, strategy, max_wait_s, overflow, ...

        Raises:
            ConfigurationError: a setting is unknown or cannot be used; the message names it.
            UnknownQueue: ``overflow`` names a queue that is not there (yet: add that one first).
            UnknownStrategy: there is no such strategy.
        """
        self._loop.ask(facts.QueueDefined(_settings(QueueSettings, id=QueueId(queue), **settings)))

    def add_agent(self, agent: str, contact: str, **settings: Any) -> AgentControl:
        """Add an agent, or change one's settings; a call in hand goes on.

        Args:
            agent: the agent's id.
            contact: the dial string of the phone, such as ``user/1001``.
            settings: the fields of AgentSettings: skills, wrap_up_s, no_answers_allowed, ...

        Raises:
            ConfigurationError: a setting is unknown or cannot be used; the message names it.
        """
        made = _settings(AgentSettings, id=AgentId(agent), contact=contact, **settings)
        self._loop.ask(facts.AgentDefined(made))
        return AgentControl(made.id, self._loop)

    def remove_agent(self, agent: str) -> None:
        """Log an agent off and forget them.

        Raises:
            UnknownAgent: there is none of this id.
            InvalidAgentState: the agent is on a call; log off first.
        """
        self._loop.ask(facts.AgentRemoved(AgentId(agent)))

    def agent(self, agent: str) -> AgentControl:
        """The control of one agent.

        Raises:
            UnknownAgent: there is none of this id; the message names the nearest.
        """
        known = self._loop.engine.world.agents
        if AgentId(agent) not in known:
            raise UnknownAgent(agent, known)
        return AgentControl(AgentId(agent), self._loop)

    def on_call(self, number: str) -> Callable[[Script], Script]:
        """Decorate the script for calls to a number; ``*`` and ``?`` match as in file names, the first match counts.

        The script runs in a greenlet of its own for each call. When it returns and the call is in no queue and with
        no agent, the call is cleared. When it raises, ``on_script_error`` says what becomes of its call.
        """

        def register(script: Script) -> Script:
            self._scripts.append((number, script))
            return script

        return register

    def on(self, *wanted: type[Any] | str) -> Callable[[Callable[[Any], object]], Callable[[Any], object]]:
        """Decorate a handler of events, given by class or name; a class includes its subclasses.

        Raises:
            UnknownEvent: there is no event of this name; the message names the nearest.
        """
        classes = tuple(_event(name) for name in wanted)

        def register(handler: Callable[[Any], object]) -> Callable[[Any], object]:
            self._loop.subscribe(classes, handler)
            return handler

        return register

    def subscribe(self, handler: Callable[[Any], object], *wanted: type[Any] | str) -> Subscription:
        """Call ``handler`` with every event of these classes or names until ``unsubscribe``.

        Raises:
            UnknownEvent: there is no event of this name; the message names the nearest.
        """
        return self._loop.subscribe(tuple(_event(name) for name in wanted), handler)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._loop.unsubscribe(subscription)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect to the switch. Blocks until the link is live or refused; from then on it is kept up.

        Raises:
            ConnectFailed: nothing answers at the address.
            AccessDenied: the switch's access list refuses us.
            AuthenticationFailed: the password is wrong.
            SwitchTooOld: FreeSWITCH is older than supported.
        """
        self.switch.start()
        self._watchdog = gevent.spawn(self._watch)

    def stop(self) -> None:
        """Disconnect. Calls on the switch go on without us; scripts end with CallGone or LinkClosed."""
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog = None
        self.switch.stop()
        for greenlet in list(self._script_greenlets.values()):
            greenlet.kill(block=False)
        self._loop.stop()
        self._stopped.set()

    def run_forever(self) -> None:
        """Start if need be, then block until ``stop``, Ctrl-C, or a link that fails for good.

        Raises:
            LinkError: as ``start``, or when the switch refuses us later (a changed password, say).
        """
        if self._watchdog is None:
            self.start()
        try:
            gevent.wait([self._stopped, self.switch.failed], count=1)
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()
        if self.switch.failed.ready():
            self.switch.failed.get()

    def snapshot(self) -> CentreView:
        """The centre as it is now: queues with their figures, agents, links."""
        return view(self._world_now())

    def explain_call(self, interaction: str) -> CallExplained:
        """Why a call is where it is: each agent, and the reason they are not offered it.

        Raises:
            UnknownInteraction: it has ended, or never was.
        """
        return explain_call(self._world_now(), InteractionId(interaction))

    def explain_agent(self, agent: str) -> AgentExplained:
        """Why an agent is idle: each waiting call, and the reason it is not offered to them.

        Raises:
            UnknownAgent: there is none of this id; the message names the nearest.
        """
        return explain_agent(self._world_now(), AgentId(agent))

    def _world_now(self) -> World:
        world = self._loop.engine.world
        world.now = world.router.now = max(world.now, self._loop.now())
        return world

    def hang_up(self, interaction: str) -> None:
        """End a call, whoever is on it; harmless when it has ended."""
        self._loop.ask(facts.ClearRequested(InteractionId(interaction)))

    # -- scripts --------------------------------------------------------------------------------------------------

    def _told(self, event: events.Event) -> None:
        """Follow the calls; in the engine's greenlet."""
        if isinstance(event, events.Offered):
            channel = self._loop.engine.world.interactions[event.interaction].caller
            self._begin(event, channel)
        elif isinstance(event, events.CallEvent):
            call = self._calls.get(event.interaction)
            if call is not None:
                call._told(event)  # noqa: SLF001 - the centre is the only one who tells it
            if isinstance(event, events.CallCleared):
                self._calls.pop(event.interaction, None)
        elif isinstance(event, events.InvariantBroken):
            _log.error("an invariant is broken", what=event.what)

    def _begin(self, offered: events.Offered, channel: ConnectionId) -> None:
        call = Call(offered, channel, self.switch, self._loop)
        self._calls[call.id] = call
        script = next((s for pattern, s in self._scripts if fnmatch.fnmatchcase(call.called_number, pattern)), None)
        greenlet = gevent.spawn(self._play, call, script)
        self._script_greenlets[call.id] = greenlet
        greenlet.link(lambda _: self._script_greenlets.pop(call.id, None))

    def _play(self, call: Call, script: Script | None) -> None:
        log = _log.bind(call=call.id)
        if script is None:
            log.warning("no script for this number", called_number=call.called_number)
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
        self._leave(call)

    def _rescue(self, call: Call) -> None:
        """What becomes of a call whose script raised."""
        if not self._in_script(call):
            return
        if self._on_script_error == "hang up":
            call.hang_up(Cause.NORMAL)
            return
        try:
            call.queue(self._on_script_error)
        except CallGone:
            return
        except CtiError:
            _log.exception("the queue for calls of failed scripts cannot take one", call=call.id)
            call.hang_up(Cause.NORMAL)

    def _leave(self, call: Call) -> None:
        if self._in_script(call):
            call.hang_up()

    def _in_script(self, call: Call) -> bool:
        known = self._loop.engine.world.interactions.get(call.id)
        return known is not None and known.state is InteractionState.OFFERED

    def _watch(self) -> None:
        said: set[str] = set()
        while True:
            gevent.sleep(WATCHDOG_EVERY_S)
            found = set(broken(self._world_now(), grace_s=WATCHDOG_GRACE_S))
            for what in sorted(found - said):
                _log.error("an invariant is broken", what=what)
            said = found


def address(switch: str) -> tuple[str, int]:
    """The host and port in ``host:port``; the port may be left out (8021), IPv6 is written ``[::1]:8021``.

    Raises:
        ConfigurationError: it is not of this form.
    """
    host, colon, port = switch.rpartition(":")
    if not colon or switch.endswith("]"):
        host, port = switch, str(DEFAULT_PORT)
    if not port.isdecimal() or not 0 < int(port) < 65536 or not host:
        raise ConfigurationError(f"switch {switch!r} is no address; write host:port, such as 127.0.0.1:8021")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _settings(kind: type[Any], **values: Any) -> Any:
    known: Mapping[str, Any] = {field.name: field for field in kind.__attrs_attrs__}
    for name in values:
        if name not in known:
            raise ConfigurationError(f"{kind.__name__} has no {name!r}; it has {', '.join(known)}")
    return kind(**values)


def _event(wanted: type[Any] | str) -> type[Any]:
    if isinstance(wanted, type):
        return wanted
    if wanted not in events.EVENTS:
        raise UnknownEvent(wanted, events.EVENTS)
    return events.EVENTS[wanted]
