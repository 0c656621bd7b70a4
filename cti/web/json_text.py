"""JSON, read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog

from cti.api.limits import Limits
from cti.api.refusal import Malformed, TooLarge

INTEGERS: Final = range(-(2**63), 2**64)
"""Whole numbers that are read; others are refused, as they are in msgpack."""
DEPTH: Final = Limits().depth
"""How deeply parameters may be nested, as over ZeroMQ."""

_log = structlog.get_logger("cti.web")


def read_object(text: bytes) -> dict[str, Any]:
    """Read a JSON object; nothing at all is an empty one.

    Raises:
        Malformed: it is not JSON, or no object, or has numbers that are beyond 64 bits.
        TooLarge: it is nested more deeply than a request over ZeroMQ may be.
    """
    if not text:
        return {}
    try:
        said = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    if not isinstance(said, dict):
        raise Malformed("the body must be a JSON object, the method's parameters")
    _check(said)
    return said


def written(value: Any) -> bytes:
    """A value as JSON; text that is no Unicode is escaped, and what JSON has no form for becomes text."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return json.dumps(value, default=str).encode("ascii")


def written_event(record: Mapping[str, Any]) -> bytes:
    """An event as JSON, without its attached data where they cannot be written at all: they are the host's own."""
    try:
        return written(record)
    except Exception:  # noqa: BLE001 - a host's own objects may raise anything
        _log.exception("attached data cannot be written as JSON", kind=record.get("kind"))
        return written({**record, "data": {}})


def _check(said: dict[str, Any]) -> None:
    pending: list[tuple[Any, int]] = [(said, 0)]
    while pending:
        value, depth = pending.pop()
        if isinstance(value, dict | list):
            if depth > DEPTH:
                raise TooLarge(f"the parameters are nested more than {DEPTH} deep")
            pending.extend((each, depth + 1) for each in (value.values() if isinstance(value, dict) else value))
        elif type(value) is int and value not in INTEGERS:
            raise Malformed("a whole number in the body is beyond 64 bits")
