"""The messages: a request read within limits, a reply and an event written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]
import structlog
from attrs import frozen

from cti.api.limits import Limits
from cti.api.refusal import ErrorRecord, Malformed, TooLarge, UnsupportedVersion

VERSION: Final = 1
"""The protocol's version, ``v`` in every message. A change that an old client cannot live with adds one."""

ID_LIMIT: Final = 64

_KEYS: Final = frozenset({"v", "id", "method", "params"})
_log = structlog.get_logger("cti.api")


@frozen
class Request:
    """One request: its id is the client's own, and new for each."""

    id: str
    method: str
    params: Mapping[str, Any]


class Unreadable(Exception):
    """Carries why a message is no request, and its id as far as that could be read."""

    def __init__(self, reason: Malformed | TooLarge | UnsupportedVersion, id: str | None = None) -> None:  # noqa: A002
        super().__init__(str(reason))
        self.reason = reason
        self.id = id


def request(payload: bytes, limits: Limits) -> Request:
    """Read a request.

    Raises:
        Unreadable: it is none, or beyond the limits.
    """
    said = _unpacked(payload, limits)
    if not isinstance(said, dict):
        raise Unreadable(Malformed("a request is a map with v, id, method and params"))
    name = said.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= ID_LIMIT:
        raise Unreadable(Malformed(f"id must be text of 1 to {ID_LIMIT} characters", "id"))
    version = said.get("v")
    if version != VERSION or type(version) is not int:
        raise Unreadable(UnsupportedVersion(f"version {VERSION} is spoken here: send v={VERSION}", "v"), name)
    method, params = said.get("method"), said.get("params", {})
    if not isinstance(method, str):
        raise Unreadable(Malformed("method must be text", "method"), name)
    if not isinstance(params, dict):
        raise Unreadable(Malformed("params must be a map", "params"), name)
    if not _KEYS.issuperset(said):
        unknown = ", ".join(sorted(said.keys() - _KEYS))[:ID_LIMIT]
        raise Unreadable(Malformed(f"a request has v, id, method and params, not {unknown!r}"), name)
    if _depth_exceeds(params, limits.depth):
        raise Unreadable(TooLarge(f"params are nested more than {limits.depth} deep", "params"), name)
    return Request(name, method, params)


def reply(id: str | None, result: Any) -> bytes:  # noqa: A002 - as on the wire
    """A reply: what was asked for."""
    return _packed({"v": VERSION, "id": id, "result": result})


def refusal(id: str | None, error: ErrorRecord) -> bytes:  # noqa: A002 - as on the wire
    """A reply: why not. ``id`` is None where the request's could not be read."""
    said = {"code": error.code, "message": error.message, "field": error.field, "retryable": error.retryable}
    return _packed({"v": VERSION, "id": id, "error": said})


def closed(error: ErrorRecord) -> bytes:
    """The end of a subscription by the server, and why."""
    return _packed({"v": VERSION, "closed": {"code": error.code, "message": error.message}})


def event_start(epoch: str, seq: int, event: Mapping[str, Any]) -> bytes:
    """An event's message but for its last value; ``event_end`` completes it.

    Almost all of it is the same for everybody who is told; only ``prev`` is each reader's own.
    """
    try:
        body = _packed(event)
    except (ValueError, TypeError, OverflowError, RecursionError):
        # Attached data are the host's own values; the event must reach its readers without them.
        _log.exception("attached data cannot be written as msgpack", kind=event.get("kind"))
        body = _packed({**event, "data": {}})
    head = _packed({"v": VERSION, "epoch": epoch, "seq": seq})
    return b"\x85" + head[1:] + _EVENT + body + _PREV  # 0x85: a map of five pairs


def event_end(start: bytes, prev: int) -> bytes:
    """The whole message, for a reader whose message before it was number ``prev``."""
    return start + _packed(prev)


def beat(epoch: str, seq: int, prev: int, subjects: Mapping[str, int]) -> bytes:
    """The publisher's heartbeat: the last number of each subject that had an event since the beat ``prev``."""
    return _packed({"v": VERSION, "epoch": epoch, "seq": seq, "beat": dict(subjects), "prev": prev})


def unpacked(payload: bytes) -> Any:
    """Read a message of the server's; for clients, who trust it.

    Raises:
        Malformed: it is not msgpack.
    """
    try:
        return msgpack.unpackb(payload, raw=False)
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        raise Malformed(f"not msgpack: {type(error).__name__}") from None


def packed_request(id: str, method: str, params: Mapping[str, Any]) -> bytes:  # noqa: A002 - as on the wire
    """Write a request; for clients."""
    return _packed({"v": VERSION, "id": id, "method": method, "params": params})


def _packed(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, use_bin_type=True, unicode_errors="replace", default=str)
    return packed


_EVENT: Final = _packed("event")
_PREV: Final = _packed("prev")


def _unpacked(payload: bytes, limits: Limits) -> Any:
    try:
        return msgpack.unpackb(
            payload,
            raw=False,
            strict_map_key=True,
            max_str_len=limits.text_bytes,
            max_bin_len=limits.text_bytes,
            max_array_len=limits.items,
            max_map_len=limits.items,
            max_ext_len=0,
        )
    except (msgpack.StackError, RecursionError):
        raise Unreadable(TooLarge("nested too deeply")) from None
    except ValueError as error:
        if "exceeds max_" in str(error):
            raise Unreadable(TooLarge(str(error))) from None
        raise Unreadable(Malformed(f"not one msgpack value: {type(error).__name__}")) from None
    except (msgpack.UnpackException, TypeError, OverflowError) as error:
        raise Unreadable(Malformed(f"not one msgpack value: {type(error).__name__}")) from None


def _depth_exceeds(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        inside = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [one for values in inside for one in values if isinstance(one, dict | list)]
        if not level:
            return False
    return True
