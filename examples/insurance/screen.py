"""What an agent sees while their phone rings: the customer and the policy. A real one is a window; this one is text."""

from typing import Any

WIDTH = 58


def card(event: Any) -> str:
    """The screen for a Delivered event, whose data is what the script attached."""
    data = event.data
    lines = [f"{event.agent}'s phone rings: {event.calling_number}, from {event.queue}, after {event.waited_s:.0f} s"]
    if "mailbox" in data:
        lines.append(f"a message, left in {data['mailbox']}: 1 plays it again, 3 deletes it")
    elif data.get("identified"):
        star = " *VIP*" if data["vip"] else ""
        lines += [f"customer {data['customer']}: {data['name']}{star}", f"policy {data['policy']} ({data['kind']})"]
    else:
        lines.append("not identified: ask for the policy number")
    if "language" in data:
        lines.append(f"speaks {data['language']}")
    rule = "+" + "-" * (WIDTH + 2) + "+"
    return "\n".join([rule, *(f"| {line[:WIDTH]:<{WIDTH}} |" for line in lines), rule])
