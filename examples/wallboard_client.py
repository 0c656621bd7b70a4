"""A wallboard: `python examples/wallboard_client.py SERVER [--key FILE --server-key FILE]`.

A line for each change, from what the server publishes to those who may see everything.
"""

import argparse
from collections import Counter

from cti.client import Client, Subscriber

WAITING, GONE = {"Queued"}, {"Established", "Abandoned", "Diverted", "CallCleared"}


class Board:
    """What a wallboard shows: a snapshot, kept up to date by events."""

    def __init__(self, snapshot):
        self.waiting = {queue.queue: {call.call for call in queue.waiting} for queue in snapshot.queues}
        self.agents = {agent.agent: agent.state for agent in snapshot.agents}

    def apply(self, event):
        if event.kind.startswith("Agent"):
            self.agents[event.agent] = event.state
        elif event.kind in WAITING | GONE:
            for calls in self.waiting.values():
                calls.discard(event.interaction)
            if event.kind in WAITING:
                self.waiting.setdefault(event.queue, set()).add(event.interaction)

    def __str__(self):
        queues = " ".join(f"{queue}={len(calls)}" for queue, calls in self.waiting.items())
        states = Counter(self.agents.values())
        return f"waiting: {queues} | agents: " + " ".join(f"{state}={states[state]}" for state in sorted(states))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("server", help="such as tcp://127.0.0.1:8100")
    arguments.add_argument("--key", help="the .key_secret file of `cti keys new`")
    arguments.add_argument("--server-key", help="server.key")
    given = arguments.parse_args()
    keys = {"key": given.key, "server_key": given.server_key}
    with Client(given.server, **keys) as client, Subscriber(client.request("hello")["publish"], **keys) as published:
        board = None
        while True:
            item = published.next(timeout=60)
            if item is not None and item.event is not None and board is not None:
                board.apply(item.event)
            elif item is not None:  # something was missed, or this is the beginning
                snapshot = client.snapshot()
                published.synced(snapshot.epoch, snapshot.seq)
                board = Board(snapshot)
            print(board, flush=True)


if __name__ == "__main__":
    main()
