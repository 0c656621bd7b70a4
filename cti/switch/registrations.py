"""Which phones are registered at one FreeSWITCH: mod_sofia's events, and a look at what a call would meet."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from cti.errors import CtiError
from cti.esl import Api, Command, Event, Frame
from cti.model import device_facts, facts
from cti.model.ids import DeviceId, SwitchId
from cti.switch.awaited import Later

SUBCLASSES: Final = ("sofia::register", "sofia::unregister", "sofia::expire")
"""The ``CUSTOM`` events that tell of registrations (sofia_reg.c)."""
_DOUBTS_S: Final = (1.0, 4.0)
"""How long after a phone has left is it looked for again? The event of an expiry comes before the registration is deleted,
which another thread does (sofia_reg_check_expire in sofia_reg.c)."""
_VARIABLES: Final = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]|<[^<>]*>")
_LEGS: Final = re.compile(r"[,|]|:_:")


class Registrations:
    """Tells of the phones that it is to watch whether they are registered, and whenever that changes.

    What decides is what ``user/...`` would dial: the user's dial string from the directory, expanded. A phone that is
    registered several times, or by another module, is in service while any of it can be rung; one whose dial string asks
    nobody about registrations counts as in service. ``show registrations`` is not asked: it goes on listing who has left by
    another Call-ID than they came by, and whom mod_sofia has forgotten [live].

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
        self._domain = ""
        self._told: dict[DeviceId, bool | None] = {}
        """What has been told of each phone that is watched; None before the first word."""
        self._registered: set[DeviceId] = set()
        """Of those in service, whose registration has been told of."""
        self._of_user: dict[str, set[DeviceId]] = {}
        self._looks: dict[DeviceId, int] = {}
        """Which look at a phone is the last; what an earlier one finds is out of date."""
        self._look = 0

    # -- the link's life ------------------------------------------------------------------------------------------

    def connected(self, domain: str) -> None:
        """The switch can be asked again.

        Args:
            domain: its domain (``global_getvar domain``), that of a user without one (switch_core_get_domain).
        """
        self._domain = "" if domain.startswith("-ERR") else domain.strip()

    def lost(self) -> None:
        """The link is down: what was asked for will not be answered. Whoever wants to know asks again."""
        self._told.clear()
        self._registered.clear()
        self._of_user.clear()
        self._looks.clear()

    # -- what is wanted -------------------------------------------------------------------------------------------

    def watch(self, device: DeviceId) -> None:
        """Tell of a phone from now on, beginning with how it is."""
        self._told[device] = None
        self._of_user.setdefault(self.named(device)[0], set()).add(device)
        self._ask(device)

    def unwatch(self, device: DeviceId) -> None:
        """Tell nothing of a phone any more."""
        self._told.pop(device, None)
        self._registered.discard(device)
        self._looks.pop(device, None)
        user = self.named(device)[0]
        others = self._of_user.get(user, set())
        others.discard(device)
        if not others:
            self._of_user.pop(user, None)

    def watched(self, user: tuple[str, str]) -> list[DeviceId]:
        """The phones that are watched of a user, given by name and domain."""
        found = self._of_user.get(user[0])
        return [device for device in found if self.named(device) == user] if found else []

    def refused(self, device: DeviceId) -> None:
        """A call has failed since this phone is not registered."""
        if device in self._told:
            self._say(device, in_service=False)

    def take(self, event: Event) -> bool:
        """A CUSTOM event; whether it was about a phone that is watched."""
        if event.subclass not in SUBCLASSES:
            return False
        # An expiry says "user" and "host" where the other two say "from-user" and "from-host".
        user = event.text("from-user") or event.text("user") or ""
        host = event.text("from-host") or event.text("host") or ""
        concerned = self._of_user.get(user)
        if not concerned:
            return False
        for device in sorted(concerned):
            if event.subclass != "sofia::register":
                self._ask(device, _DOUBTS_S)
            elif host != self.named(device)[1]:
                self._ask(device)  # the same user of another domain, or an alias of this one
            else:
                self._looks.pop(device, None)  # what a look under way finds is older than this
                if not self._told[device] or device not in self._registered:
                    self._say(device, in_service=True, registered=True)
        return True

    # -- looking --------------------------------------------------------------------------------------------------

    def named(self, device: DeviceId) -> tuple[str, str]:
        """The name and the domain of a phone's user."""
        user, _, domain = device.partition("@")
        return user, domain or self._domain

    def _say(self, device: DeviceId, *, in_service: bool, registered: bool = False) -> None:
        self._looks.pop(device, None)
        self._told[device] = in_service
        if registered:
            self._registered.add(device)
        elif not in_service:
            self._registered.discard(device)
        if in_service:
            self._tell(device_facts.DeviceInService(self._switch, device, registered))
        else:
            self._tell(device_facts.DeviceOutOfService(self._switch, device))

    def _ask(self, device: DeviceId, doubts_s: tuple[float, ...] = ()) -> None:
        self._look += 1
        self._looks[device] = look = self._look
        user, domain = self.named(device)

        def dials(reply: Frame | Exception) -> None:
            if self._looks.get(device) != look or isinstance(reply, Exception):
                return
            dial_string = reply.text.strip()
            if "${" not in dial_string:
                self._found(device, in_service=True)
                return
            dialled = dial_string.replace("${dialed_user}", user).replace("${dialed_domain}", domain)
            self._request(device, f"expand echo {dialled}", expanded)

        def expanded(reply: Frame | Exception) -> None:
            if self._looks.get(device) != look or isinstance(reply, Exception):
                return
            found = reachable(reply.text)
            self._found(device, in_service=found)
            if found and doubts_s:
                self._looks[device] = look
                self._later(doubts_s[0], partial(self._ask_again, device, look, doubts_s[1:]))

        self._request(device, f"user_data {user}@{domain} param dial-string", dials)

    def _ask_again(self, device: DeviceId, look: int, doubts_s: tuple[float, ...]) -> None:
        if self._looks.get(device) == look:
            self._ask(device, doubts_s)

    def _request(self, device: DeviceId, command: str, answered: Callable[[Frame | Exception], None]) -> None:
        try:
            self._submit(Api(command), answered)
        except CtiError:  # a dial string that cannot be asked about, with a line break in it
            self._found(device, in_service=True)

    def _found(self, device: DeviceId, *, in_service: bool) -> None:
        self._looks.pop(device, None)
        if device in self._told and self._told[device] is not in_service:
            self._say(device, in_service=in_service)


def reachable(dial_string: str) -> bool:
    """Whether an expanded dial string rings anything: some leg of it is not ``error/...``, as ``sofia_contact`` writes
    for whom it does not know (mod_sofia.c).
    """
    if dial_string.startswith("-ERR"):
        return True  # nobody can say
    legs = _LEGS.split(_VARIABLES.sub("", dial_string.strip()))
    return any(leg.strip() and not leg.strip().startswith("error/") for leg in legs)
