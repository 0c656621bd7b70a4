"""The centre around the hotline: queues, agents, what they see. `python -m insurance` runs it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cti import (
    CallbackPrompts,
    CallbackSettings,
    CallCenter,
    Destination,
    Messages,
    ToMailbox,
    ToScript,
    events,
)
from cti.plan import Calendar
from cti.waiting import SayNumber, WaitingTreatment

from .customers import Customers
from .hotline import Hotline
from .prompts import Prompts
from .screen import card

HOTLINE = "5000"
"""The number that customers call."""
AGENTS = {
    "1001": {"claims": 3, "service": 3, "complaints": 1},
    "1002": {"claims": 2, "service": 3},
    "1003": {"service": 2, "complaints": 3},
}
TIME_ZONE = "Europe/London"
HOURS = "mon-fri 08:00-18:00"
OFFICE = Calendar("office", hours=HOURS, time_zone=TIME_ZONE)
CALLED_BACK = "0207946*"
"""The numbers that may be called back, and no others: anybody could name an expensive one."""


def mailboxes(sounds: str) -> dict[str, dict[str, Any]]:
    """What callers leave, and the queue whose agents hear it."""
    same = {"thanks": f"{sounds}/{{language}}/message-kept.wav", "max_s": 180}
    return {
        "complaints": {"queue": "complaints", "greeting": f"{sounds}/{{language}}/complaint-message.wav", **same},
        "office": {"queue": "service", "greeting": f"{sounds}/{{language}}/leave-message.wav", **same},
    }


def build(
    switch: str,
    database: Path,
    *,
    password: str = "ClueCon",  # FreeSWITCH's own default
    sounds: str = "/usr/share/freeswitch/sounds/insurance",
    messages: str = "/var/lib/freeswitch/messages",
    office: Calendar = OFFICE,
    contact: Callable[[str], str] = "user/{}".format,
    trunk: str = "sofia/gateway/trunk/{number}",
    callback_hours: str = HOURS,
    clock: Callable[[], float] = time.time,
    deadline_s: float = 1.5,
    show: Callable[[str], object] = print,
    **settings: Any,
) -> tuple[CallCenter, Prompts, Customers]:
    """The whole service, not started.

    Args:
        switch: ``host:port`` of FreeSWITCH's event socket.
        database: the file of make_database.py.
        password: the event socket's.
        sounds: the folder of the recordings, on the switch's machine.
        messages: the folder for what callers leave, on the switch's machine and on this one.
        office: when agents are there.
        contact: an agent's dial string.
        trunk: a customer's, for callbacks.
        callback_hours: when customers are called back; empty for always.
        clock: Unix time.
        deadline_s: seconds for which a look-up may keep a caller.
        show: what is done with an agent's screen.
        settings: more for CallCenter: a journal, recordings, ...
    """
    prompts = Prompts(sounds)
    customers = Customers(database, deadline_s)
    hotline = Hotline(customers, prompts, office, agents=tuple(AGENTS), clock=clock)
    centre = CallCenter(switch, password, on_script_error="service", messages=Messages(messages), **settings)

    waiting = WaitingTreatment(
        greeting=f"{sounds}/{{language}}/queue-greeting.wav",
        position=(f"{sounds}/{{language}}/your-place.wav", SayNumber("position")),
        announce_every_s=45,
        offers={"1": ToScript("callback"), "2": ToMailbox("office")},  # every centre has a script "callback"
        offer_prompt=f"{sounds}/{{language}}/while-waiting.wav",
    )
    callback = CallbackSettings(
        destinations=(Destination(CALLED_BACK, trunk),),
        hours=callback_hours,
        time_zone=TIME_ZONE,
        prompts=CallbackPrompts(
            **{
                each: f"{sounds}/{{language}}/callback-{each}.wav"
                for each in ("number", "choose", "enter", "refused", "goodbye")
            }
        ),
    )
    same = {"waiting": waiting, "callback": callback, "after_call": ToScript("survey")}
    centre.add_queue("service", requires="service", **same)
    centre.add_queue("claims", requires="claims >= 2", wrap_up_s=20, **same)
    centre.add_queue("complaints", requires="complaints", priority=20, service_level_s=10, **same)
    for mailbox, more in mailboxes(sounds).items():
        centre.add_mailbox(mailbox, **more)
    for agent, skills in AGENTS.items():
        centre.add_agent(agent, contact(agent), skills=skills).log_on(ready=True)
    centre.on_call(HOTLINE)(hotline.call_in)
    centre.script("survey")(hotline.survey)
    centre.on(events.Delivered)(lambda event: show(card(event)))
    return centre, prompts, customers
