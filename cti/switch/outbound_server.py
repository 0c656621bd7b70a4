"""Where FreeSWITCH's ``socket`` application connects to: one session a call, so many at most, drained at the end."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import gevent
import structlog
from gevent.server import StreamServer

from cti.errors import CallGone, CtiError, LinkError
from cti.switch.outbound import OutboundSession

BACKLOG: Final = 1024
"""Connections the kernel keeps for us: a burst of calls all connect at once."""
HANG_UP_S: Final = 2.0
"""How long calls that are still there at the end of a drain get to be hung up."""

Handler = Callable[[OutboundSession], object]

_log = structlog.get_logger("cti.switch")


class OutboundServer:
    """Serves FreeSWITCH's outbound sockets; nothing polls, and no session waits for another.

    ``handler`` is called for each call in a greenlet of its own, with the session connected already; the session ends
    when it returns, and the call with it unless it said ``resume``. What it raises is logged and ends the call;
    CallGone is how a script normally ends and is no error.

    Args:
        address: (host, port) to listen on; port 0 takes a free one, see ``address``.
        handler: the script.
        max_sessions: calls at a time.
        on_full: what a call beyond gets: a hang-up cause (SWITCH_CONGESTION is SIP's 503), or a handler of its own.
    """

    def __init__(
        self,
        address: tuple[str, int],
        handler: Handler,
        *,
        max_sessions: int = 1000,
        on_full: str | Handler = "SWITCH_CONGESTION",
    ) -> None:
        self._handler = handler
        self.max_sessions = max_sessions
        self._on_full = on_full
        self._sessions: dict[OutboundSession, gevent.Greenlet[..., Any]] = {}
        self._refusing: dict[OutboundSession, gevent.Greenlet[..., Any]] = {}
        self.refused = 0
        """Calls beyond the limit, so far."""
        self._server = StreamServer(address, self._serve, backlog=BACKLOG)

    def __repr__(self) -> str:
        """One line for a log."""
        return f"<OutboundServer {self.address[0]}:{self.address[1]}, {len(self)} of {self.max_sessions} sessions>"

    def __len__(self) -> int:
        """Sessions at this moment, those beyond the limit not counted."""
        return len(self._sessions)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop at once."""
        self.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; the port it was given once it has started."""
        return str(self._server.server_host), int(self._server.server_port or 0)

    def start(self) -> None:
        """Listen. Does not block.

        Raises:
            OSError: the address cannot be had.
        """
        self._server.start()

    def stop(self, drain_s: float = 0.0) -> None:
        """Take no more calls, let those in progress end for ``drain_s`` seconds, then hang up. Blocks this greenlet.

        From the first moment FreeSWITCH is refused the connection and goes to the next of ``host1|host2``, or on in its
        dialplan.
        """
        self._server.close()
        gevent.joinall(list(self._sessions.values()), timeout=drain_s)
        left = {**self._sessions, **self._refusing}
        if not left:
            return
        hanging_up = [gevent.spawn(_hang_up, session) for session in left]
        gevent.joinall(list(left.values()), timeout=HANG_UP_S)
        gevent.killall(hanging_up, block=False)
        for session in left:
            session.close()
        gevent.joinall(list(left.values()), timeout=HANG_UP_S)
        for greenlet in left.values():
            greenlet.kill(block=False)

    def _serve(self, sock: Any, address: Any) -> None:
        session = OutboundSession(sock, address)
        full = len(self._sessions) >= self.max_sessions
        mine = self._refusing if full else self._sessions
        mine[session] = gevent.getcurrent()  # type: ignore[assignment]  # StreamServer runs this in a Greenlet
        try:
            session.connect()
            if full:
                self.refused += 1
                self._refuse(session)
            else:
                self._handler(session)
            session.leave()
        except CallGone:
            session.leave()
        except LinkError as error:
            _log.info("outbound session ended", session=repr(session), reason=str(error))
        except Exception:  # noqa: BLE001 - a script may raise anything; its call must not be left hanging
            _log.exception("the handler of an outbound session failed", session=repr(session))
            _hang_up(session)
            session.leave()
        finally:
            session.close()
            del mine[session]

    def _refuse(self, session: OutboundSession) -> None:
        if isinstance(self._on_full, str):
            _log.warning("too many outbound sessions", limit=self.max_sessions, session=repr(session))
            session.hangup(self._on_full)
        else:
            self._on_full(session)


def _hang_up(session: OutboundSession) -> None:
    try:
        session.hangup("NORMAL_TEMPORARY_FAILURE")
    except CtiError as error:
        _log.info("a call could not be hung up", session=repr(session), reason=str(error))
