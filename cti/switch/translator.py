"""What one FreeSWITCH says as facts, what is wanted of it as commands. It knows neither sockets nor time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import structlog

from cti.errors import CommandRejected, CtiError
from cti.esl import Command, Event, Frame
from cti.model import facts, intents
from cti.model.cause import Cause
from cti.model.device import device_of
from cti.model.ids import SwitchId
from cti.switch import registrations, trunks
from cti.switch.awaited import Awaited
from cti.switch.causes import cause_of
from cti.switch.event_fact import BridgeAt, EventFacts
from cti.switch.intent_command import ORIGINATE_GRACE_S, commands_for
from cti.switch.own_calls import OwnCalls
from cti.switch.registrations import Registrations
from cti.switch.snapshot import dumped, seen
from cti.switch.timing import REPLY_TIMEOUT_S
from cti.switch.trunks import Trunks

SUBCLASSES: Final = (*registrations.SUBCLASSES, *trunks.SUBCLASSES)
"""The ``CUSTOM`` events to subscribe to, beside ``event_fact.EVENTS``."""

_log = structlog.get_logger("cti.switch")


class Translator:
    """Translates for one switch, over whatever link there is. Nothing in it blocks.

    The link's life is told to it in this order: ``connecting``, ``authenticated``, ``snapshot_taken``, ``lost``; events
    may come from ``connecting`` on, and their facts are held back until the snapshot has been told.

    Args:
        switch: the id that facts and intents call it by.
        node: our centre's name; only channels whose ``cti_node`` is this are ours.
        submit: sends a command; the reply, or the error that ended the wait, goes to the function handed in with it.
        awaited: who waits for the jobs of this switch; whoever reads its events tells it of each BACKGROUND_JOB.
        on_fact: takes each fact, in order; must not block.
        bridge_at: ``"answer"`` or ``"park"``, see CallCenter.
    """

    def __init__(
        self,
        switch: SwitchId,
        node: str,
        *,
        submit: Callable[[Command, Callable[[Frame | Exception], None]], None],
        awaited: Awaited,
        on_fact: Callable[[facts.Fact], None],
        bridge_at: BridgeAt = "park",
    ) -> None:
        self._switch = switch
        self._node = node
        self._submit = submit
        self._awaited = awaited
        self._on_fact = on_fact
        self._facts = EventFacts(switch, node, bridge_at)
        self.registrations = Registrations(switch, submit=submit, later=awaited.later, tell=on_fact)
        """Which phones are registered; what it tells is not held back, since it is about no leg."""
        self.trunks = Trunks(switch, submit=submit, later=awaited.later, tell=on_fact)
        """Which gateways are in service; the same."""
        self._own_calls = OwnCalls(switch, node, self.registrations.watched)
        self._held_back: list[facts.Fact] | None = None
        self._log = _log.bind(switch=switch)

    # -- the link's life ------------------------------------------------------------------------------------------

    def connecting(self) -> None:
        """An attempt to reach the switch begins."""
        self._held_back = []
        self._on_fact(facts.LinkConnecting(self._switch))

    def authenticated(self) -> None:
        """The switch has let us in, and sends events; the snapshot is being taken."""
        self._own_calls.snapshotting()
        self._on_fact(facts.LinkAuthenticated(self._switch))

    def snapshot_taken(self, dumps: Iterable[str], *, restarted: bool) -> None:
        """The answers to ``uuid_dump`` of all channels; what happened meanwhile is told after it.

        Args:
            dumps: one answer a channel.
            restarted: whether it is not the FreeSWITCH process that we knew.
        """
        alive = tuple(dumped(dumps))
        snapshot = facts.SnapshotTaken(self._switch, seen(alive, self._node), restarted, self._own_calls.seen(alive))
        held_back, self._held_back = self._held_back or [], None
        self._on_fact(snapshot)
        for fact in held_back:
            self._on_fact(fact)
        self.trunks.look()

    def lost(self) -> None:
        """The link is down; what was held back is forgotten, the next snapshot tells it."""
        self._held_back = None
        self.registrations.lost()
        self.trunks.lost()
        self._own_calls.lost()
        self._on_fact(facts.LinkLost(self._switch))

    # -- events ---------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> bool:
        """Tell what an event means; whether it meant anything to us."""
        if event.name == "CUSTOM":
            return self.registrations.take(event) or self.trunks.take(event)
        own = self._own_calls.facts(event)
        for each in own:
            self._tell(each)
        fact = self._facts.fact(event)
        if fact is None:
            return bool(own)
        if isinstance(fact, facts.Originated):
            self._awaited.drop(fact.connection)  # the channel exists: from now on its own events tell its end
        self._tell(fact)
        return True

    def _tell(self, fact: facts.Fact) -> None:
        if self._held_back is not None:
            self._held_back.append(fact)  # the snapshot comes first
        else:
            self._on_fact(fact)

    # -- intents --------------------------------------------------------------------------------------------------

    def execute(self, intent: intents.SwitchIntent) -> bool:
        """Carry out an intent; what becomes of it comes back as a fact. Whether its commands could be written."""
        if isinstance(intent, intents.WatchDevice):
            self.registrations.watch(intent.device)
            for call in self._own_calls.of(intent.device, self.registrations.named(intent.device)):
                self._tell(call)
            return True
        if isinstance(intent, intents.UnwatchDevice):
            self.registrations.unwatch(intent.device)
            return True
        if isinstance(intent, intents.OfferCall | intents.MakeConnection):
            self._await_leg(intent)
        try:
            commands = commands_for(intent, self._node)
            for command in commands[:-1]:
                self._submit(command, _nothing)
            self._submit(commands[-1], lambda reply: self._replied(intent, reply))
        except CtiError as error:
            self._refused(intent, str(error))
            return False
        return True

    def _replied(self, intent: intents.LegIntent, reply: Frame | Exception) -> None:
        if isinstance(reply, Exception):
            return  # the link is gone; the snapshot after it tells
        if isinstance(intent, intents.CheckConnection):
            if reply.reply_text == "false":
                self._tell(
                    facts.ConnectionCleared(
                        self._switch, intent.connection, Cause.SWITCHING_FUNCTION_TERMINATED, "NOT_THERE_ANY_MORE"
                    )
                )
        elif not reply.ok:
            self._refused(intent, reply.error or "")

    def _refused(self, intent: intents.LegIntent, why: str) -> None:
        if isinstance(intent, intents.OfferCall | intents.MakeConnection):
            self._awaited.forget(intent.leg, CommandRejected("originate", why))
        elif isinstance(intent, intents.Bridge):
            self._tell(facts.BridgeFailed(self._switch, intent.connection, intent.other, why.strip()))
        elif isinstance(intent, intents.StartRecording | intents.PauseRecording | intents.Announce):
            what = f"{type(intent).__name__}: {why.strip()}"
            self._tell(facts.RecordingFailed(self._switch, intent.connection, intent.path, what))
        elif not isinstance(
            intent, intents.ClearConnection | intents.TagConnection | intents.KeepData
        ):  # a leg may be gone already
            self._log.info("intent refused", intent=type(intent).__name__, leg=intent.connection, why=why.strip())

    def _await_leg(self, offer: intents.OfferCall | intents.MakeConnection) -> None:
        def told(outcome: Event | CtiError) -> None:
            if isinstance(outcome, CommandRejected):
                self._tell(facts.Failed(self._switch, offer.leg, Cause.DEST_NOT_OBTAINABLE, outcome.reply.strip()))
            elif isinstance(outcome, Event) and (why := (outcome.body or "").strip()).startswith("-ERR"):
                switch_cause = why.removeprefix("-ERR").strip()
                self._tell(facts.Failed(self._switch, offer.leg, cause_of(switch_cause), switch_cause))
                device = device_of(offer.contact) if switch_cause == "USER_NOT_REGISTERED" else None
                if device is not None:
                    self.registrations.refused(device)

        timeout = offer.ring_timeout_s + ORIGINATE_GRACE_S + REPLY_TIMEOUT_S
        self._awaited.add(offer.leg, "originate", told, timeout=timeout)


def _nothing(_: Frame | Exception) -> None:
    """What is done with the reply to a command that is not an intent's last."""
