"""Voice menus as data: a tree of nodes in TOML or Python, checked as a whole, drawn, tried without a phone, and run."""

from cti.ivr.check import problems
from cti.ivr.drawing import dot, outline
from cti.ivr.figures import NodeFigures
from cti.ivr.ivr import Ivr
from cti.ivr.node import (
    BACK,
    MAIN,
    REPEAT,
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
from cti.ivr.read import read_ivr
from cti.ivr.tree import IvrTree, Spoken, Value
from cti.ivr.visit import Visit

__all__ = [
    "BACK",
    "MAIN",
    "REPEAT",
    "CallbackNode",
    "CollectNode",
    "DivertNode",
    "FaxNode",
    "HangUpNode",
    "HoursNode",
    "Ivr",
    "IvrTree",
    "LanguageNode",
    "LookupNode",
    "MenuNode",
    "Node",
    "NodeFigures",
    "PlayNode",
    "QueueNode",
    "SetNode",
    "Spoken",
    "Value",
    "Visit",
    "VoicemailNode",
    "dot",
    "outline",
    "problems",
    "read_ivr",
]
