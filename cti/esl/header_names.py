"""The event headers this library reads, spelled as FreeSWITCH spells them.

Look-ups mind no case, so these are for one spelling in the code rather than for correctness. Sources:
``switch_event.c``, ``switch_channel.c``, ``switch_caller.c`` and ``mod_event_socket.c``.
"""

from __future__ import annotations

from typing import Final

ANSWER_STATE: Final = "Answer-State"
APPLICATION: Final = "Application"
APPLICATION_UUID: Final = "Application-UUID"
CALLER_ID_NAME: Final = "Caller-Caller-ID-Name"
CALLER_ID_NUMBER: Final = "Caller-Caller-ID-Number"
CHANNEL_CALL_STATE: Final = "Channel-Call-State"
CHANNEL_CALL_UUID: Final = "Channel-Call-UUID"
CHANNEL_NAME: Final = "Channel-Name"
CHANNEL_STATE: Final = "Channel-State"
CONTENT_LENGTH: Final = "Content-Length"
CONTENT_TYPE: Final = "Content-Type"
CORE_UUID: Final = "Core-UUID"
DESTINATION_NUMBER: Final = "Caller-Destination-Number"
DTMF_DIGIT: Final = "DTMF-Digit"
EVENT_DATE_TIMESTAMP: Final = "Event-Date-Timestamp"
EVENT_NAME: Final = "Event-Name"
EVENT_SUBCLASS: Final = "Event-Subclass"
EVENT_UUID: Final = "Event-UUID"
HANGUP_CAUSE: Final = "Hangup-Cause"
JOB_COMMAND: Final = "Job-Command"
JOB_UUID: Final = "Job-UUID"
OTHER_LEG_UNIQUE_ID: Final = "Other-Leg-Unique-ID"
REPLY_TEXT: Final = "Reply-Text"
UNIQUE_ID: Final = "Unique-ID"
