"""The call centre that a host application embeds: everything wired together, scripted in plain blocking Python."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import gevent
import gevent.event
import structlog

from cti.alarms.board import AlarmBoard
from cti.call import Call
from cti.callback_offer import without_callbacks
from cti.centre_agents import CentreAgents
from cti.centre_callbacks import CentreCallbacks
from cti.centre_calls import CentreCalls
from cti.centre_messages import CentreMessages
from cti.centre_settings import address, event_class, log_router_fault, offered, settings_of
from cti.centre_switches import CentreSwitches
from cti.engine import Engine
from cti.engine.advice import advice
from cti.engine.invariants import broken
from cti.engine_loop import EngineLoop, Subscription
from cti.messages import Messages
from cti.messages.mailroom import Mailroom
from cti.model import events, facts, services
from cti.model.contact import AllowedContacts
from cti.model.ids import IdSource, QueueId
from cti.model.party import Destination
from cti.model.queue import QueueSettings
from cti.model.states import InteractionState
from cti.privileges import AllowAll, SupervisionPolicy
from cti.recordings import Recordings
from cti.routing import GuardedRouter, Router, SkillRouter
from cti.scripts import RouteScript, Script, Scripts
from cti.store import HistoryStore, Journal, RecordedEngine
from cti.switch import BridgeAt

WATCHDOG_EVERY_S: Final = 10.0
"""How often the invariants are checked; each failure is logged and told as InvariantBroken."""
WATCHDOG_GRACE_S: Final = 5.0
NOTES_SAID: Final = 20
"""How much of what is wrong with a journal goes to the log."""

_log = structlog.get_logger("cti")


class CallCenter(CentreAgents, CentreCalls, CentreSwitches, CentreMessages, CentreCallbacks):
    """A call centre on a FreeSWITCH, or on several.

    Set it up (queues, agents, scripts, subscriptions), then ``start`` it and go on, or ``run_forever``. Everything
    but these two can be done at any time, before and after. It neither monkey-patches nor configures logging nor
    installs signal handlers: those are the host's. All its methods must be called in the thread that made it.

    Args:
        switch: ``host:port`` of FreeSWITCH's event socket; the port may be left out (8021). IPv6 as ``[::1]:8021``.
            None where ``add_switch`` names several.
        password: the event socket's password.
        router: decides which call goes to which agent; a SkillRouter if not given. One of your own is guarded: where it
            raises, answers nonsense or is set aside for it, a SkillRouter decides, and the log says so.
        node: this centre's name: calls whose channel variable ``cti_node`` is this are its own.
        on_script_error: what becomes of a call whose script raised: ``"hang up"``, or the id of a queue it goes to.
        bridge_at: when an agent who answers is connected: ``"park"`` when FreeSWITCH's originate has let go of the leg, 65 ms
            to the caller's ear; ``"answer"`` at once, 25 ms earlier. At the answer, on a busy machine, up to one bridge in a
            hundred collides with the end of originate: FreeSWITCH drops that agent's leg, or both hear nothing for three
            seconds; the caller keeps the place and is offered again. At the park that cannot happen.
        doorbell: ``host:port`` where FreeSWITCH sends a datagram with each urgent event (docs/switches.md): events are here
            in a fraction of a millisecond, and nobody has to wake it 500 times a second. Empty for none.
        journal: where every fact is written with its time (docs/journal.md): a directory, or a Journal. Whatever
            happens to it, calls go on. ``stop`` closes it. What the run before has left there is taken up: agents'
            sessions, queues' figures, calls in their places.
        allowed_destinations: which numbers agents may have called, and how (``Destination``); by default none. Toll
            fraud is the risk.
        allowed_contacts: which phones others than the operator may give to agents, besides registered users: rules such
            as ``sofia/gateway/mobile/1*`` (docs/phones.md); by default none. Toll fraud is the risk.
        recordings: where recordings go (docs/recording.md); None records nothing.
        supervision_policy: says who may listen to whom, and more (docs/supervision.md); everybody if not given.
        messages: where voice messages and faxes are kept (docs/voicemail.md); None keeps none.
        history: where what has happened to each call is kept (docs/history.md): a HistoryStore, or an SQLite file's path;
            None keeps none. ``stop`` closes it.
        seed: makes ids reproducible; leave it out in production.
    """

    def __init__(
        self,
        switch: str | None = "127.0.0.1:8021",
        password: str = "ClueCon",  # noqa: S107 - FreeSWITCH's own default
        *,
        router: Router | None = None,
        node: str = "cti",
        on_script_error: str = "hang up",
        bridge_at: BridgeAt = "park",
        doorbell: str = "",
        journal: str | os.PathLike[str] | Journal | None = None,
        allowed_destinations: Iterable[Destination] = (),
        allowed_contacts: Iterable[str] = (),
        recordings: Recordings | None = None,
        supervision_policy: SupervisionPolicy | None = None,
        messages: Messages | None = None,
        history: str | os.PathLike[str] | HistoryStore | None = None,
        seed: int | None = None,
    ) -> None:
        self._history = HistoryStore(os.fspath(history)) if isinstance(history, str | os.PathLike) else history
        self._journal = Journal(journal) if isinstance(journal, str | os.PathLike) else journal
        chance = random.SystemRandom() if seed is None else random.Random(seed)
        if seed is None and self._journal is not None:  # a generator whose state a snapshot can hold
            chance = random.Random(chance.getrandbits(256))
        past = self._journal.past() if self._journal is not None else None
        began = time.monotonic()
        now = (
            began if past is None else past.clock_at(time.time())
        )  # it goes on where it was, whatever has been rebooted
        epoch = time.time() - now
        ids = IdSource(chance.getrandbits, epoch=epoch)
        decides: Router = SkillRouter(chance=chance.random)
        if isinstance(router, SkillRouter | GuardedRouter):
            decides = router
        elif router is not None:
            # A clock would make what is decided depend on the machine, and a journal could not be replayed.
            clock = time.monotonic if self._journal is None else None
            decides = GuardedRouter(router, decides, clock=clock, on_fault=log_router_fault)
        if self._journal is None:
            engine = Engine(ids, decides)
        else:
            engine = RecordedEngine(
                ids, decides, self._journal, chance=chance, epoch=epoch, node=node, past=past, now=now
            )
        self._loop = EngineLoop(engine, on_event=self._told, clock=lambda: time.monotonic() - began + now)
        self._contacts = AllowedContacts(allowed_contacts)
        self._loop.ask(services.DestinationsDefined(tuple(allowed_destinations)))
        self.alarms = AlarmBoard(self._loop.tell, self._loop.now)
        """The alarms that are raised now; ``AlarmWatch`` raises them, and the host may."""
        self._policy = supervision_policy or AllowAll()
        self._recordings = recordings
        if recordings is not None:
            self._loop.ask(services.RecordingsDefined(recordings.settings))
            self._loop.subscribe(
                (events.RecordingEnded,),
                lambda ended: self._loop.submit(recordings.take(ended, self._loop.now())),
            )
        self._scripts = Scripts(self._loop, self._make_call, self._request, on_script_error)
        self._call_of = self._scripts.call
        self._no_switches(node, bridge_at)
        self._messages = messages
        self._mailroom = Mailroom(self._loop, messages, self._switches)
        if switch is not None:
            host, port = address(switch)
            self.add_switch(f"{host}:{port}", switch, password, doorbell=doorbell)
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
        self._loop.ask(facts.QueueDefined(settings_of(QueueSettings, id=QueueId(queue), **settings)))

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
        scripts = {name for each in settings for name in each.scripts}
        routes = {each.route_script for each in settings if each.route_script}
        waiting = [said for each in self._waitings.values() for said in each.advice()]
        callbacks = without_callbacks(settings) if self._scripts.calls_back else []
        return [*advice(world), *callbacks, *dict.fromkeys(waiting), *self._scripts.missing(scripts, routes)]

    def on(self, *wanted: type[Any] | str) -> Callable[[Callable[[Any], object]], Callable[[Any], object]]:
        """Decorate a handler of events, given by class or name; a class includes its subclasses.

        Raises:
            UnknownEvent: there is no event of this name; the message names the nearest.
        """
        classes = tuple(event_class(name) for name in wanted)

        def register(handler: Callable[[Any], object]) -> Callable[[Any], object]:
            self._loop.subscribe(classes, handler)
            return handler

        return register

    def subscribe(self, handler: Callable[[Any], object], *wanted: type[Any] | str) -> Subscription:
        """Call ``handler`` with every event of these classes or names until ``unsubscribe``.

        Raises:
            UnknownEvent: there is no event of this name; the message names the nearest.
        """
        return self._loop.subscribe(tuple(event_class(name) for name in wanted), handler)

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription."""
        self._loop.unsubscribe(subscription)

    # -- life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect to the switch. Blocks until the link is live or refused; from then on it is kept up.

        Of several switches one that cannot be reached is tried again and again, and the others go on without it.

        Calls of the run before are in the model again when it returns: those that a script had begin with their script
        from the top, all others stay where they are. Agents whom a journal knows and the program has not defined until
        now are forgotten, unless they are on a call.

        Raises:
            ConfigurationError: there is no switch.
            ConnectFailed: nothing answers at the address, of several at any of them.
            AccessDenied: the switch's access list refuses us.
            AuthenticationFailed: the password is wrong.
            SwitchTooOld: FreeSWITCH is older than supported.
        """
        for each in self.advice():
            _log.warning("configuration", advice=each)
        self._forget_switches()
        self._connect()
        self._take_up()
        for waiting in self._waitings.values():
            waiting.start()
        self._mailroom.start()
        self._watchdog = gevent.spawn(self._watch)

    def _take_up(self) -> None:
        """Go on with what the run before was doing: its timers, its scripts."""
        engine = self._loop.engine
        world = engine.world
        if isinstance(engine, RecordedEngine) and self._history is not None:
            for ended in engine.taken_up.ended:  # it may have been told just before the end, and not been written
                self._history.take(ended)
        if isinstance(engine, RecordedEngine) and engine.taken_up.figures:
            _log.info("taken up from the journal", **engine.taken_up.figures, notes=engine.taken_up.notes[:NOTES_SAID])
            for name in sorted(engine.taken_up.agents & set(world.agents)):
                if world.agents[name].interaction is None:
                    self._loop.ask(facts.AgentRemoved(name))
            left = sorted(engine.taken_up.queues | (engine.taken_up.agents & set(world.agents)))
            if left:
                _log.warning("the journal knows queues, or agents on a call, that have not been defined", names=left)
            self._loop.arm(engine.due)
        self._take_up_callbacks()
        for call in list(world.interactions.values()):
            in_hand = call.state is InteractionState.OFFERED and not call.place_kept
            self._scripts.take_up(offered(call), self._hush if in_hand else None, call.script)

    def stop(self) -> None:
        """Disconnect. Calls on the switch go on without us; scripts end with CallGone or LinkClosed."""
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog = None
        self._mailroom.stop()
        self._disconnect()
        self._scripts.stop()
        self._loop.stop()
        for kept in (self._journal, self._history):
            if kept is not None:
                kept.close()
        self._stopped.set()

    def run_forever(self) -> None:
        """Start if need be, then block until ``stop``, Ctrl-C, or a link that fails for good.

        Raises:
            LinkError: as ``start``, or when the switch refuses us later (a changed password, say).
        """
        if self._watchdog is None:
            self.start()
        try:
            gevent.wait([self._stopped, self.failed], count=1)
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()
        if self.failed.ready():
            self.failed.get()

    # -- the engine tells ------------------------------------------------------------------------------------------

    def _told(self, event: events.Event) -> None:
        self._attended(event)
        self._scripts.told(event)
        self._mailroom.told(event)
        if isinstance(event, events.InteractionEnded) and self._history is not None:
            self._history.take(event.history)
        elif isinstance(event, events.InvariantBroken):
            _log.error("an invariant is broken", what=event.what)

    def _make_call(self, offered: events.Offered) -> Call:
        channel = self._loop.engine.world.interactions[offered.interaction].caller
        switch = self._switch_of(offered.switch)
        return Call(offered, channel, switch, self._loop, self._request, mailroom=self._mailroom)

    def _watch(self) -> None:
        said: set[str] = set()
        while True:
            gevent.sleep(WATCHDOG_EVERY_S)
            found = set(broken(self._loop.world_now(), grace_s=WATCHDOG_GRACE_S))
            for what in sorted(found - said):
                _log.error("an invariant is broken", what=what)
                self._loop.tell(events.InvariantBroken(at=self._loop.now(), what=what))
            said = found
