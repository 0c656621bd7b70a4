"""What a configuration's parts say of each other: names that nothing has, and what probably was not meant."""

from __future__ import annotations

import fnmatch
import random
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from cti.callback_offer import SCRIPT, without_callbacks
from cti.config.queue_order import definitions
from cti.config.routes import PLAN, Routes
from cti.engine import Engine
from cti.engine.advice import advice, queues_after
from cti.engine.wishes import queues_named
from cti.errors import ConfigurationError, UnknownAgent, UnknownMailbox, UnknownName, UnknownQueue, UnknownSkill
from cti.model import facts
from cti.model.agent import AgentSettings
from cti.model.ids import AgentId, IdSource, QueueId
from cti.model.overflow import EXPECTED_WAIT, LENGTH, UNSTAFFED, WAIT, Disconnect, ToFax, ToMailbox, ToScript
from cti.model.personal import Deputy, Personal
from cti.model.queue import QueueSettings
from cti.model.requirement import Requirement
from cti.model.requirement_text import Atom, Node, Parser
from cti.plan.scope import UnknownScript
from cti.routing import SkillRouter
from cti.routing.strategy import strategy

if TYPE_CHECKING:
    from cti.config.configuration import Configuration


class UnknownRouteScript(UnknownName):
    """No route script has this name."""

    code = "operation.unknown_route_script"
    kind = "route script"


Wrong = tuple[str, str, str, str]
"""``queue`` or ``agent``, its name, the key, and what is wrong."""


@frozen
class Known:
    """The names there are, those of tables that could not be read among them; skills may be any if none are declared,
    mailboxes if their tables were not read.
    """

    queues: Collection[str]
    agents: Collection[str]
    routes: Routes
    skills: Collection[str] | None
    mailboxes: Collection[str] | None = None


def wrong_references(
    queues: Mapping[QueueId, QueueSettings], agents: Mapping[AgentId, AgentSettings], known: Known
) -> Iterator[Wrong]:
    """Names that nothing has, in the queues and agents that could be read."""
    for name, queue in queues.items():
        for key, what in _of_queue(queue, known):
            yield "queue", name, key, what
    if known.skills is not None:
        skills = frozenset(known.skills)
        for agent_id, agent in agents.items():
            for skill in sorted(agent.skills.keys() - skills):
                yield "agent", agent_id, "skills", str(UnknownSkill(skill, skills))


def _of_queue(queue: QueueSettings, known: Known) -> Iterator[tuple[str, str]]:
    targets = [("overflow", queue.overflow)]
    targets += [(f"overflows.{reason}", target) for reason, target in queue.overflows.items()]
    offers = queue.waiting.offers if queue.waiting is not None else {}
    targets += [(f"waiting.offers.{pressed}", target) for pressed, target in offers.items()]
    targets += [("after_call", queue.after_call)] if queue.after_call is not None else []
    scripts = {*known.routes.scripts, *known.routes.menus, SCRIPT}
    for key, target in targets:
        if isinstance(target, ToScript) and target.script not in scripts:
            yield key, str(UnknownScript(target.script, scripts))
        boxes = known.mailboxes
        if isinstance(target, ToMailbox | ToFax) and boxes is not None and target.mailbox not in boxes:
            yield key, str(UnknownMailbox(target.mailbox, boxes))
    for key, others in _queues_named(queue):
        for other in others:
            if other not in known.queues:
                yield key, str(UnknownQueue(other, known.queues))
            elif other == queue.id and key not in ("overflow", "personal"):
                yield key, "it names its own queue; name another"
    for agent in _agents_named(queue):
        if agent not in known.agents:
            yield "personal", str(UnknownAgent(agent, known.agents))
    route_scripts = {*known.routes.route_scripts, *([PLAN] if known.routes.plan is not None else [])}
    if queue.route_script and queue.route_script not in route_scripts:
        yield "route_script", str(UnknownRouteScript(queue.route_script, route_scripts))
    try:
        strategy(queue.strategy, random.random)
    except (ConfigurationError, UnknownName) as error:
        yield "strategy", str(error)
    for key, requirement in _requirements(queue) if known.skills is not None else ():
        for skill in sorted(skills_named(requirement) - set(known.skills or ())):
            yield key, str(UnknownSkill(skill, known.skills or ()))


def _queues_named(queue: QueueSettings) -> Iterator[tuple[str, tuple[QueueId, ...]]]:
    yield "overflow", queue.overflow_queues
    yield "after_call", queues_after(queue)
    if queue.waiting is not None:
        yield "waiting.offers", tuple(map(QueueId, queue.waiting.queues))
    yield "personal", tuple(queues_named(queue.personal))
    for at, step in enumerate(queue.widening, 1):
        yield f"widening[{at}].also", step.also
    if queue.borrows is not None:
        yield "borrows.lenders", queue.borrows.lenders


