"""The commands any connection can send: authentication, ``api`` and ``bgapi``, logging, leaving.

Each is a value that encodes itself; its docstring says what FreeSWITCH answers (``parse_command`` of
``mod_event_socket.c``). All answers are ``command/reply`` unless said otherwise. What cannot be sent is refused by
``encode`` with ``LocalProtocolError``, before a byte has gone out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import attrs

from cti.errors import LocalProtocolError
from cti.esl.wire import encode, line_part, rest, word

# FreeSWITCH's reply buffer has 511 bytes and holds the id twice; a longer id leaves the reply without its end.
MAX_JOB_UUID = 128

LOG_LEVELS = ("console", "alert", "crit", "err", "warning", "notice", "info", "debug")


class Command(ABC):
    """A command to FreeSWITCH; sending it brings exactly one reply, in the order of the commands."""

    __slots__ = ()

    @abstractmethod
    def encode(self) -> bytes:
        """Return the bytes to send, in one write; they end with a blank line, or with the body.

        Raises:
            LocalProtocolError: a field cannot be sent; the message names it.
        """


@attrs.frozen
class Raw(Command):
    """Any command line, for what has no class of its own.

    Answered with whatever FreeSWITCH thinks of it; ``-ERR command not found`` when it knows no such command.
    """

    line: str
    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=tuple)
    body: str | bytes | None = None

    def encode(self) -> bytes:  # noqa: D102  # the base class has the contract
        return encode(self.line, self.headers, self.body)


@attrs.frozen
class Auth(Command):
    """Log on with the event socket's password.

    ``+OK accepted``; or ``-ERR invalid``, then a ``text/disconnect-notice`` with a body and the end of the stream.
    """

    password: str = attrs.field(repr=False)

    def encode(self) -> bytes:  # noqa: D102
        return encode("auth " + line_part("password", self.password))


@attrs.frozen
class UserAuth(Command):
    """Log on as a user of the directory (``esl-password``).

    ``+OK accepted`` with the headers ``Allowed-Events``, ``Allowed-API`` and ``Allowed-LOG``; or ``-ERR invalid`` as
    for ``Auth``. A long list of permissions is cut at 511 bytes without a blank line, so that the next reply runs into
    this one; the decoder reports ``unexpected-content-length`` or ``duplicate-content-type`` then.
    """

    user: str
    domain: str
    password: str = attrs.field(repr=False)

    def encode(self) -> bytes:  # noqa: D102
        user, domain = word("user", self.user), word("domain", self.domain)
        for field, text in (("user", user), ("domain", domain)):
            if ":" in text or "@" in text:
                raise LocalProtocolError(f"{field} holds a colon or an at sign")
        return encode(f"userauth {user}@{domain}:{line_part('password', self.password)}")


@attrs.frozen
class Api(Command):
    """Run an API command and wait for its output; events of this connection wait as long.

    Answered by ``api/response`` with the output as its body: ``-ERR no reply`` when the output is empty, ``-ERR x
    Command not found!`` when there is no such command. Only a denied command is answered by ``command/reply``:
    ``-ERR permission denied``.

    Args:
        command: what to run, with or without its argument.
        arg: its argument.
    """

    command: str
    arg: str = ""

    def encode(self) -> bytes:  # noqa: D102
        return encode("api " + _call(self.command, self.arg))


def _call(command: str, arg: str) -> str:
    return rest("command", command) + (" " + line_part("arg", arg) if arg else "")


@attrs.frozen
class BgApi(Command):
    """Run an API command in the background.

    ``+OK Job-UUID: <id>`` with the header ``Job-UUID``, before the job's ``BACKGROUND_JOB`` event, which holds the
    output as its body and goes to every connection subscribed to it. The reply comes even when no thread could be
    started, and then that event never does: give every job a deadline.

    Args:
        command: what to run, with or without its argument.
        arg: its argument.
        job_uuid: an id chosen by us, so that the event can be awaited before the command is sent; None lets
            FreeSWITCH choose.
    """

    command: str
    arg: str = ""
    job_uuid: str | None = None

    def encode(self) -> bytes:  # noqa: D102
        headers = []
        if self.job_uuid is not None:
            if len(word("job_uuid", self.job_uuid)) > MAX_JOB_UUID:
                raise LocalProtocolError(f"job_uuid has more than {MAX_JOB_UUID} characters")
            headers.append(("Job-UUID", self.job_uuid))
        return encode("bgapi " + _call(self.command, self.arg), headers)


@attrs.frozen
class Log(Command):
    """Have log lines of this level and more urgent ones sent as ``log/data``.

    ``+OK log level <level> [<number>]``; ``-ERR invalid log level``; ``-ERR permission denied``.

    Args:
        level: a name of ``LOG_LEVELS``, or a number from 0 (console) to 7 (debug).
    """

    level: str | int = "debug"

    def encode(self) -> bytes:  # noqa: D102
        level = str(self.level).lower()
        # FreeSWITCH clamps a number that is too high instead of refusing it.
        if level not in LOG_LEVELS and level not in map(str, range(len(LOG_LEVELS))):
            raise LocalProtocolError(f"level {self.level!r} is none of {', '.join(LOG_LEVELS)}")
        return encode("log " + level)


@attrs.frozen
class NoLog(Command):
    """Stop ``log/data``. ``+OK no longer logging``, or ``-ERR not loging`` (so spelled) when there was none."""

    def encode(self) -> bytes:  # noqa: D102
        return encode("nolog")


@attrs.frozen
class Exit(Command):
    """Leave. ``+OK bye``, a ``text/disconnect-notice``, and the end once this connection's ``bgapi`` jobs are done."""

    def encode(self) -> bytes:  # noqa: D102
        return encode("exit")
