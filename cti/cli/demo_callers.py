"""Callers and phones of the demo: simulated ones, or ones that a real FreeSWITCH plays by its own dialplan."""

from __future__ import annotations

import random
import uuid
from typing import Any, Final, Protocol

import gevent
import structlog

from cti.center import CallCenter
from cti.cli.demo_centre import NUMBERS
from cti.esl import Api, BgApi, channel_variables
from cti.model import events
from cti.switch import Link

PATIENCE_S: Final = 25.0
"""Mean time after which a waiting caller hangs up."""
IMPATIENT: Final = 0.3
"""The share of callers who may hang up at all."""
HANDLE_S: Final = 12.0
"""Mean length of a conversation."""

_log = structlog.get_logger("cti.demo")


class Callers(Protocol):
    """Whoever calls in the demo."""

    def contact(self, extension: str) -> str:
        """The dial string of an agent's phone."""
        ...

    def start(self, centre: CallCenter) -> None:
        """Begin to call."""
        ...

    def stop(self) -> None:
        """Call no more, and end every call."""
        ...


class SwitchCallers:
    """Callers on a real FreeSWITCH that runs freeswitch-conf/: it calls itself, from one SIP profile to the other, and
    plays the agents' phones too.

    Args:
        host: the event socket's address.
        port: its port.
        password: its password.
        rate_per_s: mean calls a second (Poisson).
        seed: for the same callers again.
    """

    def __init__(self, host: str, port: int, password: str, rate_per_s: float, seed: int) -> None:
        self._link = Link(host, port, password)
        self._rate_per_s = rate_per_s
        self._chance = random.Random(seed)
        self._callers: dict[str, str] = {}
        """Calling number -> channel, of everybody who called."""
        self._connected_once: set[str] = set()
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self._sip_port = "5060"
        self._number = 0

    def contact(self, extension: str) -> str:
        """A phone that the dialplan of freeswitch-conf/ plays."""
        return f"sofia/agents/demo-phone-{extension}@127.0.0.1:{self._sip_port}"

    def connect(self) -> None:
        """Connect a link of our own, and learn where callers come in.

        Raises:
            LinkError: as CallCenter.start.
        """
        self._link.connect()
        answer = self._link.request(Api("global_getvar callers_port").encode())
        self._sip_port = answer.text.strip() or self._sip_port

    def start(self, centre: CallCenter) -> None:
        """Begin to call."""
        centre.subscribe(self._connected, events.Established)
        self._greenlets.append(gevent.spawn(self._arrive))

    def stop(self) -> None:
        """Call no more, and end every call."""
        for greenlet in self._greenlets:
            greenlet.kill()
        for calling_number in list(self._callers):
            self._hang_up(calling_number)
        gevent.sleep(0.2)  # the hang-ups are on their way
        self._link.close()

    def _arrive(self) -> None:
        while True:
            self._call()
            gevent.sleep(self._chance.expovariate(self._rate_per_s))

    def _call(self) -> None:
        self._number += 1
        calling_number = f"138{self._number:07d}{self._chance.randrange(10)}"
        caller = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        self._callers[calling_number] = caller
        variables = channel_variables(
            {
                "origination_uuid": caller,
                "origination_caller_id_number": calling_number,
                "origination_caller_id_name": f"Caller {self._number}",
                "originate_timeout": "600",
            }
        )
        number = self._chance.choice(sorted(NUMBERS))
        target = f"sofia/agents/{number}@127.0.0.1:{self._sip_port}"
        command = BgApi(f"originate {variables}{target} &playback(silence_stream://-1)", job_uuid=str(uuid.uuid4()))
        self._link.submit(command.encode(), lambda _: None)
        if self._chance.random() < IMPATIENT:
            self._greenlets.append(
                gevent.spawn_later(self._chance.expovariate(1 / PATIENCE_S), self._give_up, calling_number)
            )

    def _give_up(self, calling_number: str) -> None:
        if calling_number not in self._connected_once:
            self._hang_up(calling_number)

    def _connected(self, event: events.Established) -> None:
        number = event.calling_number
        if number in self._callers and number not in self._connected_once:
            self._connected_once.add(number)
            talk_s = self._chance.expovariate(1 / HANDLE_S)
            self._greenlets.append(gevent.spawn_later(talk_s, self._hang_up, number))

    def _hang_up(self, calling_number: str) -> None:
        caller = self._callers.pop(calling_number, None)
        if caller is not None:
            self._link.submit(Api(f"uuid_kill {caller}").encode(), self._killed)

    def _killed(self, reply: Any) -> None:
        if isinstance(reply, Exception):
            _log.debug("a caller's hang-up was not heard", reason=str(reply))
