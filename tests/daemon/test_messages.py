"""A daemon that keeps messages: voice mail and fax by its file alone."""

from __future__ import annotations

import signal
import sqlite3

from cti.sim.fax_application import FaxMachine, fax_machine

CENTRE = """
[messages]
directory = "{directory}"
detect_fax = "claims"
[mailbox.claims]
queue = "claims"
min_s = 0.1
silence_s = 0
beep = "tone_stream://%(20,0,440)"
[queue.claims]
[agent.alice]
contact = "user/alice"
log_on = "{log_on}"
[numbers]
"5001" = {{ mailbox = "claims" }}
"5900" = {{ fax = "claims" }}
"*" = {{ queue = "claims" }}
"""


def test_messages_and_faxes_by_the_file_alone(running):
    running.phones("alice")
    running.switch.writes_files = True
    directory = running.directory / "messages"
    running.configure(CENTRE.format(directory=directory, log_on="not ready"))
    running.ready()
    speaker = running.switch.incoming(calling_number="138", called_number="5001")
    running.until("they speak", lambda: speaker.channel.stack and speaker.channel.stack[-1].application == "record")
    running.switch.scheduler.call_later(0.3, speaker.hang_up)
    running.said("a message has been left", kind="voicemail")
    # One that calls the fax number, and one that calls where people do.
    for number in ("5900", "5000"):
        sender = running.switch.incoming(calling_number="139", called_number=number)
        fax_machine(sender.channel, FaxMachine(pages=2, page_s=0.05, tone_s=0.2))
    running.said("a message has been left", kind="fax", count=2)
    with sqlite3.connect(directory / "messages.sqlite3") as index:
        kept = sorted(index.execute("SELECT kind, pages, state FROM message"))
    assert kept == [("fax", 2, "new"), ("fax", 2, "new"), ("voicemail", 0, "new")]
    running.configure(CENTRE.format(directory=directory, log_on="not ready").replace("min_s = 0.1", "min_s = 0.2"))
    running.signal(signal.SIGHUP)
    running.said("reload", change="mailbox claims: min_s 0.1 -> 0.2")
