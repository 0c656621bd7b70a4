"""Contacts that somebody else than the operator may give to an agent, while the centre runs."""

from __future__ import annotations

import re
from typing import Any, Final

from attrs import Attribute, field, frozen

from cti.errors import ConfigurationError, ContactNotAllowed
from cti.model.agent import AgentSettings

_USER: Final = re.compile(r"user/[\w.+*#~-]{1,64}(?:@[\w.:-]{1,255})?\Z", re.ASCII)
_ONE_ADDRESS: Final = re.compile(r"[A-Za-z0-9_]+(?:/[\w.+*#~@:-]+)+\Z", re.ASCII)
"""An endpoint and an address, of nothing that FreeSWITCH's parsers take for anything else: it sets no variable, names no
second address, and no URI parameter leads the call elsewhere (``;fs_path=``)."""
_RULE: Final = re.compile(r"[A-Za-z0-9_]+(?:/[\w.+*#~@:?-]+)+\Z", re.ASCII)
_LONGEST: Final = 200


def listed_texts(value: object) -> object:
    """An attrs converter: a list as a tuple; anything else is for the validator to refuse."""
    return tuple(value) if isinstance(value, list | set | frozenset) else value


def contact_rules(_instance: object, attribute: Attribute[Any], value: object) -> None:
    """An attrs validator: rules of AllowedContacts."""
    if not isinstance(value, tuple):
        raise ConfigurationError(
            f"{attribute.name} is {value!r}; it must be a list such as ['sofia/gateway/mobile/1*']"
        )
    for rule in value:
        if not isinstance(rule, str) or len(rule) > _LONGEST or not _RULE.match(rule):
            raise ConfigurationError(
                f"{attribute.name} has {rule!r}; a rule is an endpoint and an address, such as 'sofia/gateway/mobile/1*',"
                " of letters, digits and . + # ~ @ : _ - / and the wildcards * and ?"
            )


@frozen
class AllowedContacts:
    """What the operator lets others set as an agent's phone, besides registered users (``user/1001``).

    Args:
        allowed_contacts: dial strings; ``*`` stands for anything but ``/`` and ``@``, and may be nothing, ``?`` for one such
            character.
    """

    allowed_contacts: tuple[str, ...] = field(default=(), converter=listed_texts, validator=contact_rules)

    def allows(self, contact: str) -> bool:
        """Whether this contact is a registered user's phone, or one address that a rule lets through."""
        if len(contact) > _LONGEST:
            return False
        if _USER.match(contact):
            return True
        return _ONE_ADDRESS.match(contact) is not None and any(
            _matches(rule, contact) for rule in self.allowed_contacts
        )

    def check(self, wanted: AgentSettings, known: AgentSettings | None) -> None:
        """Refuse an agent's settings whose phones are not allowed, and are not those they have.

        Raises:
            ContactNotAllowed: the message names the contact, and what to do.
        """
        for what in ("contact", "mobile"):
            contact = getattr(wanted, what)
            if contact and (known is None or contact != getattr(known, what)) and not self.allows(contact):
                raise ContactNotAllowed(contact, what)


def _matches(rule: str, contact: str) -> bool:
    parts = ("[^/@]*" if each == "*" else "[^/@]" if each == "?" else re.escape(each) for each in rule)
    return re.fullmatch("".join(parts), contact) is not None
