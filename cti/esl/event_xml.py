"""Events in the ``xml`` format, for completeness; prefer JSON.

FreeSWITCH writes header names as element names without escaping them, leaves out a body that is not UTF-8, and cannot
tell an array from a repeated header (``switch_event_xmlize``). The text is therefore scanned by its line shape, which
is exact for what FreeSWITCH writes, rather than handed to an XML parser, which rejects a name with a space in it.
"""

from __future__ import annotations

import re

from cti.esl.event import Event
from cti.esl.headers import HeaderPair
from cti.esl.percent import decode_value

_HEADERS = re.compile(rb"<headers>(.*?)</headers>", re.DOTALL)
# A value is percent-encoded, so it holds no angle bracket.
_ELEMENT = re.compile(rb"^\s*<([^\n]+?)(?:/>|>([^<>\n]*)</\1>)[ \t]*$", re.MULTILINE)
_BODY = re.compile(rb"</headers>.*?<body>(.*)</body>\s*</event>\s*\Z", re.DOTALL)
# What FreeSWITCH puts before the closing tag when the body ends with a line feed (switch_xml_toxml_r).
_INDENT = b"  "
_ENTITY = re.compile(r"&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def _resolve(match: re.Match[str]) -> str:
    hexadecimal, decimal, named = match.groups()
    if named:
        return _NAMED[named]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return chr(code) if code <= 0x10FFFF else match.group()


class XmlEvent(Event):
    """An XML event that keeps its bytes and reads all headers when the first is asked for.

    The elements of an array are separate headers of one name: ``get_all`` returns them.
    """

    __slots__ = ("_block",)

    def __init__(self, block: bytes) -> None:  # the pairs are read from the block
        self._block = block
        self._index = None

    def _load(self) -> list[HeaderPair]:
        found = _HEADERS.search(self._block)
        if found is None:
            return []
        return [
            (match[1].decode("utf-8", "surrogateescape"), decode_value(match[2] or b""))
            for match in _ELEMENT.finditer(found[1])
        ]

    @property
    def body(self) -> str | None:
        """The event's body, or None when it has none or when it was not UTF-8."""
        found = _BODY.search(self._block)
        if found is None:
            return None
        text = found[1]
        if text.endswith(b"\n" + _INDENT):
            text = text[: -len(_INDENT)]
        return _ENTITY.sub(_resolve, text.decode("utf-8", "surrogateescape"))
