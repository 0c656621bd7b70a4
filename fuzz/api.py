# ruff: noqa: INP001 - programs, not a package
"""Coverage-guided fuzzing of the API's ROUTER port (atheris): any frames get one answer each, and nothing is broken.

    pip install 'cti[fuzz]'
    python fuzz/api.py fuzz/corpus/api -max_total_time=120

The frames go through the code that handles what the ROUTER socket received,
against a real centre without a switch. What is checked: each message gets exactly one answer, which is msgpack and of
the protocol; none is a failure of the server's own; nothing that is kept grows without end.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

with atheris.instrument_imports(include=["cti.api"]):
    from cti.api import envelope
    from cti.api.grant import Grant, Role
    from cti.api.limits import Limits
    from cti.api.numbering import Numbering
    from cti.api.requests import Requests
    from cti.api.telling import Telling

import gevent
import structlog

from cti import CallCenter

ROLES = [
    Grant("alice", Role.AGENT, {"alice"}),
    Grant("sue", Role.SUPERVISOR, {"alice"}, {"claims"}),
    Grant("crm", Role.APPLICATION, (), {"claims"}),
    Grant("ann", Role.ADMINISTRATOR),
    None,
]
SEPARATOR = b"\xff\x00"


class Frame:
    """What the server looks at of a ``zmq.Frame``."""

    def __init__(self, content: bytes, who: Grant | None = None) -> None:
        self.bytes = content
        self.who = who

    def get(self, _: str) -> str:
        """The address of every client."""
        return "127.0.0.1"


class Target:
    """A centre, and the API in front of it, without sockets."""

    def __init__(self) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        self.centre = CallCenter("127.0.0.1:9")
        self.centre.add_queue("claims", requires="claims >= 3")
        self.centre.add_agent("alice", "user/alice", skills={"claims": 5})
        self.answers: list[bytes] = []
        limits = Limits(
            requests_per_s=1e9,
            burst=10**9,
            key_requests_per_s=1e9,
            key_burst=10**9,
            under_way=10**6,
            message_bytes=8_192,
        )
        self.telling = Telling(self.centre, Numbering(), lambda *_: True, None)
        self.requests = Requests(
            self.centre,
            self.telling,
            limits,
            lambda frame: frame.who,
            lambda _, message: self.answers.append(message),
            None,
        )

    def one_input(self, data: bytes) -> None:
        """The first byte says who sends; the rest is one message's frames."""
        if not data:
            return
        index = data[0] % len(ROLES)
        frames = [Frame(part, ROLES[index]) for part in data[1:].split(SEPARATOR)]
        self.answers.clear()
        self.requests.handle([Frame(b"\0peer" + bytes([index])), *frames])
        for _ in range(100):
            if self.answers:
                break
            gevent.sleep(0)
        assert len(self.answers) == 1, self.answers
        answer = envelope.unpacked(self.answers[0])
        assert answer["v"] == envelope.VERSION
        assert ("result" in answer) != ("error" in answer)
        if "error" in answer:
            assert answer["error"]["code"] != "internal", answer
            assert len(answer["error"]["message"]) < 5_000
        assert len(self.requests.peers) <= len(ROLES)
        assert len(self.requests.replays) <= 256 * len(ROLES)


def main() -> None:
    """Fuzz until the time or the count given by libFuzzer's options is reached."""
    target = Target()
    atheris.Setup(sys.argv, target.one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
