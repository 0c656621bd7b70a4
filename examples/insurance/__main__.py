"""`python -m insurance [HOST:PORT]`, in the folder above this one, with FreeSWITCH's event socket there."""

import argparse
from pathlib import Path

from cti.plan import Calendar
from cti.script import missing_prompts

from .centre import HOURS, OFFICE, build
from .make_database import make_database


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m insurance", description="An insurer's hotline.")
    arguments.add_argument("switch", nargs="?", default="127.0.0.1:8021", help="FreeSWITCH's event socket")
    arguments.add_argument("--password", default="ClueCon", help="the event socket's")
    arguments.add_argument("--database", type=Path, default=Path("customers.db"), help="made, if it is not there")
    arguments.add_argument("--sounds", default="/usr/share/freeswitch/sounds/insurance", help="on the switch's machine")
    arguments.add_argument(
        "--messages", default="/var/lib/freeswitch/messages", help="on the switch's machine and here"
    )
    arguments.add_argument("--trunk", default="sofia/gateway/trunk/{number}", help="the dial string of callbacks")
    arguments.add_argument("--journal", help="a directory: calls and agents survive a crash")
    arguments.add_argument("--always-open", action="store_true", help="for a look at it at night")
    given = arguments.parse_args()
    make_database(given.database)
    always = Calendar("always", hours="mon-sun 00:00-24:00", time_zone="UTC")
    centre, prompts, customers = build(
        given.switch,
        given.database,
        password=given.password,
        sounds=given.sounds,
        messages=given.messages,
        office=always if given.always_open else OFFICE,
        trunk=given.trunk,
        callback_hours="" if given.always_open else HOURS,
        journal=given.journal,
    )
    centre.start()
    missing = missing_prompts(centre.switch.api, prompts)
    if missing:
        print(f"the switch has not {len(missing)} of the recordings (callers hear a tone), such as {missing[0]}")
    try:
        centre.run_forever()
    finally:
        customers.close()


if __name__ == "__main__":
    main()
