"""A voice menu as a picture: Graphviz's language, and an outline in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from cti.ivr.figures import NodeFigures
from cti.ivr.node import (
    SPECIAL,
    CallbackNode,
    CollectNode,
    DivertNode,
    FaxNode,
    HangUpNode,
    HoursNode,
    LanguageNode,
    LookupNode,
    MenuNode,
    Node,
    PlayNode,
    QueueNode,
    SetNode,
    VoicemailNode,
)
from cti.ivr.tree import IvrTree

_SHAPES: Final[dict[type[Node], str]] = {
    MenuNode: "box",
    CollectNode: "parallelogram",
    HoursNode: "diamond",
    LookupNode: "cylinder",
    QueueNode: "box3d",
    CallbackNode: "house",
    VoicemailNode: "folder",
    FaxNode: "note",
    DivertNode: "cds",
    HangUpNode: "doublecircle",
}


@frozen
class Branch:
    """One node in an outline, with the way that leads to it; ``seen``: its own ways are shown elsewhere."""

    way: str
    name: str
    what: str
    seen: bool = False
    branches: tuple[Branch, ...] = field(default=())


def outline(tree: IvrTree) -> Branch:
    """The tree from its start, each node's ways shown once, where it is first met."""
    shown: set[str] = set()

    def branch(way: str, name: str) -> Branch:
        node = tree.nodes.get(name)
        if node is None:
            return Branch(way, name, "")
        seen = name in shown
        shown.add(name)
        if seen:
            return Branch(way, name, summary(node), seen=bool(node.exits))
        branches = tuple(branch(out, target) for out, target in node.exits.items())
        return Branch(way, name, summary(node), branches=branches)

    return branch("", tree.start)


def summary(node: Node) -> str:
    """A node in a few words."""
    match node:
        case PlayNode(play=names):
            return f"play {', '.join(names)}"
        case MenuNode(menu=names):
            return f"menu {', '.join(names)}"
        case CollectNode():
            return f"collect {'a secret ' if node.secret else ''}{node.into}"
        case HoursNode(hours=calendar):
            return f"hours of {calendar}"
        case LookupNode(lookup=function):
            return f"look up {function}"
        case SetNode(set=data):
            return f"set {', '.join(f'{name}={value}' for name, value in data.items())}"
        case LanguageNode(language=language):
            return f"language {language}"
        case QueueNode(queue=queue):
            return f"queue {queue}"
        case CallbackNode(callback=queue):
            return f"call back by {queue}"
        case VoicemailNode(voicemail=mailbox):
            return f"voicemail {mailbox}"
        case FaxNode(fax=mailbox):
            return f"fax into {mailbox}"
        case DivertNode(divert=destination):
            return f"divert to {destination}"
    return "hang up"


def dot(tree: IvrTree, figures: Mapping[str, NodeFigures] | None = None) -> str:
    """The tree in Graphviz's language; with ``figures``, how many callers came, took each way, and hung up."""
    lines = [
        "digraph ivr {",
        '  node [fontname="sans-serif", shape=oval];',
        '  edge [fontname="sans-serif", fontsize=10];',
    ]
    for name, node in tree.nodes.items():
        label = f"{name}\n{summary(node)}"
        found = figures.get(name) if figures else None
        if found is not None:
            label += f"\n{found.entered} came, {found.left} hung up"
            ended = {way: count for way, count in found.exits.items() if way not in node.exits and not node.ends}
            label += "".join(f", {count} {way}" for way, count in ended.items())
        shape = _SHAPES.get(type(node), "oval")
        bold = ", penwidth=2" if name == tree.start else ""
        lines.append(f"  {_quoted(name)} [label={_quoted(label)}, shape={shape}{bold}];")
        for way, target in node.exits.items():
            label = way if found is None else f"{way} ({found.exits[way]})"
            if target in SPECIAL:
                # A leaf of its own: an arrow back across the picture would say less.
                lines.append(f"  {_quoted(name + target)} [label={_quoted(target)}, shape=plaintext];")
                target = name + target  # noqa: PLW2901
            lines.append(f"  {_quoted(name)} -> {_quoted(target)} [label={_quoted(label)}];")
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
