"""The session of an outbound socket with its verbs: what a script says to a call."""

from __future__ import annotations

from typing import Final, Literal, overload

from cti.errors import CommandRejected
from cti.esl import Event, api_argument
from cti.switch.outbound_core import APPLICATION_TIMEOUT_S, SessionCore

ANSWER_TIMEOUT_S: Final = 30.0
"""Answering waits for the caller's ACK, which is a matter of seconds even where packets are lost."""


class OutboundSession(SessionCore):
    """A call in the hands of a script; see SessionCore for how it begins and ends, and for ``execute`` and ``api``."""

    def answer(self) -> None:
        """Answer the call; returns when it is answered. Blocks this greenlet. Raises as ``execute`` does."""
        self.execute("answer", wait=True, timeout=ANSWER_TIMEOUT_S)

    @overload
    def playback(self, path: str, *, wait: Literal[True] = ..., timeout: float = ...) -> Event: ...
    @overload
    def playback(self, path: str, *, wait: Literal[False], timeout: float = ...) -> None: ...
    def playback(self, path: str, *, wait: bool = True, timeout: float = APPLICATION_TIMEOUT_S) -> Event | None:
        """Play a file, a tone or a stream; without ``wait`` it goes on while the script does other things.

        ``Application-Response`` of what is returned is ``FILE PLAYED`` also when ``stop_playing`` ended it,
        ``FILE NOT FOUND`` or ``PLAYBACK ERROR`` when it failed. Blocks this greenlet. Raises as ``execute`` does.
        """
        if wait:
            return self.execute("playback", path, wait=True, timeout=timeout)
        self.execute("playback", path, timeout=timeout)
        return None

    def stop_playing(self) -> None:
        """End the application that plays or records, at once. Needs ``full`` and ``async``. Blocks this greenlet."""
        self.raise_if_gone()
        self.api("uuid_break", self.uuid)

    def say(self, text: str, *, module: str = "en", kind: str = "NUMBER", method: str = "pronounced") -> Event:
        """Say a number, a date, ... from recorded words. Blocks this greenlet. Raises as ``execute`` does.

        Args:
            text: what to say.
            module: the language's module, perhaps with a voice (``en``, ``fr:female``).
            kind: NUMBER, ITEMS, PERSONS, CURRENCY, TIME_MEASUREMENT, CURRENT_DATE, TELEPHONE_NUMBER, ...
            method: pronounced, iterated or counted.
        """
        return self.execute("say", f"{module} {kind} {method} {text}", wait=True)

    def play_and_get_digits(
        self,
        prompt: str,
        *,
        min_digits: int = 1,
        max_digits: int = 1,
        tries: int = 3,
        timeout_s: float = 5.0,
        terminators: str = "#",
        invalid: str = "silence_stream://250",
        pattern: str = r"\d+",
        digit_timeout_s: float = 2.0,
    ) -> str | None:
        """Play a prompt until the caller has pressed digits, and return them; None when none matched.

        Blocks this greenlet. Raises as ``execute`` does.

        Args:
            prompt: the file to play.
            min_digits: how many at least.
            max_digits: how many at most; that many end the input.
            tries: how often the prompt is played.
            timeout_s: seconds to wait for the first digit after the prompt.
            terminators: digits that end the input.
            invalid: the file to play when the input does not match.
            pattern: the regular expression it must match.
            digit_timeout_s: seconds to wait between digits.
        """
        variable = "cti_digits"
        # A value of the try before must not look like this one's.
        self.execute("unset", variable)
        arg = (
            f"{min_digits:d} {max_digits:d} {tries:d} {timeout_s * 1000:.0f} {terminators or 'none'} {prompt} {invalid} "
            f"{variable} {pattern} {digit_timeout_s * 1000:.0f}"
        )
        done = self.execute("play_and_get_digits", arg, wait=True)
        return done.text(f"variable_{variable}") or None

    def bridge(self, dial_string: str, *, timeout: float = APPLICATION_TIMEOUT_S) -> Event:
        """Call somebody and connect the two; returns when they have parted or nobody could be reached.

        ``variable_originate_disposition`` of what is returned says which (``SUCCESS``, ``USER_BUSY``, ...). Blocks this
        greenlet. Raises as ``execute`` does.
        """
        return self.execute("bridge", dial_string, wait=True, timeout=timeout)

    def park(self) -> None:
        """Park the call. Blocks this greenlet until FreeSWITCH has the command. Raises as ``execute`` does."""
        self.execute("park")

    def variable(self, name: str) -> str | None:
        """Return a channel variable as it is now; None when it is not set. Needs ``full``. Blocks this greenlet.

        ``getvar`` would do without ``full``, but lets whoever chose the value forge our frames.
        """
        value = self.api("uuid_getvar", f"{self.uuid} {name}")
        if value.startswith("-ERR"):
            self.raise_if_gone()
            raise CommandRejected("uuid_getvar", value.strip())
        return None if value == "_undef_" else value

    def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable to exactly ``value``, nothing in it expanded; empty unsets it.

        Needs ``full``. Blocks this greenlet. Raises as ``api`` does, and CommandRejected when FreeSWITCH refuses it.
        """
        self.raise_if_gone()
        answer = self.api(
            "uuid_setvar", f"{self.uuid} {name} {api_argument(value)}" if value else f"{self.uuid} {name}"
        )
        if not answer.startswith("+OK"):
            self.raise_if_gone()
            raise CommandRejected("uuid_setvar", answer.strip())
