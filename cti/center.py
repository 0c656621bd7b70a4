"""The call centre that a host application embeds: everything wired together, scripted in plain blocking Python."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import gevent
import gevent.event
import structlog

from cti.agent_control import AgentControl
from cti.call import Call
from cti.engine import Engine
from cti.engine.advice import advice
from cti.engine.invariants import broken
from cti.engine.view import CentreView, view
from cti.engine.why import AgentExplained, CallExplained, explain_agent, explain_call
from cti.engine.world import World
from cti.engine_loop import EngineLoop, Subscription
from cti.errors import ConfigurationError, UnknownAgent, UnknownEvent
from cti.model import events, facts, services
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId, IdSource, InteractionId, QueueId, SwitchId
from cti.model.overflow import ToScript
from cti.model.party import Destination
from cti.model.personal import presence_of
from cti.model.queue import QueueSettings
from cti.plan import QueueLoad, Request
from cti.routing import GuardedRouter, Router, SkillRouter
from cti.routing.guarded import RouterFault
from cti.scripts import RouteScript, Script, Scripts
from cti.store import Journal, RecordedEngine
from cti.switch import BridgeAt, FreeSwitch

DEFAULT_PORT: Final = 8021
WATCHDOG_EVERY_S: Final = 10.0
"""How often the invariants are checked; each failure is logged and told as InvariantBroken."""
WATCHDOG_GRACE_S: Final = 5.0

_log = structlog.get_logger("cti")


class CallCenter:
    """A call centre on one FreeSWITCH.

    Set it up (queues, agents, scripts, subscriptions), then ``start`` it and go on, or ``run_forever``. Everything
    but these two can be done at any time, before and after. It neither monkey-patches nor configures logging nor
    installs signal handlers: those are the host's. All its methods must be called in the thread that made it.

    Args:
        switch: ``host:port`` of FreeSWITCH's event socket; the port may be left out (8021). IPv6 as ``[::1]:8021``.
        password: the event socket's password.
        router: decides which call goes to which agent; a SkillRouter if not given. One of your own is guarded: where it
            raises, answers nonsense or is set aside for it, a SkillRouter decides, and the log says so.
        node: this centre's name: calls whose channel variable ``cti_node`` is this are its own.
        on_script_error: what becomes of a call whose script raised: ``"hang up"``, or the id of a queue it goes to.
        bridge_at: when an agent who answers is connected: ``"answer"`` at once, 40 ms to the caller's ear; ``"park"``
            25 ms later, when FreeSWITCH's originate has let go of the leg. At the answer, under heavy load, about one
            bridge in a thousand collides with the end of originate: FreeSWITCH drops that agent's leg, the caller keeps
            the place and is offered again. At the park that cannot happen.
        journal: where every fact is written with its time (docs/journal.md): a directory, or a Journal. Whatever
            happens to it, calls go on. ``stop`` closes it.
        allowed_destinations: which numbers agents may have called, and how (``Destination``); by default none. Toll
            fraud is the risk.
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
        journal: str | os.PathLike[str] | Journal | None = None,
        allowed_destinations: Iterable[Destination] = (),
        seed: int | None = None,
    ) -> None:
        host, port = address(switch)
        self._journal = Journal(journal) if isinstance(journal, str | os.PathLike) else journal
        chance = random.SystemRandom() if seed is None else random.Random(seed)
        if seed is None and self._journal is not None:  # a generator whose state a snapshot can hold
            chance = random.Random(chance.getrandbits(256))
        epoch = time.time() - time.monotonic()
        ids = IdSource(chance.getrandbits, epoch=epoch)
        decides: Router = SkillRouter(chance=chance.random)
        if isinstance(router, SkillRouter | GuardedRouter):
            decides = router
        elif router is not None:
            # A clock would make what is decided depend on the machine, and a journal could not be replayed.
            clock = time.monotonic if self._journal is None else None
            decides = GuardedRouter(router, decides, clock=clock, on_fault=_router_fault)
        if self._journal is None:
            engine = Engine(ids, decides)
        else:
            engine = RecordedEngine(ids, decides, self._journal, chance=chance, epoch=epoch, node=node)
        self._loop = EngineLoop(engine, on_event=self._told)
        self._loop.ask(services.DestinationsDefined(tuple(allowed_destinations)))
        switch_id = SwitchId(f"{host}:{port}")
        self.switch = FreeSwitch(
            host, port, password, on_fact=self._loop.submit, switch=switch_id, node=node, bridge_at=bridge_at
        )
        self._loop.switches[switch_id] = self.switch
        self._scripts = Scripts(self._loop, self._make_call, self._request, on_script_error)
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
            self._scripts.on_number(number, script)
            return script

        return register

    def script(self, name: str) -> Callable[[Script], Script]:
        """Decorate the script for calls that overflow to ``ToScript(name)``; it runs as one of ``on_call`` does.

        The call keeps its age and place: ``call.queue`` puts it back where it was.
        """

        def register(script: Script) -> Script:
            self._scripts.on_name(name, script)
            return script

        return register

    def route_script(self, name: str) -> Callable[[RouteScript], RouteScript]:
        """Decorate the route script that queues with ``route_script=name`` ask about every call that comes.

        It is called with a Request in a greenlet of its own, may block, and returns a RouteSelect, or None to leave the
        call to the router. When it raises, returns something else, or takes longer than the queue's
        ``route_deadline_s``, the router decides, and RouteEnded says why. ``plan.select`` of a Plan is a route script.
        """

        def register(script: RouteScript) -> RouteScript:
            self._scripts.on_route(name, script)
            return script

        return register

    def advice(self) -> list[str]:
        """What of the configuration probably does not do what was meant, one sentence each.

        A queue whose requirement no agent meets, an agent who meets none, a script that is named and not there.
        ``start`` logs it.
        """
        world = self._loop.engine.world
        settings = [queue.settings for queue in world.queues.values()]
        targets = [target for each in settings for target in (each.overflow, *each.overflows.values())]
        scripts = {target.script for target in targets if isinstance(target, ToScript)}
        routes = {each.route_script for each in settings if each.route_script}
        return [*advice(world), *self._scripts.missing(scripts, routes)]

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
        for each in self.advice():
            _log.warning("configuration", advice=each)
        self.switch.start()
        self._watchdog = gevent.spawn(self._watch)

    def stop(self) -> None:
        """Disconnect. Calls on the switch go on without us; scripts end with CallGone or LinkClosed."""
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog = None
        self.switch.stop()
        self._scripts.stop()
        self._loop.stop()
        if self._journal is not None:
            self._journal.close()
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

    # -- the engine tells ------------------------------------------------------------------------------------------

    def _told(self, event: events.Event) -> None:
        self._scripts.told(event)
        if isinstance(event, events.InvariantBroken):
            _log.error("an invariant is broken", what=event.what)

    def _make_call(self, offered: events.Offered) -> Call:
        channel = self._loop.engine.world.interactions[offered.interaction].caller
        return Call(offered, channel, self.switch, self._loop, self._request)

    def _request(self, event: events.CallEvent) -> Request:
        """What a plan or a route script is told of a call."""
        return Request(
            calling_number=event.calling_number,
            called_number=event.called_number,
            at=time.time(),
            calling_name=event.calling_name,
            data=dict(event.data),
            presence=self.presence,
            load=self.load,
        )

    def presence(self, agent: str) -> str | None:
        """What an agent is doing, in one word (``cti.model.personal.presence_of``); None for one whom there is not."""
        known = self._loop.engine.world.agents.get(AgentId(agent))
        return presence_of(known) if known is not None else None

    def load(self, queue: str) -> QueueLoad | None:
        """How a queue stands: calls waiting, agents logged on, expected wait; None for one that there is not."""
        world = self._loop.engine.world
        known = world.queues.get(QueueId(queue))
        if known is None:
            return None
        waiting = known.figures.waiting
        return QueueLoad(waiting, world.staff.count(known.id), world.staff.expected_wait_s(known, waiting + 1))

    def _watch(self) -> None:
        said: set[str] = set()
        while True:
            gevent.sleep(WATCHDOG_EVERY_S)
            found = set(broken(self._world_now(), grace_s=WATCHDOG_GRACE_S))
            for what in sorted(found - said):
                _log.error("an invariant is broken", what=what)
            said = found


def _router_fault(fault: RouterFault) -> None:
    _log.error("the router did something wrong", asked=fault.asked, what=fault.what, took_s=fault.took_s)


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
