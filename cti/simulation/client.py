"""The real adapter on a simulated switch: the same commands, snapshot and translation as FreeSwitch, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from typing import Any, Final

from cti.errors import AccessDenied, AuthenticationFailed, CommandRejected, ConnectFailed, CtiError, LinkClosed
from cti.esl import RUDE_REJECTION, Api, Auth, BgApi, Command, Event, Frame, Subscribe
from cti.model import facts, intents
from cti.model.ids import SwitchId
from cti.sim import Handle, Scheduler, SimulatedSwitch
from cti.simulation.link import VirtualLink
from cti.simulation.trouble import Trouble
from cti.switch.awaited import Awaited
from cti.switch.backoff import BackOff
from cti.switch.event_fact import EVENTS
from cti.switch.snapshot import listed
from cti.switch.timing import Timing
from cti.switch.translator import SUBCLASSES, Translator

_NAMES: Final = sorted({*EVENTS, "BACKGROUND_JOB"})

Answered = Callable[[Any], None]
_Step = Callable[[Answered], None]
"""Something that answers later, by calling what it is handed; an exception is an answer too."""


class VirtualFreeSwitch:
    """Keeps a simulated switch connected, tells facts about it, and carries out intents; see FreeSwitch.

    Two connections, for events and for commands. There are no pings, canaries and heartbeats: what they guard against,
    a half-open connection and late events, is found by the commands' deadlines alone.

    Args:
        switch: the simulated switch.
        on_fact: takes each fact, in order.
        switch_id: the id that facts and intents call it by.
        node: our centre's name.
        timing: the waits; see Timing.
        chance: the back-off's jitter.
        trouble: faults; None for none.
    """

    def __init__(
        self,
        switch: SimulatedSwitch,
        *,
        on_fact: Callable[[facts.Fact], None],
        switch_id: SwitchId,
        node: str = "cti",
        timing: Timing | None = None,
        chance: random.Random | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        self._switch = switch
        self._scheduler: Scheduler = switch.scheduler
        self._timing = timing or Timing()
        self._back_off = BackOff(*self._timing.back_off_s, chance)
        self._trouble = trouble
        self._events: VirtualLink | None = None
        self._commands: VirtualLink | None = None
        self._opening: VirtualLink | None = None
        self._core = ""
        self._attempt = 0
        self._going_up: Generator[_Step, Any, None] | None = None
        self._retry: Handle | None = None
        self._up_since: float | None = None
        self._back_at = 0.0
        self._awaited = Awaited(self._scheduler.call_later)
        self._translator = Translator(switch_id, node, submit=self._submit, awaited=self._awaited, on_fact=on_fact)

    @property
    def live(self) -> bool:
        """Whether both links are up and the snapshot has been told."""
        return self._up_since is not None

    def start(self) -> None:
        """Connect, and from then on keep the links up."""
        self._begin()

    def stop(self) -> None:
        """Close the links and do not come back."""
        self._down(LinkClosed("closed by us"), come_back=False)

    def cut(self, away_s: float) -> None:
        """The network fails: the links are lost, and the switch cannot be reached for a while."""
        self._back_at = self._scheduler.now() + away_s
        self._down(LinkClosed("the network failed"))

    def execute(self, intent: intents.SwitchIntent) -> None:
        """Carry out an intent; what becomes of it comes back as a fact. Without a link it does nothing."""
        if self._commands is not None and self._commands.connected:
            self._translator.execute(intent)

    # -- up and down ----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._retry = None
        self._attempt += 1
        self._going_up = self._bring_up()
        self._go_on(self._attempt, None)

    def _go_on(self, attempt: int, answer: Any) -> None:
        if attempt != self._attempt or self._going_up is None:
            return  # an answer to an attempt that is over
        try:
            going_up = self._going_up
            step = going_up.throw(answer) if isinstance(answer, Exception) else going_up.send(answer)
        except StopIteration:
            self._going_up = None
            self._up_since = self._scheduler.now()
        except CtiError as error:
            self._down(error)
        else:
            step(lambda answer: self._go_on(attempt, answer))

    def _bring_up(self) -> Generator[_Step, Any, None]:
        """What EventSocket.start and FreeSwitch do, in the same order."""
        self._translator.connecting()
        if self._scheduler.now() < self._back_at:
            raise ConnectFailed("the switch cannot be reached")
        self._commands = commands = yield from self._open(_nothing)
        _accepted((yield _asking(commands, Auth(self._switch.password))), AuthenticationFailed)
        yield _asking(commands, Api("version"))
        core = (yield _asking(commands, Api("global_getvar core_uuid"))).text.strip()
        self._events = events = yield from self._open(self._take)
        _accepted((yield _asking(events, Auth(self._switch.password))), AuthenticationFailed)
        _accepted((yield _asking(events, Subscribe(_NAMES, SUBCLASSES))), CommandRejected)
        restarted, self._core = bool(self._core) and core != self._core, core
        self._translator.registrations.connected((yield _asking(commands, Api("global_getvar domain"))).text)
        self._translator.authenticated()
        channels = dict.fromkeys(listed((yield _asking(commands, Api("show", "channels as json"))).text))
        yield lambda answered: _wait(self._scheduler, self._timing.snapshot_lag_s, answered)
        channels.update(dict.fromkeys(listed((yield _asking(commands, Api("show", "channels as json"))).text)))
        dumps = []
        if channels:
            dumps = yield lambda answered: _asking_each(commands, "uuid_dump", channels, answered)
        self._translator.snapshot_taken(dumps, restarted=restarted)

    def _open(self, on_event: Callable[[Event], object]) -> Generator[_Step, Any, VirtualLink]:
        made: list[VirtualLink] = []

        def open_it(answered: Answered) -> None:
            made.append(
                VirtualLink(
                    self._switch.connect(),
                    self._scheduler,
                    on_greeting=answered,
                    on_event=on_event,
                    on_closed=self._closed,
                    trouble=self._trouble,
                    connect_timeout_s=self._timing.connect_timeout_s,
                )
            )
            self._opening = made[0]

        greeting = yield open_it
        if greeting == RUDE_REJECTION:
            raise AccessDenied("the switch refuses us by its access list")
        return made[0]

    def _closed(self, reason: Exception) -> None:
        self._down(reason)

    def _down(self, reason: Exception, *, come_back: bool = True) -> None:
        if self._retry is not None or (self._going_up is None and self._up_since is None):
            if not come_back and self._retry is not None:
                self._retry.cancel()
                self._retry = None
            return
        if self._up_since is not None:
            self._back_off.was_up(self._scheduler.now() - self._up_since)
        self._going_up = self._up_since = None
        self._attempt += 1
        if come_back:
            self._retry = self._scheduler.call_later(self._back_off.wait_s(), self._begin)
        links = (self._commands, self._events, self._opening)
        self._commands = self._events = self._opening = None
        for link in links:
            if link is not None:
                link.close(reason)
        if self._trouble is not None:
            self._trouble.forget()
        self._awaited.fail(LinkClosed(f"the link is down: {reason}"))
        self._translator.lost()

    # -- events and commands --------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if not self._translator.take(event) and event.name == "BACKGROUND_JOB":
            self._awaited.came(event.text("Job-UUID") or "", event)

    def _submit(self, command: Command, answer: Callable[[Frame | Exception], None]) -> None:
        link = self._commands
        if link is None:
            answer(LinkClosed("there is no link"))
            return
        if self._trouble is not None:
            job = isinstance(command, BgApi)
            fate = self._trouble.fate(job=job)
            if fate == "refused":
                self._trouble.reply("-ERR refused by the fault profile", answer)
                return
            if fate == "lost":
                self._trouble.reply("+OK Job-UUID: lost", answer)
                return
            if fate == "stuck":
                link.stuck = True
        link.submit(command, answer)


def _asking(link: VirtualLink, command: Command) -> _Step:
    return lambda answered: link.submit(command, answered)


def _asking_each(link: VirtualLink, command: str, arguments: dict[str, None], answered: Answered) -> None:
    """All in flight at once; what they printed, in order, or the error that ended the link."""
    texts: list[str] = []

    def came(reply: Frame | Exception) -> None:
        if isinstance(reply, Exception):
            answered(reply)
            return
        texts.append(reply.text)
        if len(texts) == len(arguments):
            answered(texts)

    for argument in arguments:
        link.submit(Api(f"{command} {argument} json"), came)


def _wait(scheduler: Scheduler, seconds: float, answered: Answered) -> None:
    scheduler.call_later(seconds, answered, None)


def _accepted(reply: Frame, error: type[AuthenticationFailed | CommandRejected]) -> None:
    if reply.ok:
        return
    if error is CommandRejected:
        raise CommandRejected("event", reply.reply_text)
    raise AuthenticationFailed(reply.reply_text)


def _nothing(_: Event) -> None:
    """What comes as an event on the connection for commands."""
