"""How fast clients of the event socket take in events, all from the same recorded session in the same run.

Another process plays the recorded events over a loopback socket as fast as it is read. Each client, in a process of its
own, reads four headers of each event and counts, until it has seen so many events. Prints ``key=value`` lines: events a
second, and how many times as fast as greenswitch and libesl our link is. The best of several rounds counts, since what
disturbs a round only ever slows it down. A client that is not installed is left out, with the reason.

    python benchmarks/esl_throughput.py [--events 20000] [--rounds 2]
    python benchmarks/esl_throughput.py --flight 100000      # commands in flight on one link, none mismatched
    python benchmarks/esl_throughput.py --soak 10000000      # memory of our link over so many events

CTI_LIBESL names FreeSWITCH's own libesl as a shared library, if the loader does not find it.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import gevent.event

from cti.esl import Decoder, event_bytes
from cti.switch.link import Link

sys.path.insert(0, str(Path(__file__).parent))
from _throughput_clients import CLIENTS

RECORDINGS = Path(__file__).resolve().parents[1] / "tests" / "data" / "recordings"
RECORDING = "hold_and_transfer"
FORMATS = ("plain", "json")
# About 1 MB a write: what a switch that has fallen behind would send.
BLOB_BYTES = 1 << 20


def recorded(fmt: str) -> list[bytes]:
    """Return the frames of the recorded events, written in this format."""
    decoder, frames = Decoder(), []
    for line in (RECORDINGS / f"{RECORDING}.jsonl").read_text(encoding="utf-8").splitlines()[1:]:
        direction, _, text = json.loads(line)
        if direction == "<":
            for frame in decoder.feed(text.encode("utf-8", "surrogateescape")):
                if frame.event is not None and frame.event.name:
                    pairs = [pair for pair in frame.event.raw if pair[0] != "Content-Length"]
                    frames.append(event_bytes(pairs, frame.event.body or None, fmt=fmt))
    return frames


# -- the process that plays -------------------------------------------------------------------------------------------


def play(events: int) -> None:
    """Serve connections one after another: the greeting, a reply to each command, after ``event`` the events."""
    blobs = {}
    for fmt in FORMATS:
        frames = recorded(fmt)
        many = (frames * (1 + BLOB_BYTES // sum(map(len, frames))))[:events]
        blobs[fmt] = (b"".join(many), b"".join(many[: events % len(many)]), len(many))
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(b"Content-Type: auth/request\n\n")
            _answer(connection, blobs, events)


def _answer(connection: socket.socket, blobs: dict[str, tuple[bytes, bytes, int]], events: int) -> None:
    buffer = b""
    while data := connection.recv(65536):
        *commands, buffer = (buffer + data).split(b"\n\n")
        for command in commands:
            word = command.strip().decode()
            if word.startswith("echo "):
                connection.sendall(b"Content-Type: command/reply\nReply-Text: +OK %b\n\n" % word[5:].encode())
                continue
            connection.sendall(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n")
            if word.startswith("event"):
                blob, rest, count = blobs["json" if "json" in word else "plain"]
                for _ in range(events // count):
                    connection.sendall(blob)
                connection.sendall(rest)


@contextmanager
def player(events: int) -> Iterator[int]:
    """Run the playing process; gives its port."""
    command = [sys.executable, __file__, "--play", str(events)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


# -- the figures ------------------------------------------------------------------------------------------------------


def measure(name: str, port: int, fmt: str, events: int) -> tuple[float, str]:
    """Return a client's events a second, or 0 and why it was left out."""
    command = [sys.executable, __file__, "--client", name, "--port", str(port), "--format", fmt]
    command += ["--events", str(events)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return 0.0, "it did not get through in 120 s"
    said = done.stdout.strip().splitlines()
    if done.returncode or not said or not said[-1].startswith("seconds="):
        errors = done.stderr.strip().splitlines() or ["it said nothing"]
        return 0.0, errors[-1][:160]
    return events / float(said[-1].removeprefix("seconds=")), ""


def compare(events: int, rounds: int) -> None:
    sizes = {fmt: recorded(fmt) for fmt in FORMATS}
    print(f"python={sys.version.split()[0]}")
    print(f"events={events}")
    print(f"recording={RECORDING}")
    for fmt, frames in sizes.items():
        print(f"{fmt}_bytes_per_event={sum(map(len, frames)) / len(frames):.0f}")
    rates: dict[str, float] = {}
    why: dict[str, str] = {}
    with player(events) as port:
        for _ in range(rounds):
            for name, client in CLIENTS.items():
                for fmt in FORMATS:
                    key = f"{name}_{fmt}"
                    if fmt not in client.formats:
                        why[key] = client.why_not
                    if key in why:
                        continue
                    rate, reason = measure(name, port, fmt, events)
                    if reason:
                        why[key] = reason
                    rates[key] = max(rate, rates.get(key, 0.0))
    for key, rate in rates.items():
        if rate:
            print(f"{key}_events_per_s={rate:.0f}")
    for key, reason in why.items():
        print(f"{key}_left_out={reason}")
    for fmt in FORMATS:
        for other in ("greenswitch_plain", f"libesl_{fmt}", "genesis_plain", f"receive_{fmt}"):
            if rates.get(other) and rates.get(f"link_{fmt}"):
                print(f"link_{fmt}_to_{other}={rates[f'link_{fmt}'] / rates[other]:.2f}")


def flight(commands: int) -> None:
    """Have so many commands in flight on one link, and see each get its own answer."""
    answered = mismatched = 0
    over = gevent.event.Event()
    most = 0
    with player(1) as port:
        link = Link("127.0.0.1", port, "ClueCon", on_event=lambda _: None)
        link.connect()

        def expect(number: int):
            def answer(reply: object) -> None:
                nonlocal answered, mismatched
                answered += 1
                mismatched += getattr(reply, "reply_text", "") != f"+OK {number}"
                if answered == commands:
                    over.set()

            return answer

        began = time.perf_counter()
        for number in range(commands):
            link.submit(b"echo %d\n\n" % number, expect(number), timeout=60)
            most = max(most, link.in_flight)
        over.wait(120)
        seconds = time.perf_counter() - began
        link.close()
    print(f"commands={commands}")
    print(f"most_in_flight={most}")
    print(f"answered={answered}")
    print(f"mismatched={mismatched}")
    print(f"commands_per_s={answered / seconds:.0f}")


def soak(events: int) -> None:
    """Print our link's memory after a tenth of the events and after all of them."""
    with player(events) as port:
        command = [sys.executable, __file__, "--client", "link", "--port", str(port), "--format", "json"]
        subprocess.run([*command, "--events", str(events), "--memory"], check=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=20_000, help="events for each client and round")
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--flight", type=int, default=0, metavar="COMMANDS")
    arguments.add_argument("--soak", type=int, default=0, metavar="EVENTS")
    for hidden in ("--play", "--port"):
        arguments.add_argument(hidden, type=int, default=0, help=argparse.SUPPRESS)
    for hidden in ("--client", "--format"):
        arguments.add_argument(hidden, default="", help=argparse.SUPPRESS)
    arguments.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.play:
        play(given.play)
    elif given.client:
        CLIENTS[given.client].run(given.port, given.format, given.events, memory=given.memory)
    elif given.flight:
        flight(given.flight)
    elif given.soak:
        soak(given.soak)
    else:
        compare(given.events, given.rounds)


if __name__ == "__main__":
    main()
