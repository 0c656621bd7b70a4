"""Calls go where a plan says: `python examples/routing_plan.py [HOST:PORT]`, with FreeSWITCH's event socket there."""

import sys
import tomllib

from cti import CallCenter, CallGone, SkillRouter
from cti.plan import read_plan

PLAN = """
time_zone = "Asia/Shanghai"
country = "CN"

[calendars.office]
hours = "mon-fri 09:00-12:00, 13:00-18:00; sat 10:00-14:00"

[[rules]]
name = "accidents, day and night"
when = { called = "5*" }
to = { queue = "accidents", priority = 10, data = { greeting = "Are you hurt?" } }

[[rules]]
name = "night"
when = { calendar = "office", open = false }
to = { voicemail = "500" }

[[rules]]
name = "a customer's own adviser"
when = { class = "vip", data = { adviser = { exists = true } } }
to = { queue = "sales", agent_from = "adviser", wait_s = 30, by_presence = { busy = 60, leave = { agent = "1002" } } }

[[rules]]
name = "the south"
when = { region = ["CN-44", "CN-45", "CN-46"] }
to = { queue = "south" }

[default]
queue = "sales"
"""

QUEUES = ("accidents", "sales", "south")

centre = CallCenter(switch=sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8021", router=SkillRouter())
for queue in QUEUES:
    centre.add_queue(queue, max_wait_s=120)
for user in ("1001", "1002"):
    centre.add_agent(user, contact=f"user/{user}").log_on(ready=True)

plan = read_plan(tomllib.loads(PLAN), queues=QUEUES, agents=("1001", "1002"))
for warning in plan.warnings:
    print(warning)


@centre.on_call("*")
def any_call(call):
    print(f"{call.calling_number} calls {call.called_number}:")
    print(plan.explain(call.request()))
    try:
        outcome = call.route(plan)
    except CallGone:
        print(f"{call.calling_number} gave up")
        raise
    if outcome is not None:
        print(f"{call.calling_number} went to {outcome.agent or outcome.destination}")


centre.run_forever()
