"""How FreeSWITCH takes a dial string apart: a model of its parsers, to test our quoting against without one.

Written from reading ``switch_utils.c``, ``switch_event.c``, ``switch_ivr_originate.c`` and ``mod_commands.c`` of 1.11;
``test_dial_string_live.py`` holds both against the real thing.
"""

from __future__ import annotations

_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def separate(text: str, divider: str, most: int = 1024) -> list[str]:
    """switch_separate_string: ``text`` divided, each part with one layer of escapes and quotes off."""
    if text.startswith("^^") and len(text) > 3:
        divider, text = text[2], text[3:]
    parts: list[str] = []
    at = 0
    while at < len(text) and len(parts) < most:
        if divider == " ":
            start = at
            while at < len(text) and text[at] == " ":
                at += 1
        else:
            start = at
        end = len(text) if len(parts) + 1 == most else _end_of_part(text, at, divider)
        parts.append(text[start:end])
        at = end + 1
        while divider == " " and at < len(text) and text[at] == " ":
            at += 1
    return [_clean(part, "" if divider == " " else divider) for part in parts]


def _end_of_part(text: str, at: int, divider: str) -> int:
    quoted = False
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif character == "'" and (quoted or divider == " " or "'" in text[at + 1 :]):
            quoted = not quoted
        elif character == divider and not quoted:
            return at
        at += 1
    return len(text)


def _clean(part: str, divider: str) -> str:
    part = part.lstrip(" ")
    out: list[str] = []
    kept = 0
    quoted = False
    at = 0
    while at < len(part):
        character = part[at]
        following = part[at + 1 : at + 2]
        if character == "\\" and following and (following in ("'", '"', "\\", divider) or following in _UNESCAPED):
            plain = following in ("'", '"', "\\", divider)
            out.append(following if plain else _UNESCAPED[following])
            kept = len(out)
            at += 2
            continue
        if character == "'" and (quoted or "'" in part[at + 1 :]):
            quoted = not quoted
            if quoted:
                kept = len(out)
        else:
            out.append(character)
            if character != " " or quoted:
                kept = len(out)
        at += 1
    # Where nothing was kept FreeSWITCH leaves the part as it is.
    return "".join(out[:kept]) if kept or quoted else "".join(out)


def _closing(text: str, opening: str, closing: str) -> int:
    depth = 0
    for at, character in enumerate(text):
        if character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if not depth:
                return at
    return -1


class Refused(Exception):
    """FreeSWITCH would not place the call, or place another one."""


def dialled(text: str) -> tuple[dict[str, str], str]:
    """switch_ivr_originate: the variables a new channel gets, and the address that is left."""
    if ":_:" in text:
        raise Refused("several dial strings")
    variables: dict[str, str] = {}
    for opening, closing in ("<>", "{}"):
        while text.startswith(opening):
            end = _closing(text, opening, closing)
            if end < 0:
                raise Refused("parse error")
            inner, text = text[1:end], text[end + 1 :]
            divider = ","
            if inner.startswith("^^"):
                divider, inner = inner[2], inner[3:]
            for assignment in separate(inner, divider):
                pair = separate(assignment, "=", 2)
                if len(pair) == 2 and pair[1]:
                    variables[pair[0]] = pair[1]
    # switch_string_var_check_const: a value that would be expanded is not set.
    return {name: value for name, value in variables.items() if not _expands(value)}, text.lstrip(" ")


def _expands(value: str) -> bool:
    dollar = False
    for character in value:
        if character == "$":
            dollar = True
        elif dollar:
            if character == "{":
                return True
            dollar = character == "\\"
    return False


def originated(command: str) -> tuple[dict[str, str], str, str]:
    """originate_function, from the text after ``api ``: variables, address and target."""
    name, _, arguments = command.partition(" ")
    assert name == "originate"
    folded = command.lower()
    if "mod_event_socket" in folded and ("unload" in folded or "reload" in folded):
        raise Refused("unloads the event socket")
    parts = separate(arguments.strip(" \t\r\n"), " ", 10)
    if not 2 <= len(parts) <= 7:
        raise Refused(f"usage: {parts}")
    variables, address = dialled(parts[0])
    return variables, address, parts[1]


def expanded(argument: str) -> str:
    """switch_channel_expand_variables, for an argument in which no variable is to be found."""
    active = _expands(argument) or any(
        argument[at] == "\\" and argument[at + 1 : at + 2] in ("\\", "n", "s", "t", "'") for at in range(len(argument))
    )
    if not active:
        return argument
    out: list[str] = []
    at = 0
    while at < len(argument):
        character = argument[at]
        following = argument[at + 1 : at + 2]
        if character == "\\" and following == "$":
            at += 2 if argument[at + 2 : at + 3] == "$" else 1
            out.append("$")
        elif character == "\\" and following == "'":
            at += 1
        elif character == "\\" and following == "\\":
            out.append("\\")
            at += 1
        elif character == "$" and following == "{":
            raise Refused("expanded")
        elif character == "$" and following == "$":
            if argument[at + 2 : at + 3] == "{":
                raise Refused("expanded")
            at += 1
            out.append("$")
        else:
            out.append(character)
        at += 1
    return "".join(out)


def application_of(target: str) -> tuple[str, str]:
    """What the originate command makes of ``&name(arg)``."""
    inner = target[1:].split(")", 1)[0]
    name, _, arg = inner.partition("(")
    return name, arg
