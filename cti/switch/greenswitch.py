"""A drop-in for greenswitch: the same names on our link, for programs that change their import and nothing else.

    from cti.switch.greenswitch import InboundESL, OutboundESLServer

What is different, all of it on purpose, is in docs/greenswitch.md.
"""

from cti.switch.greenswitch_event import ESLEvent, NotConnectedError, OutboundSessionHasGoneAway
from cti.switch.greenswitch_inbound import InboundESL
from cti.switch.greenswitch_protocol import ESLProtocol
from cti.switch.greenswitch_server import OutboundESLServer
from cti.switch.greenswitch_session import OutboundSession

__all__ = [
    "ESLEvent",
    "ESLProtocol",
    "InboundESL",
    "NotConnectedError",
    "OutboundESLServer",
    "OutboundSession",
    "OutboundSessionHasGoneAway",
]
