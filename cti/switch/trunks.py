"""Which SIP gateways one FreeSWITCH has, and whether they are in service: mod_sofia's list and its events."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from cti.esl import Api, Command, Event, Frame
from cti.model import facts, trunk_facts
from cti.model.ids import SwitchId, TrunkId
from cti.switch.awaited import Later

STATE: Final = "sofia::gateway_state"
CHANGES: Final = ("sofia::gateway_add", "sofia::gateway_delete", "sofia::profile_start")
"""The ``CUSTOM`` events after which there may be other gateways than before."""
SUBCLASSES: Final = (STATE, *CHANGES)
_SETTLE_S: Final = 1.0
"""How long after such an event is the list read? A profile that starts has its gateways one after another."""

_GATEWAYS: Final = "<gateways>"
_GATEWAY: Final = re.compile(r"<gateway>(.*?)</gateway>", re.DOTALL)
_FIELD: Final = re.compile(r"<(name|state|status)>([^<]*)</\1>")
_AWAY: Final = frozenset({"FAILED", "FAIL_WAIT", "TIMEOUT", "DOWN"})
"""States of a registration that make a gateway unusable whatever its status (sofia_state_names in mod_sofia.c): the status
follows a second later, and of one that has been unregistered it says UP (sofia_reg_check_gateway)."""
_PINGED: Final = frozenset({"NOREG", "REGED"})
"""States of a gateway that is down for no fault of its registration: nobody answers OPTIONS (``ping``)."""
_LONGEST: Final = 200
"""Characters of what is said of a gateway; a phrase is the far end's own words."""


class Trunks:
    """Tells of the gateways how they are, whenever that changes. A gateway registers or not, is pinged or not; one that does
    neither counts as in service, since FreeSWITCH does not look.

    Args:
        switch: the switch's id, for the facts.
        submit: sends a command; the reply, or the error that ended the wait, goes to the function handed in with it.
        later: asks for a call after so many seconds.
        tell: takes the facts.
    """

    def __init__(
        self,
        switch: SwitchId,
        *,
        submit: Callable[[Command, Callable[[Frame | Exception], None]], None],
        later: Later,
        tell: Callable[[facts.Fact], None],
    ) -> None:
        self._switch = switch
        self._submit = submit
        self._later = later
        self._tell = tell
        self._told: dict[TrunkId, trunk_facts.TrunkSeen] = {}
        self._due = False
        self._looks = 0

    def look(self) -> None:
        """Read the list of gateways; what it says comes as a fact."""
        self._due = False
        self._looks += 1
        look = self._looks

        def answered(reply: Frame | Exception) -> None:
            if look != self._looks or isinstance(reply, Exception):
                return
            if _GATEWAYS not in reply.text:  # mod_sofia is not loaded, or not yet
                return
            seen = tuple(self._seen(name, *judged(state, status)) for name, state, status in listed(reply.text))
            self._told = {each.trunk: each for each in seen}
            self._tell(trunk_facts.TrunksListed(self._switch, seen))

        self._submit(Api("sofia xmlstatus gateway"), answered)

    def lost(self) -> None:
        """The link is down: the list is read again when it is back."""
        self._told.clear()
        self._due = False
        self._looks += 1

    def take(self, event: Event) -> bool:
        """A CUSTOM event; whether it was about gateways."""
        if event.subclass in CHANGES:
            if not self._due:
                self._due = True
                self._later(_SETTLE_S, self._look_if_due)
            return True
        if event.subclass != STATE:
            return False
        name = TrunkId(event.text("Gateway") or "")
        in_service, detail = judged(event.text("State") or "", event.text("Ping-Status") or "")
        said = f"{event.text('Status') or ''} {event.text('Phrase') or ''}".strip()
        # A registration that is renewed passes through five states and stays in service.
        known = self._told.get(name)
        if name and (known is None or known.in_service is not in_service or (said and not in_service)):
            detail = f"{detail} {said}".strip()[:_LONGEST] if not in_service else ""
            self._told[name] = trunk_facts.TrunkSeen(self._switch, name, in_service, detail)
            self._tell(self._told[name])
        return True

    def _seen(self, name: TrunkId, in_service: bool, detail: str) -> trunk_facts.TrunkSeen:
        """What the list says of a gateway; why it is out of service its event may have said better."""
        known = self._told.get(name)
        if known is not None and known.in_service is in_service:
            return known
        return trunk_facts.TrunkSeen(self._switch, name, in_service, detail)

    def _look_if_due(self) -> None:
        if self._due:
            self.look()


def listed(xmlstatus: str) -> list[tuple[TrunkId, str, str]]:
    """Each gateway's name, state and status in the answer to ``sofia xmlstatus gateway``; which is no XML where a
    setting holds a ``&`` (xml_gateway_status in mod_sofia.c escapes some of them).
    """
    found = []
    for gateway in _GATEWAY.findall(xmlstatus):
        fields = dict(_FIELD.findall(gateway))
        if fields.get("name"):
            found.append((TrunkId(fields["name"]), fields.get("state", ""), fields.get("status", "")))
    return found


def judged(state: str, status: str) -> tuple[bool, str]:
    """Whether a gateway is in service, and if it is not, in a word why.

    Args:
        state: of its registration, or NOREG.
        status: ``UP`` or ``DOWN``.
    """
    if status == "UP" and state not in _AWAY:
        return True, ""
    return False, "no answer to OPTIONS" if state in _PINGED else f"registration {state}"
