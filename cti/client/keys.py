"""A client's keys: its own pair from a file, and the server's public key from a file or as text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import zmq.auth
from attrs import frozen

from cti.api.keyring import PUBLIC_KEY, read_pair
from cti.errors import ConfigurationError


@frozen
class Keys:
    """What an encrypted connection needs."""

    public: bytes
    secret: bytes
    server: bytes

    def put_on(self, socket: Any) -> None:
        """Make a socket use them; before it connects."""
        socket.curve_publickey = self.public
        socket.curve_secretkey = self.secret
        socket.curve_serverkey = self.server


def client_keys(key: str | os.PathLike[str] | None, server_key: str | os.PathLike[str] | None) -> Keys | None:
    """Read the keys; None for neither.

    Raises:
        ConfigurationError: only one of the two is given, or a file cannot be read.
    """
    if key is None and server_key is None:
        return None
    if key is None or server_key is None:
        raise ConfigurationError("give both key (the client's .key_secret file) and server_key, or neither")
    public, secret = read_pair(key)
    return Keys(public, secret, _server_key(server_key))


def _server_key(given: str | os.PathLike[str]) -> bytes:
    if isinstance(given, str) and PUBLIC_KEY.fullmatch(given):
        return given.encode()
    if not Path(given).is_file():
        raise ConfigurationError(f"server_key {given!s} is neither a key of 40 characters nor a file")
    try:
        return zmq.auth.load_certificate(given)[0]
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read the server's key {given!s}: {error}") from None
