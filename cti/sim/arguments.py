"""How FreeSWITCH takes a command's arguments apart: separators, quotes, escapes, ``{name=value,...}``.

The rules are those of ``switch_separate_string`` (switch_utils.c) and ``switch_event_create_brackets``
(switch_event.c). They surprise: quotes are stripped once for each time a text is taken apart, so a comma inside
``{a='x, y'}`` splits all the same (the blank-separated pass took the quotes away); only a backslash protects it.
"""

from __future__ import annotations

_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
_MOST = 1024


def separate(text: str, delimiter: str, limit: int = _MOST) -> list[str]:
    """Splits ``text`` as FreeSWITCH does; the last of ``limit`` pieces keeps what is left.

    A text beginning with ``^^`` and another character brings its own delimiter.
    """
    if len(text) > 3 and text.startswith("^^"):
        delimiter, text = text[2], text[3:]
    if delimiter == " ":
        if "\\" not in text and "'" not in text:
            pieces = [piece for piece in text.split(" ") if piece]
            if len(pieces) <= limit:
                return pieces
        return [_cleaned(piece, "") for piece in _split_blank(text, limit)]
    if "\\" not in text and "'" not in text:  # nothing to protect or to strip: the common case
        pieces = [piece.strip(" ") for piece in text.split(delimiter, limit - 1)]
        return pieces if pieces[-1] else pieces[:-1]
    return [_cleaned(piece, delimiter) for piece in _split(text, delimiter, limit)]


def _split(text: str, delimiter: str, limit: int) -> list[str]:
    pieces: list[str] = []
    start = at = 0
    quoted = False
    while at < len(text) and len(pieces) < limit - 1:
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "'" and (quoted or "'" in text[at + 1 :]):
            quoted = not quoted
        elif char == delimiter and not quoted:
            pieces.append(text[start:at])
            start = at + 1
        at += 1
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def _split_blank(text: str, limit: int) -> list[str]:
    pieces: list[str] = []
    at = 0
    while at < len(text) and len(pieces) < limit:
        while at < len(text) and text[at] == " ":
            at += 1
        start = at
        if len(pieces) == limit - 1:
            pieces.append(text[start:])
            break
        quoted = False
        while at < len(text):
            char = text[at]
            if char == "\\":
                at += 1
            elif char == "'":
                quoted = not quoted
            elif char == " " and not quoted:
                break
            at += 1
        pieces.append(text[start:at])
        at += 1
    return pieces


def _cleaned(piece: str, delimiter: str) -> str:
    piece = piece.lstrip(" ")
    if "\\" not in piece and "'" not in piece:
        return piece.rstrip(" ")
    out: list[str] = []
    end = at = 0
    quoted = False
    while at < len(piece):
        char = piece[at]
        if char == "\\" and at + 1 < len(piece):
            escaped = piece[at + 1]
            plain = _UNESCAPED.get(escaped, escaped)
            if escaped in "'\"\\" or (delimiter and escaped == delimiter) or plain != escaped:
                out.append(plain if escaped not in "'\"\\" else escaped)
                end = len(out)
                at += 2
                continue
        if char == "'" and (quoted or "'" in piece[at + 1 :]):
            quoted = not quoted
            if quoted:
                end = len(out)
        else:
            out.append(char)
            if char != " " or quoted:
                end = len(out)
        at += 1
    return "".join(out[:end])


def closing(text: str, opening: str, closing_bracket: str) -> int:
    """The index of the bracket that closes the one ``text`` begins with, or -1; quotes do not matter here."""
    end = text.find(closing_bracket)
    if end < 0 or text.find(opening, 1, end) < 0:  # nothing nested: the common case
        return end
    depth = 0
    for at, char in enumerate(text):
        if char == opening:
            depth += 1
        elif char == closing_bracket:
            depth -= 1
            if depth == 0:
                return at
    return -1


def assignments(text: str, delimiter: str = ",") -> dict[str, str]:
    """The ``name=value`` pairs of the inside of a bracket; a piece without ``=`` or without a value is left out."""
    if len(text) > 3 and text.startswith("^^"):
        delimiter, text = text[2], text[3:]
    found: dict[str, str] = {}
    if "\\" not in text and "'" not in text and "^^" not in text and text.count(delimiter) < _MOST:
        for piece in text.split(delimiter):  # nothing to protect or to strip: the common case
            name, _, value = piece.partition("=")
            value = value.strip(" ")
            if value:
                found[name.strip(" ")] = value
        return found
    for piece in separate(text, delimiter):
        pair = separate(piece, "=", 2)
        if len(pair) == 2:
            found[pair[0]] = pair[1]
    return found


def bracketed(text: str, opening: str, closing_bracket: str) -> tuple[dict[str, str], str] | None:
    """Takes leading ``{...}`` (or ``[...]``) off ``text``: the variables and the rest; None when a bracket is not closed."""
    found: dict[str, str] = {}
    text = text.lstrip(" ")
    while text.startswith(opening):
        end = closing(text, opening, closing_bracket)
        if end < 0:
            return None
        found.update(assignments(text[1:end]))
        text = text[end + 1 :].lstrip(" ")
    return found, text
