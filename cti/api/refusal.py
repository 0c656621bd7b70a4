"""Why the API refuses a request: its own branch of the error tree, and how any error is put on the wire."""

from __future__ import annotations

from typing import Final

import structlog
from attrs import frozen

from cti.errors import CtiError, UnknownName

_log = structlog.get_logger("cti.api")


class Refused(CtiError):
    """The API refuses a request; nothing was changed.

    Args:
        message: what is wrong, and what would do.
        field: the parameter it is about, as a path such as ``params.widening[0].after_s``; empty for none.
    """

    code = "refused"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Malformed(Refused):
    """The message is not a request: not msgpack, not of the envelope's form, or in the wrong number of frames."""

    code = "protocol.malformed"


class OwnRoutingId(Malformed):
    """The client chose its address at the ROUTER socket itself; it could be another's."""


class UnsupportedVersion(Refused):
    """The request asks for a version of the protocol that is not spoken here."""

    code = "protocol.version"


class UnknownMethod(UnknownName):
    """There is no method of this name."""

    code = "operation.unknown_method"
    kind = "method"


class InvalidParameter(Refused):
    """A parameter is missing, unknown, or of the wrong type; ``field`` names it."""

    code = "operation.invalid_parameter"


class NoStatistics(Refused):
    """Figures by interval are kept nowhere."""

    code = "operation.no_statistics"


class IdReused(Refused):
    """Another request with the same id came from the same client a short while ago."""

    code = "operation.id_reused"


class UnknownKey(Refused):
    """The client's key is not, or no longer, in the keys file."""

    code = "security.unknown_key"


class KeyChanged(Refused):
    """The client's key allows something else than it did; a new connection begins with what it allows now."""

    code = "security.key_changed"
    retryable = True


class NotPermitted(Refused):
    """The client's role, or the agents and queues of its key, do not allow this."""

    code = "security.not_permitted"


class TooLarge(Refused):
    """The message is nested too deeply, or a part of it is too long."""

    code = "limit.size"


class TooFast(Refused):
    """The client makes more requests a second than it may."""

    code = "limit.rate"
    retryable = True


class TooManyClients(Refused):
    """There are as many connections, in all or of this key, as there may be."""

    code = "limit.clients"
    retryable = True


class TooManySubjects(Refused):
    """The subscription names more agents, queues and calls than it may."""

    code = "limit.subjects"


class TooBusy(Refused):
    """As many requests of this client are under way as may be at once."""

    code = "limit.busy"
    retryable = True


INTERNAL: Final = "internal"
"""The code of a failure that is ours; its message never says more, the log does."""


@frozen
class ErrorRecord:
    """An error on the wire.

    Args:
        code: stable; what a program looks at.
        message: for a person; may change.
        field: the parameter it is about; empty for none.
        retryable: whether the same request may sensibly be made again.
    """

    code: str
    message: str
    field: str = ""
    retryable: bool = False


def error_record(error: Exception) -> ErrorRecord:
    """What the wire says of an error: an unexpected one is logged and says nothing of itself."""
    if isinstance(error, CtiError):
        return ErrorRecord(error.code, str(error), getattr(error, "field", ""), error.retryable)
    _log.error("a request failed", exc_info=error)
    return ErrorRecord(INTERNAL, "the server failed on this request; its log says why")
