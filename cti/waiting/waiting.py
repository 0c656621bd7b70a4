"""What waiting callers hear, for a whole centre: it stands between the engine and the switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import gevent
import structlog
from attrs import define, evolve, field

from cti.call import Call
from cti.engine_loop import EngineLoop
from cti.errors import CallGone, LinkError
from cti.model import callback_events, events, facts, intents
from cti.model.cause import Cause
from cti.model.ids import ConnectionId, InteractionId, QueueId
from cti.model.overflow import Overflow
from cti.model.queue import QueueSettings
from cti.model.treatment import WaitingTreatment, is_language
from cti.switch import FreeSwitch
from cti.waiting.attendant import Attendant
from cti.waiting.prompt_files import missing_files
from cti.waiting.whisper import Whisper

MOST_SAID: Final = 1000
"""Prompts whose absence is logged once each; a template may stand for any number of them."""

_log = structlog.get_logger("cti.waiting")


@define(eq=False)
class _Stay:
    """One call in one queue."""

    queue: QueueId
    music: str
    attendant: Attendant | None
    """None where the queue has music and nothing else: the switch plays it without us."""
    greenlet: gevent.Greenlet[..., None] | None = None
    answered: ConnectionId | None = None
    """The leg of an agent who has answered: the two are being connected."""


@define
class _Standing:
    """A Standing, of a call of the centre."""

    call: Call
    loop: EngineLoop
    treatment: WaitingTreatment

    @property
    def position(self) -> int:
        return self.call.position

    @property
    def expected_wait_s(self) -> float | None:
        return self.call.expected_wait_s

    @property
    def language(self) -> str:
        known = self.loop.engine.world.interactions.get(self.call.id)
        named = known.data.get("language") if known is not None else None
        for language in (named, vars(self.call).get("language")):  # the class's own is nobody's choice
            if isinstance(language, str) and is_language(language):
                return language
        return self.treatment.language


@define(eq=False)
class Waiting:
    """Attends to the callers who wait; an Executor that carries out the intents of one switch.

    What the engine wants goes on to the switch as it is, but for a queue with a treatment its music, and for an agent who
    is to hear something first the bridge. Once an agent has answered nothing is begun any more on the caller's channel.

    Args:
        loop: runs the engine.
        switch: where the calls are.
        call: a call by its id; None for one that no script has had.
    """

    _loop: EngineLoop
    _switch: FreeSwitch
    _call: Callable[[InteractionId], Call | None]
    _stays: dict[InteractionId, _Stay] = field(factory=dict, init=False)
    _greeted: dict[InteractionId, set[QueueId]] = field(factory=dict, init=False)
    _whispers: dict[ConnectionId, Whisper] = field(factory=dict, init=False)
    _said: set[str] = field(factory=set, init=False)

    def start(self) -> None:
        """Attend to those who wait already, and say which prompts are missing. Blocks for as long as that takes."""
        for call in list(self._loop.engine.world.interactions.values()):
            stay = self._stays.get(call.id)
            here = call.switch == self._switch.id and not call.is_away
            if here and call.state.is_waiting and call.queue and (stay is None or stay.attendant is None):
                self._found(call.id, call.queue)
        try:
            for each in self.missing():
                _log.warning("configuration", advice=each)
        except LinkError as error:
            _log.warning("nobody knows which prompts are missing", reason=str(error))

    def stop(self) -> None:
        """End every attendant; what plays plays on."""
        whispers = list(self._whispers.values())
        self._whispers.clear()
        for whisper in whispers:
            whisper.cancel()
        for stay in self._stays.values():
            self._hush(stay)
        self._stays.clear()
        self._greeted.clear()

    def advice(self) -> list[str]:
        """What of the treatments will not work, one sentence each."""
        queues = self._loop.engine.world.queues
        return [
            f"queue {queue.id!r}: a key takes its callers to the queue {other!r}, which is not there"
            for queue in queues.values()
            if queue.settings.waiting is not None
            for other in queue.settings.waiting.queues
            if other not in queues
        ]

    def missing(self) -> list[str]:
        """The prompts of the treatments that the switch has not, one sentence each. Blocks.

        Raises:
            LinkError: the link to the switch is down.
        """
        return [
            f"queue {queue.id!r}: the switch has not {file!r}; callers hear the music on, and a tone in place of music"
            for queue in list(self._loop.engine.world.queues.values())
            if queue.settings.waiting is not None
            for file in missing_files(queue.settings.waiting, queue.id, self._switch.api)
        ]

    # -- what the engine wants of the switch --------------------------------------------------------------------------

    def execute(self, intent: intents.SwitchIntent) -> None:
        """Carry out an intent. Never blocks."""
        if isinstance(intent, intents.StartTreatment):
            stay = self._stay_of(intent.connection)
            if stay is not None and stay.attendant is not None:
                return
        elif isinstance(intent, intents.TagConnection) and intent.tags.get("cti_queue"):
            # Or the caller's * ends the music (mod_dptools.c: on_dtmf). It rides along: a command less for each call.
            intent = evolve(intent, tags={**intent.tags, "playback_terminators": "none"})
        elif isinstance(intent, intents.ResumeTreatment):
            stay = self._stay_of(intent.connection)
            if stay is not None:
                stay.answered = None
            if stay is not None and stay.attendant is not None:
                self._hush(stay)
                self._attend(self._loop.engine.world.connections[intent.connection].interaction, stay)
                return
        elif isinstance(intent, intents.Bridge):
            stay = self._stay_of(intent.connection)
            if stay is not None and stay.answered != intent.other:
                self._answered(stay, intent)
                return
        elif isinstance(intent, intents.ClearConnection | intents.StopListening):
            whisper = self._whispers.get(intent.connection)
            if whisper is not None:
                whisper.cancel()
        self._switch.execute(intent)

    def _stay_of(self, connection: ConnectionId) -> _Stay | None:
        leg = self._loop.engine.world.connections.get(connection)
        return self._stays.get(leg.interaction) if leg is not None else None

    def _answered(self, stay: _Stay, bridge: intents.Bridge) -> None:
        """An agent has answered: connect them now, or when they have heard what they are to hear."""
        stay.answered = bridge.other
        self._hush(stay)
        settings = self._settings(stay.queue)
        treatment = settings.waiting if settings is not None else None
        if treatment is None or not treatment.whisper:
            self._connect(stay, bridge)
            return
        leg = self._loop.engine.world.connections[bridge.connection]
        call = self._loop.engine.world.interactions[leg.interaction]

        def heard(*, connect: bool) -> None:
            if self._whispers.pop(bridge.other, None) is None:
                return
            if connect:
                self._connect(stay, bridge)
            else:  # the switch has not been asked, and so will never say what became of it
                self._loop.submit(facts.BridgeFailed(bridge.switch, bridge.connection, bridge.other, ""))

        def parked() -> bool | None:
            agent = self._loop.engine.world.connections.get(bridge.other)
            return agent.parked if agent is not None else None

        waited_s = call.waited_s(self._loop.now())
        whisper = Whisper(self._switch, bridge.other, treatment, stay.queue, waited_s, parked, heard, self._report)
        self._whispers[bridge.other] = whisper
        whisper.start()

    def _connect(self, stay: _Stay, bridge: intents.Bridge) -> None:
        if stay.attendant is not None and stay.attendant.just_began:
            # What the channel has been told to play and has not begun yet, it would play once the two are bridged, with
            # the agent made to wait (audio_bridge_thread in switch_ivr_bridge.c).
            self._switch.execute(intents.StopTreatment(bridge.switch, bridge.connection))
        self._switch.execute(bridge)

    # -- what the engine tells ----------------------------------------------------------------------------------------

    def told(self, event: events.Event) -> None:
        """Follow the calls on this switch. Never blocks."""
        if isinstance(event, events.Queued):
            self._queued(event)
        elif isinstance(event, events.Diverted):
            if event.to_script or event.destination:
                self._moved(event.interaction)
        elif isinstance(event, events.Established | events.Abandoned | callback_events.CallbackEvent):
            if not isinstance(event, callback_events.CallbackAnswered):
                self._left(event.interaction)
        elif isinstance(event, events.CallCleared):
            self._left(event.interaction)
            self._greeted.pop(event.interaction, None)
        elif isinstance(event, events.SystemStatus) and event.status == "normal":
            self._link_is_back()

    def _queued(self, event: events.Queued) -> None:
        assert event.queue is not None
        known = self._loop.engine.world.interactions.get(event.interaction)
        if known is None or known.is_away:
            return  # nobody is on the line
        stay = self._stays.get(event.interaction)
        if event.cause is not Cause.REMAINS_IN_QUEUE:
            self._enter(event.interaction, event.queue, settled=self._moved(event.interaction))
        elif stay is None:
            self._found(event.interaction, event.queue)

    def _found(self, interaction: InteractionId, queue: QueueId) -> None:
        """A call that was waiting before we were there: it hears something, and has been greeted."""
        self._greeted.setdefault(interaction, set()).add(queue)
        self._enter(interaction, queue, settled=False)

    def _enter(self, interaction: InteractionId, queue: QueueId, *, settled: bool) -> None:
        settings = self._settings(queue)
        if settings is not None:
            attendant = self._attendant(interaction, settings, settled=settled)
            stay = self._stays[interaction] = _Stay(queue, settings.music, attendant)
            self._attend(interaction, stay)

    def _attendant(self, interaction: InteractionId, settings: QueueSettings, *, settled: bool) -> Attendant | None:
        call, treatment = self._call(interaction), settings.waiting
        if call is None or treatment is None:
            return None
        greeted = self._greeted.setdefault(call.id, set())
        greet = settings.id not in greeted
        greeted.add(settings.id)
        standing = _Standing(call, self._loop, treatment)

        def go(target: Overflow) -> None:
            self._loop.ask(facts.DivertRequested(call.id, target))

        return Attendant(
            call._control,  # noqa: SLF001 - its script is waiting, and this speaks for it meanwhile
            settings.id,
            treatment,
            music=settings.music,
            standing=standing,
            go=go,
            missing=self._report,
            greet=greet,
            settled=settled,
        )

    def _left(self, interaction: InteractionId) -> _Stay | None:
        """A call waits no longer where it did, if it waited."""
        stay = self._stays.pop(interaction, None)
        if stay is not None:
            self._hush(stay)
        return stay

    def _moved(self, interaction: InteractionId) -> bool:
        """The same, and the caller is there and hears somebody else next; whether nothing played on their channel."""
        stay = self._left(interaction)
        if stay is not None and stay.attendant is not None and not stay.answered:
            call = self._loop.engine.world.interactions[interaction]
            self._switch.execute(intents.StopTreatment(call.switch, call.caller))
        return stay is None

    def _link_is_back(self) -> None:
        for interaction, stay in self._stays.items():
            if stay.attendant is not None and not stay.answered and not stay.greenlet:
                self._attend(interaction, stay)

    # -- attendants ---------------------------------------------------------------------------------------------------

    def _attend(self, interaction: InteractionId, stay: _Stay) -> None:
        if stay.attendant is not None:
            stay.greenlet = gevent.spawn(self._run, interaction, stay, stay.attendant, stay.greenlet)

    def _run(
        self,
        interaction: InteractionId,
        stay: _Stay,
        attendant: Attendant,
        before: gevent.Greenlet[..., None] | None,
    ) -> None:
        try:
            if before is not None:
                before.join()
            attendant.over = False
            attendant.run()
        except CallGone:
            pass
        except LinkError:
            _log.info("the link is down; a caller is attended to again when it is back", call=interaction)
        except Exception:  # noqa: BLE001 - a defect; the caller hears music, and can still be answered
            _log.exception("an attendant failed; its caller hears music", call=interaction, queue=stay.queue)
            known = self._loop.engine.world.interactions.get(interaction)
            if self._stays.get(interaction) is stay and not stay.answered and known is not None and stay.music:
                self._switch.execute(intents.StartTreatment(known.switch, known.caller, stay.music, replace=True))

    @staticmethod
    def _hush(stay: _Stay) -> None:
        """From now on nothing is begun, though its greenlet may only end a moment later."""
        if stay.attendant is not None:
            stay.attendant.over = True
        if stay.greenlet is not None and stay.greenlet is not gevent.getcurrent():
            stay.greenlet.kill(block=False)

    def _settings(self, queue: QueueId) -> QueueSettings | None:
        known = self._loop.engine.world.queues.get(queue)
        return known.settings if known is not None else None

    def _report(self, prompt: str, why: str) -> None:
        if prompt not in self._said and len(self._said) < MOST_SAID:
            self._said.add(prompt)
            _log.warning("a prompt cannot be played", prompt=prompt, why=why)
