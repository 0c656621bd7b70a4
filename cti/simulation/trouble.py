"""Makes the faults of a profile happen, by chance from a seed: to events, to commands, to the link, to the switch."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from cti.esl import Event, Frame
from cti.model.ids import SwitchId
from cti.sim import Phone, Phones, Scheduler
from cti.simulation.faults import FaultProfile

FLUSH_S = 0.1
"""So long may a fact wait to be written: twice as long as in a Journal."""
_SWAP_S = 1.0
"""How long an event that is to come after the next one waits for a next one."""

Fate = Literal["", "refused", "lost", "stuck"]


class Trouble:
    """What happens to what passes the virtual link; and, once started, to the link and the switch.

    Args:
        profile: how often.
        scheduler: time.
        seed: the same seed and the same traffic bring the same faults.
    """

    def __init__(self, profile: FaultProfile, scheduler: Scheduler, seed: int) -> None:
        self._profile = profile
        self._scheduler = scheduler
        self._chance = random.Random(seed)
        self._later: list[Event] = []
        self._stuck_at: float | None = None
        self._over = False
        self.counts: dict[str, int] = {}
        """How often each fault has struck."""
        self._events = bool(
            profile.events_lost or profile.events_late or profile.events_doubled or profile.events_swapped
        )

    def start(
        self,
        *,
        switches: Sequence[SwitchId],
        drop: Callable[[SwitchId], None],
        restart: Callable[[SwitchId], None],
        kill: Callable[[], None] = lambda: None,
        phones: Mapping[SwitchId, Phones],
    ) -> None:
        """Begin with what comes by itself.

        Args:
            switches: what may be struck; one as often as another.
            drop: cuts the link to one.
            restart: lets one die and come back.
            kill: lets our own process die and come back.
            phones: the agents', by switch.
        """
        profile = self._profile

        def one() -> SwitchId:
            return self._chance.choice(switches) if len(switches) > 1 else switches[0]

        self._every(profile.drops_every_s, "links dropped", lambda: drop(one()))
        self._every(profile.restarts_every_s, "restarts", lambda: restart(one()))
        self._every(profile.unplugged_every_s, "phones unplugged", lambda: self._unplug(list(phones[one()])))
        if profile.kills_every_s is not None:
            self._scheduler.call_later(profile.kills_every_s, self._kill, profile.kills_every_s, kill)
        if profile.unanswered_every_s is not None:
            self._next_stuck(profile.unanswered_every_s)

    def stop(self) -> None:
        """No new faults; phones that are unplugged come back in their time, events that are late still come."""
        self._over = True

    def away_s(self) -> float:
        """How long the switch cannot be reached this time."""
        return self._chance.expovariate(1 / self._profile.away_s)

    # -- events ---------------------------------------------------------------------------------------------------

    def pass_on(self, event: Event, deliver: Callable[[Event], object]) -> None:
        """Let an event through: now, later, twice, after the next one, or not at all."""
        if self._over or not self._events:
            self._deliver(event, deliver)
            return
        profile = self._profile
        roll = self._chance.random()
        if roll < profile.events_lost:
            self._count("events lost")
            return
        roll -= profile.events_lost
        if roll < profile.events_late:
            self._count("events late")
            self._scheduler.call_later(self._chance.uniform(0.0, profile.late_s), deliver, event)
            return
        roll -= profile.events_late
        if roll < profile.events_swapped:
            self._count("events swapped")
            self._later.append(event)
            self._scheduler.call_later(_SWAP_S, self._let_out, event, deliver)
            return
        roll -= profile.events_swapped
        self._deliver(event, deliver)
        if roll < profile.events_doubled:
            self._count("events doubled")
            deliver(event)

    def forget(self) -> None:
        """The link is down: what it still carried never comes."""
        self._later.clear()

    def _deliver(self, event: Event, deliver: Callable[[Event], object]) -> None:
        deliver(event)
        while self._later:
            deliver(self._later.pop(0))

    def _let_out(self, event: Event, deliver: Callable[[Event], object]) -> None:
        waiting = [other for other in self._later if other is not event]
        if len(waiting) < len(self._later):  # or it has been let out already
            self._later = waiting
            deliver(event)

    # -- commands -------------------------------------------------------------------------------------------------

    def fate(self, *, job: bool) -> Fate:
        """What becomes of a command of a call.

        Args:
            job: whether its outcome comes as an event, some time after the reply.
        """
        if self._over:
            return ""
        if self._stuck_at is not None and self._scheduler.now() >= self._stuck_at:
            assert self._profile.unanswered_every_s is not None
            self._next_stuck(self._profile.unanswered_every_s)
            self._count("commands never answered")
            return "stuck"
        roll = self._chance.random()
        if roll < self._profile.commands_refused:
            self._count("commands refused")
            return "refused"
        if job and roll - self._profile.commands_refused < self._profile.jobs_lost:
            self._count("jobs lost")
            return "lost"
        return ""

    def reply(self, text: str, answer: Callable[[Frame], None]) -> None:
        """Answer in the switch's place, a moment later as it would."""
        frame = Frame("command/reply", f"Content-Type: command/reply\nReply-Text: {text}".encode())
        self._scheduler.call_later(0.0, answer, frame)

    # -- the rest -------------------------------------------------------------------------------------------------

    def _every(self, mean_s: float | None, what: str, strike: Callable[[], None]) -> None:
        if mean_s is None:
            return

        def due() -> None:
            if not self._over:
                self._count(what)
                strike()
                self._every(mean_s, what, strike)

        self._scheduler.call_later(self._chance.expovariate(1 / mean_s), due)

    def _kill(self, every_s: float, kill: Callable[[], None]) -> None:
        if not self._over:
            self._count("kills")
            kill()
            self._scheduler.call_later(every_s, self._kill, every_s, kill)

    def unwritten_s(self) -> float:
        """How much of what our process did was not in its journal yet when it was killed."""
        return self._chance.uniform(0.0, FLUSH_S)

    def _unplug(self, phones: list[Phone]) -> None:
        phone = self._chance.choice(phones)
        phone.registered = False
        self._scheduler.call_later(self._chance.expovariate(1 / self._profile.unplugged_s), _plug, phone)

    def _next_stuck(self, mean_s: float) -> None:
        self._stuck_at = self._scheduler.now() + self._chance.expovariate(1 / mean_s)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def _plug(phone: Phone) -> None:
    phone.registered = True
