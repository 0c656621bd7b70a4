"""The ZAP handler: says which keys may connect (ZeroMQ RFC 27), on green sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
import zmq.green as zmq
from zmq.auth.base import Authenticator

ENDPOINT: Final = "inproc://zeromq.zap.01"

_log = structlog.get_logger("cti.api")


class Gatekeeper:
    """Answers libzmq's question about each new connection.

    zmq.auth reads the question and writes the answer. Its own runners are a thread and asyncio; this one is a greenlet
    that steps through the same coroutine, which never waits, since the decision below does not.

    Args:
        context: the context of the sockets that are guarded; there can be one gatekeeper in it.
        domains: ZAP domain -> decides about a public key (Z85).
    """

    def __init__(self, context: Any, domains: Mapping[str, Callable[[str], bool]]) -> None:
        self.denied = 0
        self._authenticator = Authenticator(context)
        for domain, decides in domains.items():
            self._authenticator.configure_curve_callback(domain, _Provider(self, decides))
        self._socket = self._authenticator.zap_socket = context.socket(zmq.REP)
        self._socket.linger = 0
        self._socket.bind(ENDPOINT)

    def run(self) -> None:
        """Answer until closed. Blocks this greenlet."""
        while True:
            question = self._socket.recv_multipart()
            answering = self._authenticator.handle_zap_message(question)
            try:
                answering.send(None)
            except StopIteration:
                continue
            raise AssertionError("zmq.auth waits for something in a decision that never waits")

    def close(self) -> None:
        """Stop answering; new connections are refused from then on."""
        self._socket.close()


class _Provider:
    """What zmq.auth calls a credentials provider."""

    def __init__(self, keeper: Gatekeeper, decides: Callable[[str], bool]) -> None:
        self._keeper = keeper
        self._decides = decides

    def callback(self, domain: str, key: Any) -> bool:
        """Whether this key may connect."""
        allowed = self._decides(key.decode("ascii"))
        if not allowed:
            self._keeper.denied += 1
            _log.warning("a key was turned away", at=domain, denied=self._keeper.denied)
        return allowed
