"""The Unix socket by which ``cti reload`` and ``cti switches`` talk to the daemon: a line each way, for the owner alone."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import gevent
import structlog
from attrs import frozen
from gevent import socket
from gevent.server import StreamServer

from cti.errors import ConfigurationError, CtiError

LONGEST: Final = 1_000_000
_REQUEST_S: Final = 5.0

_log = structlog.get_logger("cti.daemon")


@frozen
class Answer:
    """What the daemon says: whether it was done, and what was, or what is wrong."""

    done: bool
    said: tuple[str, ...]


class NoDaemon(CtiError):
    """No daemon runs by this configuration, or it does not answer."""

    code = "operation.no_daemon"
    retryable = True


class ControlServer:
    """Listens on a Unix socket that only our own user may connect to.

    Args:
        path: where.
        methods: by name; each is given what stands behind its name, returns what to say, and may raise CtiError.

    Raises:
        ConfigurationError: another process listens there, or it cannot be made.
    """

    def __init__(self, path: Path, methods: dict[str, Callable[[str], list[str]]]) -> None:
        self._path = path
        self._methods = methods
        if _listens(path):
            raise ConfigurationError(f"daemon.control {path}: another daemon listens there")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            listener.listen(8)
        except OSError as error:
            listener.close()
            raise ConfigurationError(f"daemon.control {path}: {error.strerror or error}") from None
        finally:
            os.umask(before)
        self._server = StreamServer(listener, self._serve)
        self._server.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.stop(timeout=0)
        self._path.unlink(missing_ok=True)

    def _serve(self, client: Any, _address: Any) -> None:
        with contextlib.suppress(OSError, gevent.Timeout):
            with gevent.Timeout(_REQUEST_S):
                request = client.makefile("rb").readline(1000)
            answer = self._answered(request)
            client.sendall(json.dumps({"done": answer.done, "said": answer.said}).encode() + b"\n")

    def _answered(self, request: bytes) -> Answer:
        name, _, argument = request.decode(errors="replace").strip().partition(" ")
        method = self._methods.get(name)
        if method is None:
            return Answer(False, (f"there is no such request; there is {', '.join(self._methods)}",))
        try:
            return Answer(True, tuple(method(argument)))
        except CtiError as error:
            return Answer(False, tuple(str(error).splitlines()))
        except Exception:  # noqa: BLE001 - a defect; whoever asked must have an answer
            _log.exception("a request on the control socket failed")
            return Answer(False, ("it failed; the daemon's log says why",))


def ask(path: Path, method: str, timeout_s: float = 60.0) -> Answer:
    """Ask the daemon: a method's name, and what it is given behind a blank. Blocks until it has answered.

    Raises:
        NoDaemon: nobody listens there, or does not answer.
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.settimeout(timeout_s)
        client.connect(str(path))
        client.sendall(f"{method}\n".encode())
        found = json.loads(client.makefile("rb").readline(LONGEST))
        return Answer(bool(found["done"]), tuple(map(str, found["said"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoDaemon(f"no daemon answers at {path}: {error or type(error).__name__}") from error
    finally:
        client.close()


def _listens(path: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as client:
        try:
            client.settimeout(1.0)
            client.connect(str(path))
        except OSError:
            return False
        return True
