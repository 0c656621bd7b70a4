"""Reads mod_callcenter's ``callcenter.conf.xml``: its queues, agents and tiers as ours, with notes on what has no equal.

A tier becomes a skill named after the queue: the agents of tier level 1 have the highest level of it. Where the queue's
tier rules let later levels wait, they become widening.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.parsers import expat

from attrs import frozen

from cti.errors import ConfigurationError
from cti.model.widening import Widening
from cti.routing.strategies import TopDown

LARGEST_BYTES: Final = 10_000_000
"""A centre of 30,000 agents takes half of it."""
_NEVER: Final = 10**9
"""mod_callcenter's ``max-no-answer`` of 0: however often an agent does not answer."""

_STRATEGIES: Final = {
    "longest-idle-agent": "longest-idle",
    "round-robin": "round-robin",
    "agent-with-least-talk-time": "least-talk-time",
    "agent-with-fewest-calls": "fewest-calls",
    "random": "random",
    "ring-all": "ring-all",
    "ring-progressively": "ring-progressively",
}
_IN_ORDER: Final = ("top-down", "sequentially-by-agent-order")
_WITHOUT_EQUAL: Final = {
    "announce-sound": "announcements to waiting callers",
    "record-template": "recording by the queue; record in the script",
    "abandoned-resume-allowed": "a caller who calls again does not resume the old place",
    "max-wait-time-with-no-agent": "overflow when no agent is logged on",
}
_OFF: Final = ("", "0", "false", "no")
_LEG_VARIABLES: Final = re.compile(r"\[[^\]]*\]")


@frozen
class CallcenterConf:
    """What a ``callcenter.conf.xml`` says.

    Each of ``queues`` has the arguments of QueueSettings, each of ``agents`` those of AgentSettings, so that
    ``centre.add_queue(queue.pop("id"), **queue)`` adds it. ``available`` are the agents whose status lets calls come,
    ``notes`` what was left out or changed, a sentence each.
    """

    queues: tuple[dict[str, Any], ...]
    agents: tuple[dict[str, Any], ...]
    available: tuple[str, ...]
    notes: tuple[str, ...]


def read_callcenter_conf(text: str | bytes) -> CallcenterConf:
    """Read the text of a ``callcenter.conf.xml``; files that it includes are not read.

    Raises:
        ConfigurationError: it is no XML, has a DTD (of which entity bombs are made), is too large, has no queue and no
            agent, or a figure in it is none.
    """
    return _Reader(_parsed(text)).read()


def _parsed(text: str | bytes) -> ET.Element:
    data = text.encode() if isinstance(text, str) else text
    if len(data) > LARGEST_BYTES:
        raise ConfigurationError(f"callcenter.conf.xml has {len(data)} bytes; at most {LARGEST_BYTES} are read")
    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = _refuse
    try:
        guard.Parse(data, True)
        return ET.fromstring(data)  # noqa: S314 - it has no DTD, hence no entity of its own
    except (expat.ExpatError, ET.ParseError) as error:
        raise ConfigurationError(f"callcenter.conf.xml is not well-formed XML: {error}") from error
    except (LookupError, ValueError) as error:
        raise ConfigurationError(f"callcenter.conf.xml has an encoding that cannot be read: {error}") from error


def _refuse(*_: object) -> None:
    raise ConfigurationError("callcenter.conf.xml has a DOCTYPE; remove it: entities are not expanded")


@frozen
class _Tier:
    agent: str
    queue: str
    level: int
    position: int


