"""A program that makes events on a FreeSWITCH as fast as it takes them: ``flood.py PORT PASSWORD HOW_MANY SUBCLASS COMMAND``; and
runs an api command then, whose answer it does not wait for."""

from __future__ import annotations

import socket
import sys

BATCH = 500


def main(port: int, password: str, how_many: int, subclass: str, command: str) -> None:
    """Send them in batches, each answered before the next."""
    event = (f"sendevent CUSTOM\nEvent-Subclass: {subclass}\nwhat: {'x' * 200}\n\n").encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        replies = connection.makefile("rb")
        _until_blank(replies)
        connection.sendall(f"auth {password}\n\n".encode())
        _until_blank(replies)
        for _ in range(how_many // BATCH):
            connection.sendall(event * BATCH)
            for _ in range(BATCH):
                _until_blank(replies)
        connection.sendall(f"bgapi {command}\n\n".encode())
        _until_blank(replies)


def _until_blank(replies: object) -> None:
    while replies.readline().strip():  # type: ignore[attr-defined]
        pass


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
