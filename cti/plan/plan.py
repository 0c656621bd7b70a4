"""Routing plans: ordered rules, the first that holds for a request says where the call goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError
from cti.model.validate import name
from cti.plan.caller import FromCountry, FromRegion, NumberType
from cti.plan.condition import AnyOf, Condition, Not, holds, misses
from cti.plan.region import Regions
from cti.plan.request import Asked, Request
from cti.plan.route_select import RouteSelect


def _conditions(value: Iterable[Condition] | Condition) -> tuple[Condition, ...]:
    return tuple(value) if isinstance(value, Iterable) else (value,)


def _all_conditions(_instance: object, attribute: Attribute[Any], value: tuple[Condition, ...]) -> None:
    for one in value:
        if not isinstance(one, Condition):
            raise ConfigurationError(f"{attribute.name} has {one!r}; each must be a condition, with misses(asked)")


def _route(_instance: object, attribute: Attribute[Any], value: RouteSelect) -> None:
    if not isinstance(value, RouteSelect):
        raise ConfigurationError(f"{attribute.name} is {value!r}; it must be a RouteSelect")


@frozen
class Rule:
    """When all conditions hold, the call goes there.

    Args:
        name: what explanations call it.
        to: where the call goes.
        when: the conditions; none holds always.
    """

    name: str = field(validator=name)
    to: RouteSelect = field(validator=_route)
    when: tuple[Condition, ...] = field(default=(), converter=_conditions, validator=_all_conditions)


@frozen
class RuleExplained:
    """What became of one rule.

    Args:
        name: the rule's.
        misses: why it did not hold, one phrase a condition that did not; empty if it did.
        chosen: whether it decided.
    """

    name: str
    misses: tuple[str, ...]
    chosen: bool

    def __str__(self) -> str:
        if self.misses:
            return f"{self.name}: no, {'; '.join(self.misses)}"
        return f"{self.name}: {'chosen' if self.chosen else 'holds too, but an earlier one was chosen'}"


@frozen
class RouteExplained:
    """Each rule, in order, and what was chosen."""

    rules: tuple[RuleExplained, ...]
    select: RouteSelect

    def __str__(self) -> str:
        lines = [*map(str, self.rules), f"to {self.select.to}, by {self.select.rule or 'default'}"]
        return "\n".join(lines)


@frozen
class Plan:
    """Ordered rules: the first whose conditions all hold decides, else the default does.

    It keeps no state but what its Regions remember, reads no clock and does no I/O. It does not raise on anything that a
    caller sends; what the request's own ``presence`` and ``load`` raise comes through.

    Args:
        rules: in order.
        default: where a call goes that no rule is for.
        regions: looks up where callers are from; needed by rules that ask for it.

    Raises:
        ConfigurationError: two rules have one name, or a rule asks for regions and there are none.
    """

    rules: tuple[Rule, ...] = field(converter=tuple)
    default: RouteSelect = field(validator=_route)
    regions: Regions | None = None

    def __attrs_post_init__(self) -> None:
        seen: set[str] = set()
        for rule in self.rules:
            if rule.name in seen:
                raise ConfigurationError(f"two rules are called {rule.name!r}; give each a name of its own")
            seen.add(rule.name)
            if self.regions is None and any(map(_asks_for_region, _leaves(rule.when))):
                raise ConfigurationError(
                    f"rule {rule.name!r} asks where a number is from; give the plan regions, such as Regions('CN')"
                )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Rules that can never decide, since an earlier one asks for nothing more."""
        found = []
        for at, rule in enumerate(self.rules):
            for earlier in self.rules[:at]:
                if all(condition in rule.when for condition in earlier.when):
                    what = "always matches" if not earlier.when else "matches whenever it does"
                    found.append(f"rule {rule.name!r} is never reached: {earlier.name!r} before it {what}")
                    break
        return tuple(found)

    def select(self, request: Request) -> RouteSelect:
        """Where a call goes.

        Raises:
            ConfigurationError: ``request.at`` is no instant.
        """
        asked = Asked(request, self.regions)
        for rule in self.rules:
            if holds(rule.when, asked):
                return rule.to.answer(request, rule.name)
        return self.default.answer(request, "")

    def explain(self, request: Request) -> RouteExplained:
        """Where a call goes, and why no other rule decided; tries every condition of every rule.

        Raises:
            ConfigurationError: ``request.at`` is no instant.
        """
        asked = Asked(request, self.regions)
        told: list[RuleExplained] = []
        chosen: Rule | None = None
        for rule in self.rules:
            whys = misses(rule.when, asked)
            first = not whys and chosen is None
            if first:
                chosen = rule
            told.append(RuleExplained(rule.name, whys, first))
        answer = chosen.to.answer(request, chosen.name) if chosen is not None else self.default.answer(request, "")
        return RouteExplained(tuple(told), answer)


def _leaves(conditions: Iterable[Condition]) -> Iterator[Condition]:
    for condition in conditions:
        if isinstance(condition, AnyOf):
            for group in condition.groups:
                yield from _leaves(group)
        elif isinstance(condition, Not):
            yield from _leaves(condition.group)
        else:
            yield condition


def _asks_for_region(condition: Condition) -> bool:
    return isinstance(condition, FromCountry | FromRegion | NumberType)
