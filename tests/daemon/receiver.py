"""Somebody who receives webhooks: on this machine, in the test's own process."""

from __future__ import annotations

import json
from typing import Any

from gevent.pywsgi import WSGIServer

from cti.web import verify


class Receiver:
    """Keeps every message that is signed with its secret; ``status`` is what it answers.

    Args:
        secret: the webhook's.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.status = "204 No Content"
        self.messages: list[dict[str, Any]] = []
        self._server = WSGIServer(("127.0.0.1", 0), self._answer, log=None)
        self._server.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/pop"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of the messages of this kind."""
        return [message["data"] for message in self.messages if message["type"] == kind]

    def close(self) -> None:
        self._server.stop(timeout=0)

    def _answer(self, environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        headers = {name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if "HTTP_" in name}
        verify(self.secret, headers, body)
        if self.status.startswith("2"):
            self.messages.append(json.loads(body))
        start_response(self.status, [])
        return []
