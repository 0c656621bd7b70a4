"""A voice menu from a file: `python examples/ivr.py [HOST:PORT]`, with FreeSWITCH's event socket there.

Without a phone: `cti ivr draw examples/ivr.toml` and `cti ivr try examples/ivr.toml`.
"""

import sys
import tempfile
from pathlib import Path

from cti import CallbackPrompts, CallbackSettings, CallCenter, Destination, Messages, events
from cti.ivr import Ivr, read_ivr

CUSTOMERS = {"4711": "vip", "4712": "known"}


class Always:
    """Business hours that never end; a real service has a calendar here."""

    def is_open(self, _at):
        return True


def customer(visit):
    """What the menu asks about a policy: who has it."""
    return CUSTOMERS.get(visit.data["policy"])


centre = CallCenter(
    switch=sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8021",
    messages=Messages(f"{tempfile.gettempdir()}/cti-messages"),  # where FreeSWITCH may write, on its machine
    allowed_destinations=[Destination("0[1-9]*", "sofia/gateway/trunk/{number}")],
)
centre.add_queue("claims")
centre.add_queue("sales", callback=CallbackSettings(prompts=CallbackPrompts(choose="tone_stream://%(100,50,880)")))
centre.add_mailbox("service", queue="sales")
for user in ("1001", "1002"):
    centre.add_agent(user, contact=f"user/{user}").log_on(ready=True)

tree = read_ivr((Path(__file__).parent / "ivr.toml").read_text(encoding="utf-8"))
menu = Ivr(
    tree,
    lookups={"customer": customer},
    calendars={"office": Always()},
    queues=("claims", "sales"),
    calling_back=("sales",),
    mailboxes=("service",),
)
centre.on_call("5*")(menu)


@centre.on(events.Delivered)
def screen_pop(event):
    print(f"{event.agent}'s phone rings for {event.calling_number}, from {event.queue}: {dict(event.data)}")


@centre.on(events.CallCleared)
def figures(_event):
    for name, node in menu.figures.items():
        if node.entered:
            print(f"  {name}: {node.entered} came, {node.left} hung up, {dict(node.exits)}")


centre.start()
for file in menu.missing_prompts(centre.switch.api):
    print(f"the switch has no {file}; callers hear a tone in its place")
centre.run_forever()
