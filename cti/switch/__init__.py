"""The FreeSWITCH adapter: events to facts, intents to commands, over links that are kept up.

``Link`` (one connection), ``EventSocket`` (two, kept up) and ``OutboundServer`` (the ``socket`` application) serve
whoever wants nothing else of this library; ``cti.switch.greenswitch`` has greenswitch's names.
"""

from cti.switch.backlog import Backlog
from cti.switch.event_fact import BridgeAt
from cti.switch.event_socket import EventSocket
from cti.switch.freeswitch import FreeSwitch
from cti.switch.link import Link
from cti.switch.outbound import OutboundSession
from cti.switch.outbound_server import OutboundServer
from cti.switch.timing import Timing

__all__ = [
    "Backlog",
    "BridgeAt",
    "EventSocket",
    "FreeSwitch",
    "Link",
    "OutboundServer",
    "OutboundSession",
    "Timing",
]