def _agents_named(queue: QueueSettings) -> Iterator[AgentId]:
    if isinstance(queue.personal, Personal):
        yield queue.personal.agent
    if queue.personal is not None:
        yield from (terms.agent for terms in queue.personal.by_presence.values() if isinstance(terms, Deputy))


def _requirements(queue: QueueSettings) -> Iterator[tuple[str, Requirement]]:
    yield "requires", queue.requires
    for at, step in enumerate(queue.widening, 1):
        if step.requires is not None:
            yield f"widening[{at}].requires", step.requires


def skills_named(requirement: Requirement) -> set[str]:
    """Every skill in a requirement, those that it forbids included."""
    if not requirement.text:
        return set()
    nodes: list[Node] = [Parser(requirement.text).parse()]
    found: set[str] = set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, Atom):
            found.add(node.skill)
        else:
            nodes.extend(node.parts)
    return found


# -- what was probably not meant --------------------------------------------------------------------------------------


def doubts(made: Configuration, skills: Collection[str] | None) -> Iterator[tuple[str, str, str]]:
    """What probably does not do what was meant: table, key, and what."""
    for said in advice(_tried(made).world):
        yield "", "", said
    asked = {skill for queue in made.queues.values() for _, one in _requirements(queue) for skill in skills_named(one)}
    had = {skill for agent in made.agents.values() for skill in agent.skills}
    for skill in sorted((set(skills) if skills is not None else had) - asked):
        yield "skills" if skills is not None else "", "", f"no queue asks for the skill {skill!r}"
    for queue in made.queues.values():
        yield from _of_overflow(queue)
        if queue.callback is not None and not (queue.callback.destinations or made.destinations):
            yield f"queue.{queue.id}", "callback", "nobody can be called back: set its destinations, or [destinations]"
    if SCRIPT not in {*made.routes.scripts, *made.routes.menus}:
        for said in without_callbacks(made.queues.values()):
            yield "", "", said
    phones = Counter(agent.contact for agent in made.agents.values())
    for contact, count in phones.items():
        if count > 1:
            yield "", "", f"{count} agents have the phone {contact!r}; only one of them can be logged on at a time"
    if made.routes.plan is not None:
        for said in made.routes.plan.warnings:
            yield PLAN, "", said
    yield from _of_numbers(made.routes)


def reasons_in_use(queue: QueueSettings) -> list[str]:
    """The reasons for which its calls may overflow."""
    limits = {
        WAIT: queue.max_wait_s is not None,
        EXPECTED_WAIT: queue.max_expected_wait_s is not None,
        LENGTH: queue.max_waiting is not None,
        UNSTAFFED: queue.overflow_unstaffed,
    }
    return [reason for reason, limited in limits.items() if limited]


_LIMITS = {
    WAIT: "max_wait_s",
    EXPECTED_WAIT: "max_expected_wait_s",
    LENGTH: "max_waiting",
    UNSTAFFED: "overflow_unstaffed",
}


def _of_overflow(queue: QueueSettings) -> Iterator[tuple[str, str, str]]:
    used = reasons_in_use(queue)
    table = f"queue.{queue.id}"
    for reason in queue.overflows:
        if reason not in used:
            yield table, f"overflows.{reason}", f"it is never used: set {_LIMITS[reason]}"
    if queue.overflow != Disconnect() and all(reason in queue.overflows for reason in used):
        yield table, "overflow", f"it is never used: set {', '.join(_LIMITS.values())}, or one of them"


def _of_numbers(routes: Routes) -> Iterator[tuple[str, str, str]]:
    if not routes.numbers:
        yield "", "", "there are neither [numbers] nor a [plan]: every call will be refused"
    if routes.plan is not None and all(number.to is not None for number in routes.numbers):
        yield PLAN, "", "no number goes by the plan"
    for at, number in enumerate(routes.numbers):
        for earlier in routes.numbers[:at]:
            # A pattern matches another's text where it takes in all that the other does, but for sets in brackets.
            if "[" not in number.pattern and fnmatch.fnmatchcase(number.pattern, earlier.pattern):
                yield "numbers", number.pattern, f"it is never reached: {earlier.pattern!r} before it takes these calls"
                break


def of_services(made: Configuration) -> Iterator[tuple[str, str, str]]:
    """The same of the services around the calls."""
    services = made.services
    recorded = [f"queue.{name}" for name, queue in made.queues.items() if queue.record]
    recorded += [f"agent.{name}" for name, agent in made.agents.items() if agent.record]
    if services.recording is None:
        for table in recorded:
            yield table, "record", "nothing is recorded: there is no [recording], which says where to"
    elif not recorded:
        yield "recording", "", "no queue and no agent is recorded, unless it is asked for; set record = 'always'"


def _tried(made: Configuration) -> Engine:
    """An engine that has taken these queues and agents."""
    engine = Engine(IdSource(random.getrandbits), SkillRouter(chance=random.random))
    for settings in definitions(made.queues):
        engine.handle(facts.QueueDefined(settings), 0.0)
    for agent in made.agents.values():
        engine.handle(facts.AgentDefined(agent), 0.0)
    return engine
