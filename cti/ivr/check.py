"""What is wrong with a voice menu as a whole: all of it, at once. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from cti.errors import ConfigurationError
from cti.ivr.node import (
    BACK,
    MAIN,
    REPEAT,
    SPECIAL,
    CallbackNode,
    CollectNode,
    FaxNode,
    HoursNode,
    LanguageNode,
    LookupNode,
    MenuNode,
    Node,
    QueueNode,
    SetNode,
    VoicemailNode,
)
from cti.ivr.tree import IvrTree, Piece
from cti.script.asking import Question
from cti.script.callback_number import WHY_NOT
from cti.script.entry import DigitRules, OptionRules
from cti.script.prompt import Say
from cti.script.saying import KINDS, saying


def problems(
    tree: IvrTree,
    *,
    lookups: Collection[str] | None = None,
    calendars: Collection[str] | None = None,
    queues: Collection[str] | None = None,
    calling_back: Collection[str] | None = None,
    mailboxes: Collection[str] | None = None,
) -> list[str]:
    """Everything that is wrong with a tree, in its own order; nothing when it will do.

    Args:
        tree: the tree.
        lookups: the functions there are; None leaves that open, as it does for the others.
        calendars: the calendars there are.
        queues: the queues there are.
        calling_back: those of them that call their callers back.
        mailboxes: the mailboxes there are.
    """
    found = [*_starts(tree), *_prompts(tree)]
    for name, node in tree.nodes.items():
        where = f"nodes.{name}"
        found += [f"{where}: {said}" for said in _node(tree, node)]
        if isinstance(node, LookupNode) and lookups is not None and node.lookup not in lookups:
            found.append(f"{where}: unknown look-up {_near(node.lookup, lookups)}")
        if isinstance(node, HoursNode) and calendars is not None and node.hours not in calendars:
            found.append(f"{where}: unknown calendar {_near(node.hours, calendars)}")
        if isinstance(node, QueueNode) and queues is not None and node.queue not in queues:
            found.append(f"{where}: unknown queue {_near(node.queue, queues)}")
        if isinstance(node, CallbackNode) and queues is not None and node.callback not in queues:
            found.append(f"{where}: unknown queue {_near(node.callback, queues)}")
        elif isinstance(node, CallbackNode) and calling_back is not None and node.callback not in calling_back:
            found.append(f"{where}: queue {node.callback!r} calls nobody back; give it a callback")
        box = node.voicemail if isinstance(node, VoicemailNode) else node.fax if isinstance(node, FaxNode) else None
        if box is not None and mailboxes is not None and box not in mailboxes:
            found.append(f"{where}: unknown mailbox {_near(box, mailboxes)}")
    if tree.start in tree.nodes:
        found += _unreachable(tree)
        found += _loops(tree)
    return found


def _starts(tree: IvrTree) -> Iterator[str]:
    for field, name in (("start", tree.start), ("main", tree.main or tree.start)):
        if name not in tree.nodes and (field == "start" or tree.main):
            yield f"{field}: unknown node {_near(name, tree.nodes)}"


def _prompts(tree: IvrTree) -> Iterator[str]:
    for name, variants in tree.prompts.items():
        for language in variants:
            if language and language not in tree.languages:
                yield f"prompts.{name}: {language!r} is not among languages ({', '.join(tree.languages)})"
        if "" not in variants:
            for language in tree.languages:
                if language not in variants:
                    yield f"prompts.{name}: missing in {language!r}"
        for language, variant in variants.items():
            for piece in variant:
                for said in _piece(piece, language or tree.languages[0]):
                    yield f"prompts.{name}: {said}"


def _piece(piece: Piece, language: str) -> Iterator[str]:
    if isinstance(piece, Say):
        try:
            saying(piece.value, piece.kind, digits=piece.digits, language=language)
        except ConfigurationError as error:
            yield str(error)
    elif not isinstance(piece, str) and (kind := getattr(piece, "kind", "number")) not in KINDS:
        yield f"unknown kind {_near(kind, KINDS)}"


def _node(tree: IvrTree, node: Node) -> Iterator[str]:
    for prompt in dict.fromkeys(node.prompts):
        if prompt not in tree.prompts:
            yield f"unknown prompt {_near(prompt, tree.prompts)}"
    for way, target in node.exits.items():
        if target not in tree.nodes and target not in SPECIAL:
            yield f"{way}: unknown node {_near(target, (*tree.nodes, *SPECIAL))}"
    if isinstance(node, LanguageNode) and node.language not in tree.languages:
        yield f"language {node.language!r} is not among languages ({', '.join(tree.languages)})"
    if isinstance(node, CallbackNode):
        for why in node.answers:
            if why not in WHY_NOT:
                yield f"answers: unknown word {_near(why, WHY_NOT)}"
    if isinstance(node, SetNode) and not node.set:
        yield "set: nothing is set"
    if isinstance(node, LookupNode) and not 0 < node.deadline_s <= 60:
        yield f"deadline_s is {node.deadline_s}; give more than 0 and at most 60 seconds"
    try:
        if isinstance(node, MenuNode):
            OptionRules(node.options.keys())
            unknown = sorted(set(node.words) - set(node.options))
            if unknown:
                yield f"words for options that are not there: {', '.join(unknown)}"
            _question(node)
        elif isinstance(node, CollectNode):
            DigitRules(node.min_digits, node.max_digits, node.terminators, node.valid)
            _question(node)
            if node.secret and any(not _is_file(tree, prompt) for prompt in node.collect):
                yield "a secret's prompt must be files and tones without blanks"
    except ConfigurationError as error:
        yield str(error)


def _question(node: MenuNode | CollectNode) -> None:
    Question((), first_s=node.first_digit_s, between_s=node.between_digits_s, tries=node.tries)


def _is_file(tree: IvrTree, prompt: str) -> bool:
    variants = tree.prompts.get(prompt, {}).values()
    return all(isinstance(piece, str) and " " not in piece for variant in variants for piece in variant)


def _targets(tree: IvrTree, name: str, ways: Iterable[str]) -> Iterator[str]:
    for target in ways:
        if target == REPEAT:
            yield name
        elif target == MAIN:
            yield tree.main or tree.start
        elif target != BACK:
            yield target


def _unreachable(tree: IvrTree) -> list[str]:
    seen: set[str] = set()
    todo = [tree.start]
    while todo:
        name = todo.pop()
        if name in seen or name not in tree.nodes:
            continue
        seen.add(name)
        todo.extend(_targets(tree, name, tree.nodes[name].exits.values()))
    return [f"nodes.{name}: nobody ever gets here" for name in tree.nodes if name not in seen]


def _loops(tree: IvrTree) -> list[str]:
    """Ways round that a caller goes for ever who does nothing."""
    found: list[str] = []
    ways: dict[str, list[str]] = {}
    for name, node in tree.nodes.items():
        targets = node.silent_exits.values()
        if BACK in targets:
            found.append(f"nodes.{name}: {BACK} without input; a silent caller goes round for ever")
        ways[name] = list(dict.fromkeys(one for one in _targets(tree, name, targets) if one in tree.nodes))
    order = {name: place for place, name in enumerate(tree.nodes)}
    while True:
        try:
            TopologicalSorter(ways).prepare()
        except CycleError as error:
            # It names each node after the one it leads to, and the first once more at the end.
            loop = error.args[1][:0:-1]
            first = loop.index(min(loop, key=lambda name: order[name]))
            loop = [*loop[first:], *loop[:first]]
            found.append(f"loop without input: {' -> '.join([*loop, loop[0]])}; a silent caller goes round for ever")
            ways[loop[-1]].remove(loop[0])  # and on to the next
        else:
            return found


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    if near:
        return f"{name!r}; did you mean {near[0]!r}?"
    return f"{name!r}; known: {', '.join(names) or 'none'}"
