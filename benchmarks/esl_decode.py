"""How fast events are decoded, and four headers of each read, next to greenswitch's parser in the same run.

Prints ``key=value`` lines; rates are events a second, on one core, without a socket. The event is a recorded
CHANNEL_ANSWER of 93 headers. The best of several rounds counts, since what disturbs a round only ever slows it down.

    python benchmarks/esl_decode.py [--seconds 1.0]
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from greenswitch.esl import ESLEvent

from cti.esl import Decoder, Event, event_bytes

VECTORS = Path(__file__).resolve().parents[1] / "tests" / "data" / "esl-vectors.json"
VECTOR = "event_plain_channel_answer_93_headers"
READ = ("Event-Name", "Unique-ID", "Channel-Call-State", "Event-Date-Timestamp")
# What one recv() of a busy event socket brings.
CHUNK_BYTES = 65_536
BATCH = 200


def recorded() -> Event:
    """Return the recorded event."""
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        if vector["name"] == VECTOR:
            [frame] = Decoder().feed(base64.b64decode(vector["input_b64"]))
            return frame.event
    raise SystemExit(f"{VECTORS} has no {VECTOR}")


def decoded(stream: bytes) -> int:
    """Decode a stream and read four headers of each event; return the number of events."""
    decoder = Decoder()
    count = 0
    for at in range(0, len(stream), CHUNK_BYTES):
        for frame in decoder.feed(stream[at : at + CHUNK_BYTES]):
            event = frame.event
            for name in READ:
                event[name]
            count += 1
    return count


def greenswitch_decoded(stream: bytes) -> int:
    """The same with what greenswitch does to a plain event once its bytes are there."""
    count = 0
    at = 0
    while at < len(stream):
        blank = stream.index(b"\n\n", at)
        envelope = ESLEvent(stream[at:blank].decode() + "\n")
        end = blank + 2 + int(envelope.headers["Content-Length"])
        envelope.parse_data(stream[blank + 2 : end].decode())
        for name in READ:
            envelope.headers[name]
        at = end
        count += 1
    return count


def rate(work: Callable[[bytes], int], stream: bytes, seconds: float) -> float:
    """Return the events a second of the best round."""
    best = 0.0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        count = work(stream)
        best = max(best, count / (time.perf_counter() - began))
    return best


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=1.0, help="how long each is measured")
    seconds = arguments.parse_args().seconds
    event = recorded()
    plain = event_bytes(event.raw, fmt="plain")
    as_json = event_bytes(event.raw, fmt="json")
    plain_rate = rate(decoded, plain * BATCH, seconds)
    json_rate = rate(decoded, as_json * BATCH, seconds)
    greenswitch_rate = rate(greenswitch_decoded, plain * BATCH, seconds)
    print(f"python={sys.version.split()[0]}")
    print(f"headers={len(event.raw)}")
    print(f"plain_bytes={len(plain)}")
    print(f"json_bytes={len(as_json)}")
    print(f"plain_events_per_s={plain_rate:.0f}")
    print(f"json_events_per_s={json_rate:.0f}")
    print(f"greenswitch_plain_events_per_s={greenswitch_rate:.0f}")
    print(f"plain_ratio={plain_rate / greenswitch_rate:.1f}")
    print(f"json_ratio={json_rate / greenswitch_rate:.1f}")


if __name__ == "__main__":
    main()
