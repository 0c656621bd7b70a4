"""An agent in the terminal: `python examples/agent_client.py SERVER AGENT [--key FILE --server-key FILE]`.

Commands, one a line: on, off, ready, not [REASON], who, quit. What happens is printed as it happens.
"""

import argparse
import sys

from cti import CtiError
from cti.client import Client, SnapshotRecord


def show(item):
    """One line for each thing that an agent wants to know."""
    if isinstance(item, SnapshotRecord):
        for agent in item.agents:
            print(f"* you are {agent.state} {agent.reason}".rstrip(), flush=True)
    elif item.kind == "Delivered":
        print(f"* {item.calling_number} rings from {item.queue}: {item.data}", flush=True)
    elif item.kind == "Established":
        print(f"* talking with {item.calling_number} after {item.waited_s:.1f} s", flush=True)
    elif item.kind.startswith("Agent"):
        print(f"* you are {item.state} {item.reason}".rstrip(), flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("server", help="such as tcp://127.0.0.1:8100")
    arguments.add_argument("agent")
    arguments.add_argument("--key", help="the .key_secret file of `cti keys new`")
    arguments.add_argument("--server-key", help="server.key")
    given = arguments.parse_args()
    with Client(given.server, key=given.key, server_key=given.server_key, concurrency="threads") as client:
        agent = client.agent(given.agent)
        client.listen(show, agents=[given.agent])
        commands = {
            "on": lambda _: agent.log_on(),
            "off": lambda _: agent.log_off(),
            "ready": lambda _: agent.ready(),
            "not": agent.not_ready,
            "who": lambda _: print(f"* {agent.view}", flush=True),
        }
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "quit":
                return
            try:
                commands.get(word, lambda _: print(__doc__, flush=True))(rest)
            except CtiError as error:
                print(f"! {error}", flush=True)


if __name__ == "__main__":
    main()
