"""The hotline itself: what a caller hears, is asked, and where they go. A script is plain Python, one greenlet a call."""

import time
from collections.abc import Callable
from typing import Any

from cti import Personal
from cti.plan import Calendar
from cti.script import Say

from .customers import UNAVAILABLE, Customers, day, money
from .prompts import LANGUAGES, Prompts

TONE = "tone_stream://%(200,100,950)"
"""Heard in place of a recording that the switch has not."""
HOLD = "tone_stream://v=-20;%(1000,3000,350,440);loops=-1"
"""Heard while the database thinks."""
TRIES = 3
"""How often a caller may be wrong about their policy number or PIN before somebody talks with them."""
VIP_PRIORITY = 10
ADVISER_WAIT_S = 20.0
"""How long a customer waits for their own adviser before anybody may be offered the call."""

Customer = dict[str, Any]
"""A row of the customers' look-ups: id, name, language, vip, adviser, policy, kind."""


class Hotline:
    """The scripts.

    Args:
        customers: the database.
        prompts: the recordings.
        office: when agents are there.
        agents: who they are; an adviser who is none of them has left.
        clock: Unix time.
    """

    def __init__(
        self,
        customers: Customers,
        prompts: Prompts,
        office: Calendar,
        *,
        agents: tuple[str, ...],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._customers = customers
        self._prompts = prompts
        self._office = office
        self._agents = agents
        self._clock = clock

    # -- from the first ring ------------------------------------------------------------------------------------------

    def call_in(self, call: Any) -> None:
        """The script of the hotline's number."""
        call.answer()
        customer = self._by_phone(call)
        self._choose_language(call, customer)
        self._say(call, "welcome")
        if not self._office.is_open(self._clock()):
            self._closed(call)
            return
        self._menu(call, customer or self._identify(call))

    def _by_phone(self, call: Any) -> Customer | None:
        """Who has the calling number; None for nobody, or if that cannot be found out now."""
        if not call.calling_number.isdigit():  # withheld
            return None
        found = call.look_up(self._customers.by_phone, phone=call.calling_number, hold_prompt=HOLD)
        return None if found == UNAVAILABLE else found

    def _choose_language(self, call: Any, customer: Customer | None) -> None:
        if customer is not None:
            call.language = customer["language"]
        else:
            both = [self._prompts["language"][each] for each in LANGUAGES.values()]
            choice = call.menu(*both, options=LANGUAGES, tries=1)
            call.language = choice.value or next(iter(LANGUAGES.values()))
        call.attach(language=call.language)  # for what they hear while waiting, and for the agent

    def _identify(self, call: Any) -> Customer | None:
        """Ask for a policy number; None when there is none, nobody knows it, or nobody can look."""
        for _ in range(TRIES):
            asked = call.collect(
                self._prompts["policy-number"],
                min_digits=0,
                max_digits=6,
                valid=r"(\d{6})?",
                tries=2,
                invalid=self._prompts["invalid"],
                nothing=self._prompts["nothing"],
            )
            if not asked.digits:  # they have none, or press nothing
                return None
            found = call.look_up(self._customers.by_policy, policy=asked.digits, hold_prompt=HOLD)
            if found == UNAVAILABLE:
                self._say(call, "unavailable")
                return None
            if found is not None:
                return found
            self._say(call, "no-such-policy")
        return None

    # -- what callers may want ----------------------------------------------------------------------------------------

    def _menu(self, call: Any, customer: Customer | None) -> None:
        if customer is None:
            self._connect(call, "service", None)
            return
        wishes = {
            "1": self._status,
            "2": self._claim,
            "3": self._complain,
            "4": self._call_back,
            "0": self._adviser,
            "9": None,
        }
        while True:
            choice = call.menu(
                self._prompts["menu"],
                options=wishes,
                nothing=self._prompts["nothing"],
                invalid=self._prompts["invalid"],
            )
            if not choice:
                self._connect(call, "service", customer)
                return
            if choice.value is not None and choice.value(call, customer):
                return

    def _status(self, call: Any, customer: Customer) -> bool:
        """Say how policy and claims stand, to who has the PIN. As of all wishes: whether the call has gone elsewhere."""
        if not self._proves(call, customer):
            self._connect(call, "service", customer)
            return True
        policy = call.look_up(self._customers.policy, policy=customer["policy"], hold_prompt=HOLD)
        claim = call.look_up(self._customers.claim, policy=customer["policy"], hold_prompt=HOLD)
        if UNAVAILABLE in (policy, claim) or policy is None:
            self._say(call, "unavailable")
            self._connect(call, "service", customer)
            return True
        number = Say(customer["policy"], "number", digits=True)
        self._say(call, "your-policy", number, f"policy-{policy['status']}", Say(money(policy["premium"])))
        self._say(call, "due-on", Say(day(policy["due"])))
        if claim is None:
            self._say(call, "no-claims")
        else:
            self._say(call, "number-of-claims", Say(claim["claims"]), f"claim-{claim['status']}")
            self._say(call, Say(money(claim["amount"])), "since", Say(day(claim["changed"])))
        return False

    def _proves(self, call: Any, customer: Customer) -> bool:
        """Whether the caller knows the PIN: a calling number can be forged. It is in no log, event or call record."""
        for _ in range(TRIES):
            asked = call.collect(self._prompts["pin"], min_digits=4, max_digits=4, secret=True, tries=1)
            if not asked:
                continue
            found = call.look_up(self._customers.pin, customer=customer["id"], pin=asked.secret, hold_prompt=HOLD)
            if found == UNAVAILABLE:
                self._say(call, "unavailable")
                return False
            if found is not None:
                return True
            self._say(call, "wrong-pin")
        return False

    def _claim(self, call: Any, customer: Customer) -> bool:
        self._connect(call, "claims", customer)
        return True

    def _adviser(self, call: Any, customer: Customer) -> bool:
        self._connect(call, "service", customer)
        return True

    def _complain(self, call: Any, customer: Customer) -> bool:
        """Somebody of the complaints' queue, who is offered these before all others; or a message."""
        choice = call.menu(self._prompts["complaint"], options={"1": "talk", "2": "message"}, tries=2)
        if choice.value == "message":
            self._message(call, "complaints")
        else:
            self._connect(call, "complaints", customer)
        return True

    def _call_back(self, call: Any, customer: Customer) -> bool:
        """A callback keeps its place in the queue, as if they waited on the line; if it is not taken, the menu again."""
        priority, data = self._known(customer)
        taken = call.callback("service", priority=priority, data=data)
        return bool(taken)

    def _closed(self, call: Any) -> None:
        """Nobody is there: a message, or nothing."""
        if call.menu(self._prompts["closed"], options={"1": "message"}, tries=1):
            self._message(call, "office")
        else:
            self._say(call, "goodbye")
            call.hang_up()

    def _message(self, call: Any, mailbox: str) -> None:
        """Whoever serves the mailbox's queue hears it; most callers end it by hanging up."""
        call.voicemail(mailbox)
        self._say(call, "goodbye")
        call.hang_up()

    # -- to an agent --------------------------------------------------------------------------------------------------

    def _connect(self, call: Any, queue: str, customer: Customer | None) -> None:
        """Into a queue: with what is known for the agent's screen, VIPs in front, to their own adviser first."""
        self._say(call, "connecting")
        if customer is None:
            call.queue(queue, data={"identified": False})
            return
        priority, data = self._known(customer)
        adviser = customer["adviser"] if customer["adviser"] in self._agents else None
        personal = Personal(adviser, wait_s=ADVISER_WAIT_S) if adviser else None
        call.queue(queue, priority=priority, data=data, personal=personal)

    def _known(self, customer: Customer) -> tuple[int, dict[str, Any]]:
        """How much sooner than others a customer is served, and what the agent's screen shows of them."""
        vip = bool(customer["vip"])
        known = {key: customer[key] for key in ("name", "policy", "kind")}
        return VIP_PRIORITY if vip else 0, {"identified": True, "customer": customer["id"], **known, "vip": vip}

    def survey(self, call: Any) -> None:
        """After the call, for callers who are still there when the agent has hung up."""
        asked = call.collect(self._prompts["survey"], max_digits=1, valid="[1-5]", invalid=self._prompts["invalid"])
        if asked:
            call.attach(mark=int(asked.digits))
            self._customers.save_mark(call.id, call.agent or "", int(asked.digits))
        self._say(call, "goodbye")

    def _say(self, call: Any, *what: str | Say) -> None:
        """Play recordings by name, and values. A key ends it, and counts as the answer to the next question."""
        prompts = [self._prompts[each] if isinstance(each, str) else each for each in what]
        call.play(*prompts, barge_in=True, missing=TONE)