class _Reader:
    def __init__(self, root: ET.Element) -> None:
        self._root = root
        self._notes: list[str] = []

    def read(self) -> CallcenterConf:
        if any(element.tag.lower() == "x-pre-process" for element in self._root.iter()):
            self._notes.append("files that are included by X-PRE-PROCESS were not read; give the expanded file")
        queues = {name: e for e in self._root.iter("queue") if (name := e.get("name", ""))}
        agents = {name: e for e in self._root.iter("agent") if (name := e.get("name", ""))}
        if not queues and not agents:
            raise ConfigurationError("callcenter.conf.xml has no queue and no agent; is it the right file?")
        tiers = [tier for e in self._root.iter("tier") if (tier := self._tier(e, queues, agents)) is not None]
        # The levels in use, the first to be asked first: 1, 2, 5 become skill levels 3, 2, 1.
        levels: dict[str, list[int]] = {n: sorted({t.level for t in tiers if t.queue == n}) or [1] for n in queues}
        made = [self._agent(n, e, [t for t in tiers if t.agent == n], levels) for n, e in agents.items()]
        return CallcenterConf(
            queues=tuple(self._queue(n, e, [t for t in tiers if t.queue == n], levels[n]) for n, e in queues.items()),
            agents=tuple(agent for agent in made if agent is not None),
            available=tuple(a["id"] for a in made if a and agents[a["id"]].get("status", "").startswith("Available")),
            notes=tuple(self._notes),
        )

    def _tier(self, element: ET.Element, queues: Mapping[str, Any], agents: Mapping[str, Any]) -> _Tier | None:
        agent, queue = element.get("agent", ""), element.get("queue", "")
        if queue not in queues or agent not in agents:
            self._notes.append(f"tier of agent {agent!r} in queue {queue!r}: one of them is not defined; left out")
            return None
        what = f"tier of agent {agent!r} in queue {queue!r}"
        level = self._number(what, "level", element.get("level", "1"))
        return _Tier(agent, queue, max(1, level), self._number(what, "position", element.get("position", "1")))

    def _number(self, what: str, name: str, value: str) -> int:
        if not value.isascii() or not value.isdecimal() or len(value) > 9:
            raise ConfigurationError(f"{what}: {name} is {value!r}; it must be a whole number from 0 up")
        return int(value)

    # -- queues ---------------------------------------------------------------------------------------------------

    def _queue(self, name: str, element: ET.Element, tiers: list[_Tier], levels: list[int]) -> dict[str, Any]:
        params = {param.get("name", ""): param.get("value", "") for param in element.iter("param")}
        what = f"queue {name!r}"
        settings: dict[str, Any] = {"id": name, "requires": {name: len(levels)}}
        self._strategy(what, params.get("strategy", "longest-idle-agent"), tiers, settings)
        self._widening(what, params, name, levels, settings)
        wait = self._number(what, "max-wait-time", params.get("max-wait-time", "0"))
        if wait:
            settings["max_wait_s"] = float(wait)
            self._notes.append(
                f"{what}: after {wait} s a call is cleared; set overflow to what your dialplan does then"
            )
        music = params.get("moh-sound", "")
        if "$" in music:
            self._notes.append(f"{what}: moh-sound {music!r} is a variable of FreeSWITCH's; the default music is kept")
        elif music:
            settings["music"] = music
        if params.get("time-base-score") == "system":
            self._notes.append(f"{what}: time-base-score system: a call's age counts from its first queue here")
        for param, meaning in _WITHOUT_EQUAL.items():
            if params.get(param, "").lower() not in _OFF:
                self._notes.append(f"{what}: {param} has no equal ({meaning})")
        return settings

    def _strategy(self, what: str, wanted: str, tiers: list[_Tier], settings: dict[str, Any]) -> None:
        if wanted in _IN_ORDER:
            settings["strategy"] = TopDown(t.agent for t in sorted(tiers, key=lambda t: (t.level, t.position)))
        elif wanted in _STRATEGIES:
            settings["strategy"] = _STRATEGIES[wanted]
        else:
            settings["strategy"] = "longest-idle"
            self._notes.append(f"{what}: strategy {wanted!r} has no equal; longest-idle is used")
        if wanted == "random":
            self._notes.append(f"{what}: random needs a source: SkillRouter(chance=random.Random(seed).random)")

    def _widening(
        self, what: str, params: Mapping[str, str], name: str, levels: list[int], settings: dict[str, Any]
    ) -> None:
        if len(levels) == 1:
            return
        rules = params.get("tier-rules-apply", "false").lower() not in _OFF
        second = self._number(what, "tier-rule-wait-second", params.get("tier-rule-wait-second", "0"))
        multiply = params.get("tier-rule-wait-multiply-level", "false").lower() not in _OFF
        if rules and params.get("tier-rule-no-agent-no-wait", "true").lower() not in _OFF:
            self._notes.append(
                f"{what}: tier-rule-no-agent-no-wait has no equal (a level without agents is waited for like any other)"
            )
        # Without the rules, levels only say who is asked first: a step after no time does that. The wait is for the
        # level's number times the seconds (mod_callcenter.c, agents_callback).
        settings["widening"] = tuple(
            Widening(
                after_s=0.0 if not rules else float(second * level if multiply else second),
                requires={name: len(levels) - step},
            )
            for step, level in enumerate(levels[1:], 1)
        )

    # -- agents ---------------------------------------------------------------------------------------------------

    def _agent(
        self, name: str, element: ET.Element, tiers: list[_Tier], levels: Mapping[str, list[int]]
    ) -> dict[str, Any] | None:
        what = f"agent {name!r}"
        contact = element.get("contact", "")
        if not contact or element.get("type", "callback") != "callback":
            self._notes.append(
                f"{what}: type {element.get('type')!r} has no equal; only callback agents with a contact"
            )
            return None
        if "$" in contact:
            self._notes.append(f"{what}: contact {contact!r} has a variable of FreeSWITCH's; replace it")
        if "leg_timeout" in "".join(_LEG_VARIABLES.findall(contact)):
            self._notes.append(
                f"{what}: leg_timeout in the contact; the queue's ring_timeout_s counts if it is shorter"
            )
        settings: dict[str, Any] = {
            "id": name,
            "contact": contact,
            "skills": {t.queue: len(levels[t.queue]) - levels[t.queue].index(t.level) for t in tiers},
        }
        for attribute, ours, convert in _AGENT_FIGURES:
            if (value := element.get(attribute)) is not None:
                settings[ours] = convert(self._number(what, attribute, value))
        return settings


_AGENT_FIGURES: Final[tuple[tuple[str, str, Callable[[int], float]], ...]] = (
    ("wrap-up-time", "wrap_up_s", float),
    ("reject-delay-time", "reject_delay_s", float),
    ("busy-delay-time", "busy_delay_s", float),
    ("no-answer-delay-time", "no_answer_delay_s", float),
    ("max-no-answer", "no_answers_allowed", lambda value: value or _NEVER),
)
