"""Where a web server listens: its address, whether that is safe, and its certificate."""

from __future__ import annotations

import ipaddress
import os
from ssl import SSLContext

from gevent.ssl import PROTOCOL_TLS_SERVER
from gevent.ssl import SSLContext as GreenContext

from cti.errors import ConfigurationError


def listener(bind: str) -> tuple[str, int]:
    """Host and port of an address.

    Raises:
        ConfigurationError: it is not of the form ``host:port``.
    """
    host, _, port = bind.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdecimal()) or len(port) > 5 or int(port) > 65535:
        raise ConfigurationError(f"{bind!r} is no address; write host:port, such as 127.0.0.1:8080")
    return host, int(port)


def check_open(bind: str, *, accounts: bool, tls: bool) -> None:
    """Check that nobody on another machine gets at everything, or at somebody's password.

    Args:
        bind: the address.
        accounts: whether one has to log in.
        tls: whether the server itself speaks HTTPS.

    Raises:
        ConfigurationError: they could; the message says what to do.
    """
    if _is_local(listener(bind)[0]):
        return
    if not accounts:
        raise ConfigurationError(
            f"{bind} can be reached from other machines, and nobody has to log in: give accounts, "
            "bind to 127.0.0.1, or set allow_plain if another layer protects it"
        )
    if not tls:
        raise ConfigurationError(
            f"{bind} can be reached from other machines, and passwords would not be encrypted: give certificate, "
            "bind to 127.0.0.1 behind a proxy, or set allow_plain if another layer protects it"
        )


def tls_context(certificate: str | os.PathLike[str], key: str | os.PathLike[str]) -> SSLContext:
    """The server's side of TLS. Blocks for a disk access.

    Args:
        certificate: the file of the certificate and its chain.
        key: the file of its key; empty if it is in the same.

    Raises:
        ConfigurationError: they cannot be read, or do not fit.
    """
    made: SSLContext = GreenContext(PROTOCOL_TLS_SERVER)
    try:
        made.load_cert_chain(certificate, key or None)
    except OSError as error:
        raise ConfigurationError(f"cannot use the certificate {certificate}: {error}") from None
    return made


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
