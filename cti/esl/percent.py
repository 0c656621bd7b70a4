"""The percent-encoding of plain and XML events, as ``switch_url_encode`` writes it and clients read it."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from cti.esl.headers import HeaderValue

ARRAY_PREFIX = "ARRAY::"
ARRAY_SEPARATOR = "|:"

# SWITCH_URL_UNSAFE of switch_utils.h plus everything outside printable ASCII. A `%` that already begins an escape of
# two upper-case digits is passed through (switch_utils.c, switch_url_encode_opt), except at the very end of the text.
_UNSAFE = re.compile(rb"%[0-9A-F]{2}|[^!$'()*,\-./0-9A-Z_a-z~]")


def decode_value(raw: bytes) -> HeaderValue:
    """Return the value that ``raw`` stands for: text, or a list when it holds FreeSWITCH's ``ARRAY::a|:b``.

    Never raises: an escape that is not one stays as it is, and bytes that are not UTF-8 become lone surrogates.
    """
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    text = raw.decode("utf-8", "surrogateescape")
    if text.startswith(ARRAY_PREFIX):
        return text[len(ARRAY_PREFIX) :].split(ARRAY_SEPARATOR)
    return text


def encode_value(value: HeaderValue) -> bytes:
    """Return ``value`` as FreeSWITCH writes it in a plain event, its faults included.

    A literal ``%0A`` passes through unchanged and so reads back as a line feed; an empty value becomes ``_undef_``; an
    array of one element loses its mark (``switch_event.c``, ``switch_event_base_add_header``).
    """
    if not isinstance(value, str):
        value = ARRAY_PREFIX + ARRAY_SEPARATOR.join(value) if len(value) > 1 else "".join(value)
    raw = value.encode("utf-8", "surrogateescape")
    return _UNSAFE.sub(_escape, raw) or b"_undef_"


def _escape(match: re.Match[bytes]) -> bytes:
    found = match.group()
    return found if len(found) == 3 else b"%%%02X" % found[0]
