"""Message-waiting lights: phones show whether a mailbox has new messages (RFC 3842, by FreeSWITCH's mod_sofia)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import gevent

from cti.errors import CtiError
from cti.messages.messages import Messages
from cti.model.mailbox import Mailbox

AFTER_S: Final = 0.3
"""How long to wait before a phone's question is answered: mod_voicemail, which knows nothing of our mailboxes, answers "no"
within 100 ms, and the last word counts."""


class Phones(Protocol):
    """A switch at which phones register; ``cti.switch.FreeSwitch`` is one."""

    def send_event(self, name: str, headers: Mapping[str, str]) -> None:
        """Make an event on the switch. Never blocks."""
        ...


class Lights:
    """Switches lights on and off, at every switch: whichever the phone is registered at.

    Args:
        messages: counted.
        boxes: every mailbox.
        switches: every switch.
        spawn: begins a greenlet.
    """

    def __init__(
        self,
        messages: Messages,
        boxes: Callable[[], Iterable[Mailbox]],
        switches: Callable[[], Iterable[Phones]],
        spawn: Callable[..., object],
    ) -> None:
        self._messages = messages
        self._boxes = boxes
        self._switches = switches
        self._spawn = spawn

    def changed(self, box: Mailbox) -> None:
        """The messages of a mailbox are others. Never blocks."""
        if box.light:
            self._spawn(self._show, box.light, {})

    def asked(self, query: Mapping[str, str]) -> None:
        """A phone has registered, or subscribed, and a switch asks how its light is to be (MESSAGE_QUERY). Never blocks."""
        account = query.get("Message-Account", "").removeprefix("sip:")
        if any(box.light == account for box in self._boxes()):
            more = {name[3:]: value for name, value in query.items() if name.startswith("VM-") and value}
            self._spawn(self._answer, account, more)

    def _answer(self, account: str, more: Mapping[str, str]) -> None:
        gevent.sleep(AFTER_S)
        self._show(account, more)

    def _show(self, account: str, more: Mapping[str, str]) -> None:
        """Let the phones of an account show what is new in all its mailboxes. Blocks this greenlet, and no other."""
        new = heard = 0
        for box in self._boxes():
            if box.light == account:
                counted = self._messages.do(self._messages.index.counts, box.id)
                new, heard = new + counted[0], heard + counted[1]
        headers = {
            "MWI-Messages-Waiting": "yes" if new else "no",
            "MWI-Message-Account": f"sip:{account}",
            "MWI-Voice-Message": f"{new}/{heard} (0/0)",
            **more,
        }
        for switch in self._switches():
            try:
                switch.send_event("MESSAGE_WAITING", headers)
            except CtiError:  # it is asked again when the phone registers anew
                continue
