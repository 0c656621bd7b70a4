"""Messages that callers leave, voice and fax: kept, delivered, mailed, shown by a light."""

from cti.messages.message_index import MessageIndex
from cti.messages.message_record import FAX, VOICEMAIL, MessageRecord
from cti.messages.messages import Messages

__all__ = ["FAX", "VOICEMAIL", "MessageIndex", "MessageRecord", "Messages"]
