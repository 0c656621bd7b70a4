"""greenswitch's inbound client, on our link."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import gevent

from cti.errors import AuthenticationFailed, LinkError, RemoteProtocolError
from cti.switch.greenswitch_event import NotConnectedError
from cti.switch.greenswitch_protocol import ESLProtocol
from cti.switch.link import Link


class InboundESL(ESLProtocol):
    """A connection to FreeSWITCH's event socket with greenswitch's names; also a context manager.

    Args:
        host: name or address, IPv4 or IPv6.
        port: the event socket's port.
        password: its password.
        timeout: seconds to connect, to be greeted and to be let in, each.
    """

    def __init__(self, host: str, port: int, password: str, timeout: float = 5) -> None:
        super().__init__()
        self.host = host
        self.port = port
        self.password = password
        self.timeout = timeout

    def connect(self) -> None:
        """Connect and authenticate. Blocks this greenlet.

        Raises:
            OSError: nothing listens there.
            NotConnectedError: what does is silent or no FreeSWITCH, or the access list refuses us.
            ValueError: the password is wrong.
        """
        link = Link(self.host, int(self.port), self.password, self.timeout, on_event=self._take, on_closed=self._closed)
        self._link = link
        try:
            link.connect()
        except AuthenticationFailed as error:
            raise ValueError("Invalid password.") from error
        except (LinkError, RemoteProtocolError) as error:
            if isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, TimeoutError):
                raise error.__cause__ from None  # as greenswitch does: programs wait for FreeSWITCH by catching it
            raise NotConnectedError(str(error)) from error
        finally:
            self.sock = getattr(link, "sock", None)
            self._auth_request_event.set()
        self._run = True
        self.connected = link.connected
        self._process_events_greenlet = gevent.spawn(self.process_events)

    def __enter__(self) -> Self:
        """Connect."""
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
