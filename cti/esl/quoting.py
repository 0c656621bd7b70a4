r"""Escaping for FreeSWITCH's argument parsers, each of which takes one layer of escapes off.

All of them come down to ``switch_separate_string`` (``switch_utils.c``): a backslash keeps the next character from
dividing; then, part by part, ``\\``, ``\'``, ``\"``, an escaped divider and ``\n \r \t \s`` are replaced, lone
quotes are taken off, and unescaped spaces at both ends go. Text escaped here holds no quote and no space that is not
escaped, so it never depends on what stands around it.
"""

from __future__ import annotations

import re

from cti.errors import LocalProtocolError
from cti.esl.wire import line_part

_EXPANDED = re.compile(r"\$\\*\{")
# FreeSWITCH takes a command for the order to unload its event socket when it holds this name and one of two verbs.
_MODULE = re.compile("(mod)(_event_socket)", re.IGNORECASE)


def escape(text: str, divider: str = "") -> str:
    """Return ``text`` so that one pass of ``switch_separate_string`` with this divider gives it back."""
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace(" ", "\\s")
    return text.replace(divider, "\\" + divider) if divider else text


def api_argument(text: str) -> str:
    """Return ``text`` as one argument of an API command that divides its arguments by spaces, as most do.

    ``Api(f"uuid_setvar {uuid} name {api_argument(value)}")`` sets exactly ``value``. It is for commands that parse
    their arguments with ``switch_separate_string``; ``echo``, ``eval`` and the like take everything as it is.

    Raises:
        LocalProtocolError: it is empty, holds a line break or a NUL, or begins with ``^^`` (another divider).
    """
    if not line_part("argument", text):
        raise LocalProtocolError("argument is empty")
    if text.startswith("^^"):
        raise LocalProtocolError("argument begins with '^^', by which FreeSWITCH takes another divider")
    return disarm(escape(text))


def application_argument(text: str) -> str:
    """Return ``text`` so that an application executed with it gets exactly ``text``, nothing in it expanded.

    FreeSWITCH expands ``${...}`` in an application's argument, and when there is anything to expand or unescape it
    also takes a layer of backslashes off (``switch_channel_expand_variables``). ``set``, ``export`` and a few others
    expand their argument once more: set a variable with ``uuid_setvar`` and ``api_argument`` instead.

    Raises:
        LocalProtocolError: it holds a line break or a NUL, or begins with ``%[`` or the like, which sets variables.
    """
    line_part("argument", text)
    if re.match(r"%.?\[", text):
        raise LocalProtocolError("argument begins with '%[', by which FreeSWITCH sets variables")
    if "\\" not in text and not _EXPANDED.search(text):
        return text
    return text.replace("\\", "\\\\").replace("$", "\\$")


def disarm(text: str) -> str:
    """Return ``text``, about to lose one layer of escapes, so that it cannot unload FreeSWITCH's event socket.

    An empty pair of quotes in the module's name vanishes with that layer.
    """
    # Looked for twice, since the cheap look finds nothing in almost every command.
    return _MODULE.sub(r"\1''\2", text) if "event_socket" in text.lower() else text
