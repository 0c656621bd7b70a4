"""When an alarm is raised and when it is over: a pure function of what was observed, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, frozen

from cti.alarms.kinds import Kind
from cti.model.ids import QueueId


@frozen
class Observation:
    """What one look says of one thing.

    Args:
        name: the kind of alarm.
        subject: what it is about.
        bad: whether there is cause for the alarm; None between the two limits: what holds goes on.
        cause: what was seen.
        queue: the queue it is about, if any.
    """

    name: str
    subject: str
    bad: bool | None
    cause: str = ""
    queue: QueueId | None = None


@frozen
class Verdict:
    """An alarm is to be raised or cleared, by what was observed."""

    seen: Observation
    raised: bool


@define
class _Case:
    last: Observation
    raised: bool = False
    turned_at: float | None = None
    """Since when it has been bad and is not raised yet, or has been good and is not cleared yet."""


class Judge:
    """Decides. Each look must tell all that is bad: what it does not tell any more counts as good.

    Args:
        kinds: the hold-off times by the alarms' names; others are not judged.
    """

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._cases: dict[tuple[str, str], _Case] = {}

    def know(self, raised: Observation) -> None:
        """Something is raised already; it will be cleared when it is over."""
        if raised.name in self._kinds:
            self._cases[raised.name, raised.subject] = _Case(raised, raised=True)

    def use(self, kinds: Mapping[str, Kind]) -> None:
        """Go by other hold-off times; what is not judged any more is forgotten."""
        self._kinds = kinds
        self._cases = {key: case for key, case in self._cases.items() if key[0] in kinds}

    def look(self, observations: Iterable[Observation], now: float) -> list[Verdict]:
        """What is to be raised and cleared now."""
        seen = {(one.name, one.subject): one for one in observations if one.name in self._kinds}
        verdicts = []
        for key, one in seen.items():
            case = self._cases.get(key)
            if case is None:
                if not one.bad:
                    continue
                case = self._cases[key] = _Case(one)
            verdicts += self._judge(key, case, one, now)
        for key in [key for key in self._cases if key not in seen]:
            case = self._cases[key]
            gone = Observation(*key, False, case.last.cause, case.last.queue)
            verdicts += self._judge(key, case, gone, now)
        return verdicts

    def _judge(self, key: tuple[str, str], case: _Case, one: Observation, now: float) -> list[Verdict]:
        case.last = one
        if one.bad is None or one.bad is case.raised:
            case.turned_at = None
            if not one.bad and not case.raised:
                del self._cases[key]
            return []
        if case.turned_at is None:
            case.turned_at = now
        kind = self._kinds[key[0]]
        if now - case.turned_at < (kind.clear_after_s if case.raised else kind.raise_after_s):
            return []
        case.raised, case.turned_at = not case.raised, None
        if not case.raised:
            del self._cases[key]
        return [Verdict(one, case.raised)]
