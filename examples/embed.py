"""A call centre in your own program: `python examples/embed.py [HOST:PORT]`, with FreeSWITCH's event socket there."""

import sys

from cti import CallCenter, CallGone, SkillRouter, events

centre = CallCenter(switch=sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8021", router=SkillRouter())
centre.add_queue("claims", requires={"claims": 3}, max_wait_s=120, wrap_up_s=5)
for user in ("1001", "1002"):
    centre.add_agent(user, contact=f"user/{user}", skills={"claims": 5}).log_on(ready=True)


@centre.on_call("5*")
def hotline(call):
    call.answer()
    try:
        outcome = call.queue("claims")
    except CallGone:
        print(f"{call.calling_number} gave up")
        raise
    print(f"{call.calling_number} went to {outcome.agent or outcome.destination}")


@centre.on(events.Delivered)
def screen_pop(event):
    print(f"{event.agent}'s phone rings for {event.calling_number}: {dict(event.data)}")


centre.run_forever()
