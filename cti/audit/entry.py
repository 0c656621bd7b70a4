"""One entry of the audit, and its line in the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import asdict, frozen

from cti.api.requests import Done

MOST_CHARACTERS: Final = 200
"""Of any text in an entry: what is refused may be anything."""
NAMED: Final = frozenset(
    {
        "agent",
        "queue",
        "call",
        "to",
        "at",
        "place",
        "reason",
        "ready",
        "priority",
        "supervisor",
        "destination",
        "number",
    }
    | {"voicemail", "script", "mailbox", "message", "fax", "file"}
)
"""Parameters whose values are written down. Of all others only the names are: data, digits, a phone's dial string."""

BEGINS: Final = "audit.begins"
"""The first line of a file: its ``after`` is the seal of the last line of the file before."""
LOST: Final = "audit.lost"
"""So many ``entries`` are missing here: the disk did not take them for too long."""
_SEAL: Final = ',"seal":"'


@frozen
class Entry:
    """Somebody has done something, or tried to.

    Args:
        at: when, Unix seconds.
        who: the name of the key, the account, or the agent's id.
        where: the address it came from; empty for inside.
        what: the method, such as ``agent.log_off``.
        whom: what it was done to and with: names and ids, never data.
        also: the names of the parameters whose values are not written down.
        outcome: ``done``, or the code of the error.
    """

    at: float
    who: str
    where: str
    what: str
    whom: Mapping[str, Any]
    also: tuple[str, ...] = ()
    outcome: str = "done"


def entry(done: Done) -> Entry:
    """The entry of a request: what of its parameters may be written down."""
    params = done.params
    whom = {name: _plain(params[name]) for name in sorted(NAMED & params.keys())}
    also = tuple(sorted(str(name)[:MOST_CHARACTERS] for name in params.keys() - NAMED))[:20]
    who, where = done.who[:MOST_CHARACTERS], done.address[:MOST_CHARACTERS]
    return Entry(done.at, who, where, done.method, whom, also, done.code or "done")


def sealed(entry: Entry | Mapping[str, Any], seal: str) -> tuple[bytes, str]:
    """The line of an entry, and its seal, which depends on all lines before it.

    Args:
        entry: what is written.
        seal: of the line before; empty for the first of all.
    """
    values = entry if isinstance(entry, Mapping) else asdict(entry)
    body = json.dumps(values, ensure_ascii=True, separators=(",", ":"), default=str)
    made = _seal(body, seal)
    return f'{body[:-1]}{_SEAL}{made}"}}\n'.encode("ascii"), made


def opened(line: bytes) -> tuple[dict[str, Any], str, str] | None:
    """What is in a line: its values, the text that was sealed, and the seal; None if it is none of ours."""
    try:
        text = line.decode("ascii").rstrip("\n")
        values = json.loads(text)
    except ValueError:
        return None
    head, found, seal = text.rpartition(_SEAL)
    if not found or not isinstance(values, dict) or not seal.endswith('"}'):
        return None
    values.pop("seal")
    return values, head + "}", seal[:-2]


def follows(body: str, seal: str, before: str) -> bool:
    """Whether a line is the next after the one with the seal ``before``, and both are as they were written."""
    return _seal(body, before) == seal


def _seal(body: str, before: str) -> str:
    return hashlib.blake2b(f"{before}{body}".encode(), digest_size=12).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k)[:MOST_CHARACTERS]: _plain(v) for k, v in list(value.items())[:8] if k in NAMED}
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**64 else "?"
    return value[:MOST_CHARACTERS] if isinstance(value, str) else "?"
