r"""The FreeSWITCH event socket without input or output: bytes to frames and events, commands to bytes.

    >>> from cti.esl import Api, Decoder
    >>> Api("status").encode()
    b'api status\n\n'
    >>> [frame] = Decoder().feed(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
    >>> frame.reply_text, frame.ok
    ('+OK accepted', True)

Nothing here opens a socket or reads a clock, so it serves any client, blocking or not.
"""

from cti.esl.command import LOG_LEVELS, Api, Auth, BgApi, Command, Exit, Log, NoLog, Raw, UserAuth
from cti.esl.decoder import DEFAULT_MAX_BODY_BYTES, DEFAULT_MAX_HEADER_BYTES, Decoder
from cti.esl.dial_string import application, channel_variables, originate, safe_contact
from cti.esl.event import Event
from cti.esl.event_names import EVENT_FORMATS, EVENT_NAMES, EventFormat, event_name
from cti.esl.frame import (
    API_RESPONSE,
    AUTH_REQUEST,
    COMMAND_REPLY,
    DISCONNECT_NOTICE,
    EVENT_JSON,
    EVENT_PLAIN,
    EVENT_XML,
    LOG_DATA,
    RUDE_REJECTION,
    Frame,
)
from cti.esl.headers import HeaderMap, HeaderPair, Headers, HeaderValue
from cti.esl.quoting import api_argument, application_argument
from cti.esl.sendmsg import Execute, HangUp, NoMedia, SendMsg, Unicast, XferExt
from cti.esl.serialize import api_response_bytes, event_bytes, frame_bytes, json_event, plain_event, reply_bytes
from cti.esl.session import Connect, DivertEvents, GetVar, Linger, MyEvents, NoLinger, Resume
from cti.esl.subscription import Filter, FilterDelete, NixEvent, NoEvents, SendEvent, Subscribe
from cti.esl.wire import NUDGE

__all__ = [
    "API_RESPONSE",
    "AUTH_REQUEST",
    "COMMAND_REPLY",
    "DEFAULT_MAX_BODY_BYTES",
    "DEFAULT_MAX_HEADER_BYTES",
    "DISCONNECT_NOTICE",
    "EVENT_FORMATS",
    "EVENT_JSON",
    "EVENT_NAMES",
    "EVENT_PLAIN",
    "EVENT_XML",
    "LOG_DATA",
    "LOG_LEVELS",
    "NUDGE",
    "RUDE_REJECTION",
    "Api",
    "Auth",
    "BgApi",
    "Command",
    "Connect",
    "Decoder",
    "DivertEvents",
    "Event",
    "EventFormat",
    "Execute",
    "Exit",
    "Filter",
    "FilterDelete",
    "Frame",
    "GetVar",
    "HangUp",
    "HeaderMap",
    "HeaderPair",
    "HeaderValue",
    "Headers",
    "Linger",
    "Log",
    "MyEvents",
    "NixEvent",
    "NoEvents",
    "NoLinger",
    "NoLog",
    "NoMedia",
    "Raw",
    "Resume",
    "SendEvent",
    "SendMsg",
    "Subscribe",
    "Unicast",
    "UserAuth",
    "XferExt",
    "api_argument",
    "api_response_bytes",
    "application",
    "application_argument",
    "channel_variables",
    "event_bytes",
    "event_name",
    "frame_bytes",
    "json_event",
    "originate",
    "plain_event",
    "reply_bytes",
    "safe_contact",
]
