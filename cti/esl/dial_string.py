"""Dial strings: ``{variables}endpoint/address``, as the ``originate`` command and the ``bridge`` application read them.

FreeSWITCH parses a variable's value two or three times over (``originate_function`` of ``mod_commands.c`` divides by
spaces; ``switch_event_create_brackets`` of ``switch_event.c`` by commas, then by the equals sign), and looks for the
closing brace first, minding no quotes. A value that users influence goes through ``channel_variables``, and can then
change nothing but itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from cti.errors import ConfigurationError, LocalProtocolError
from cti.esl.percent import ARRAY_PREFIX
from cti.esl.quoting import disarm, escape

Within = Literal["originate", "application"]
"""Where a dial string stands: in the ``originate`` API command, or in an application's argument (``bridge``)."""

_NAME = re.compile(r"[A-Za-z0-9_.:\-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What FreeSWITCH would expand; it refuses to set such a value at all (switch_string_var_check_const).
_EXPANDED = re.compile(r"\$(?=\\*\{)")
# Divides a dial string into simultaneous ones (SWITCH_ENT_ORIGINATE_DELIM), wherever it stands.
_ENTERPRISE = ":_:"
# Means nothing to any of FreeSWITCH's parsers: carried as it is.
_PLAIN = re.compile(r"[A-Za-z0-9_.+/@%-]*")
_ROUND = str.maketrans("{}", "()")
_ENDPOINT = re.compile(r"[A-Za-z0-9_]+/\S+")
_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f'\"\\]")


def channel_variables(
    variables: Mapping[str, str],
    *,
    within: Within = "originate",
    strict: bool = False,
) -> str:
    """Return ``variables`` as the ``{...}`` that a dial string begins with; empty when there are none.

    Each value arrives on the new channel exactly as given, with quotes, commas, brackets, backslashes, pipes, percent
    signs, spaces at either end and bytes that are not UTF-8 (as lone surrogates). Replaced, in that value only:
    a control character (line breaks among them) by a space; ``${`` by ``$ {``, which FreeSWITCH would refuse to set;
    braces that do not pair by round brackets, unless the value can be written within ``<...>`` instead; a leading
    ``ARRAY::`` by ``ARRAY:``. An empty value is left out: FreeSWITCH sets none.

    Args:
        variables: names and values.
        within: where the dial string will stand.
        strict: refuse what would be replaced.

    Raises:
        LocalProtocolError: a name is not made of letters, digits and ``_ . : -``; or, when ``strict``, a value cannot
            be carried as it is.
    """
    braces: list[str] = []
    angles: list[str] = []
    for name, given in variables.items():
        if not _NAME.fullmatch(name) or _ENTERPRISE in name:
            raise LocalProtocolError(f"{name!r} cannot be the name of a channel variable")
        if _PLAIN.fullmatch(given):
            if given:
                braces.append(f"{name}={given}")
            continue
        value = _carried(given)
        within_angles = not _pairs(value, "{", "}") and _pairs(value, "<", ">")
        if not within_angles and not _pairs(value, "{", "}"):
            value = value.translate(_ROUND)
        if strict and value != given:
            raise LocalProtocolError(f"the value of {name} cannot be carried to a channel as it is")
        if value:
            (angles if within_angles else braces).append(_assignment(name, value))
    text = ("<" + ",".join(angles) + ">" if angles else "") + ("{" + ",".join(braces) + "}" if braces else "")
    # An empty pair of quotes is taken off when the variables are divided, after this has been looked for.
    text = text.replace(_ENTERPRISE, ":''_:")
    if within == "originate":
        return disarm(escape(text))
    # Expansion takes a layer of backslashes off, and one of two dollar signs.
    return text.replace("\\", "\\\\").replace("$", "$''")


def _carried(value: str) -> str:
    value = _CONTROL.sub(" ", value)
    if value.startswith(ARRAY_PREFIX):
        value = "ARRAY:" + value[len(ARRAY_PREFIX) :]
    return _EXPANDED.sub("$ ", value)


def _assignment(name: str, value: str) -> str:
    return f"{name}={escape(escape(value, '='), ',')}"


def _pairs(value: str, opening: str, closing: str) -> bool:
    """Whether each bracket in ``value`` has its other, so that counting them ends where it began, never below."""
    depth = 0
    for character in value:
        if character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def application(name: str, arg: str = "") -> str:
    """Return ``&name(arg)``, what the ``originate`` command runs on the answered channel.

    FreeSWITCH expands ``${...}`` in the argument.

    Raises:
        LocalProtocolError: the argument holds ``)``, at which FreeSWITCH would cut it, or a control character; or the
            name is not made of letters, digits, ``_`` and ``-``.
    """
    if not re.fullmatch(r"[A-Za-z0-9_\-]+", name):
        raise LocalProtocolError(f"{name!r} cannot be the name of an application")
    if ")" in arg:
        raise LocalProtocolError(f"the argument of {name} holds ')', at which FreeSWITCH would cut it")
    if _CONTROL.search(arg):
        raise LocalProtocolError(f"the argument of {name} holds a control character")
    return disarm(escape(f"&{name}({arg})"))


def safe_contact(contact: str, *, allow_multiple: bool = False) -> str:
    """Return ``contact``, a dial string given by an operator, when it is one address and nothing else.

    It may begin with variables of its own in square brackets (``[leg_timeout=20]sofia/gateway/a/100``).

    Args:
        contact: the dial string, such as ``user/1000@example.org``.
        allow_multiple: let it hold several addresses, divided by ``,`` (all at once) or ``|`` (one after the other).

    Raises:
        ConfigurationError: it is no ``endpoint/address``; or it begins with variables for the whole dial string (``{``
            or ``<``), where ours go; or it holds white space, a quote or a backslash; or several addresses that were
            not allowed.
    """
    if _FORBIDDEN.search(contact):
        raise ConfigurationError(f"contact {contact!r} holds white space, a quote, a backslash or a control character")
    if contact.startswith(("{", "<")):
        raise ConfigurationError(f"contact {contact!r} begins with variables; give those apart from the contact")
    if _ENTERPRISE in contact:
        raise ConfigurationError(f"contact {contact!r} holds {_ENTERPRISE!r}, which divides dial strings")
    addresses = _addresses(contact)
    if len(addresses) > 1 and not allow_multiple:
        raise ConfigurationError(f"contact {contact!r} holds several addresses where one is wanted")
    for address in addresses:
        if not _ENDPOINT.fullmatch(address):
            raise ConfigurationError(f"contact {contact!r} is no endpoint and address, such as user/1000@example.org")
    return contact


def _addresses(contact: str) -> list[str]:
    """Return the addresses in ``contact`` without the variables in square brackets before each."""
    found: list[str] = []
    for part in re.split(r"[,|](?![^\[]*\])", contact):
        bare = part
        while bare.startswith("["):
            variables, bracket, bare = bare[1:].partition("]")
            if not bracket or "[" in variables:
                raise ConfigurationError(f"contact {contact!r} has a square bracket without its other")
        found.append(bare)
    return found


def originate(
    contact: str,
    target: str,
    variables: Mapping[str, str] | None = None,
    *,
    strict: bool = False,
) -> str:
    """Return the API command that calls ``contact`` and hands the answered channel to ``target``.

    Use it as ``BgApi(originate(...), job_uuid=...)``. The command answers ``+OK <uuid>`` or ``-ERR <cause>``; give the
    channel an ``origination_uuid`` of our own, so that it can be cancelled before it answers.

    Args:
        contact: where to call, as ``safe_contact`` lets pass.
        target: an extension of the dialplan in one word, or what ``application`` returns.
        variables: the new channel's variables, as for ``channel_variables``.
        strict: refuse a value that cannot be carried as it is.

    Raises:
        LocalProtocolError: as ``channel_variables``, or the target is empty or no single word, or an extension with a
            quote or a backslash.
        ConfigurationError: as ``safe_contact``.
    """
    # An application's argument may hold both, escaped.
    if not target or re.search("[ \t\r\n\0]" if target.startswith("&") else _FORBIDDEN, target):
        raise LocalProtocolError("target is not one word without quotes and backslashes")
    before = channel_variables(variables or {}, strict=strict)
    return f"originate {before}{safe_contact(contact, allow_multiple=True)} {target}"
