"""greenswitch's outbound session, on our link: an application's end is known by the id we gave it."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import gevent.event

from cti.errors import CtiError, LinkError, RemoteProtocolError
from cti.esl import DISCONNECT_NOTICE, Execute, Frame
from cti.switch.greenswitch_event import ESLEvent, OutboundSessionHasGoneAway
from cti.switch.greenswitch_protocol import ESLProtocol


class OutboundSession(ESLProtocol):
    """One call that FreeSWITCH hands to us, with greenswitch's names.

    Args:
        client_address: where it comes from.
        sock: the connected socket.
    """

    def __init__(self, client_address: Any, sock: Any) -> None:
        super().__init__()
        self.client_address = client_address
        self.sock = sock
        self.connected = True
        self.session_data: Any = None
        self.expected_events: dict[str, list[tuple[str, str, Any]]] = {}
        self._executed: dict[str, gevent.event.AsyncResult[Any]] = {}
        self._outbound_connected = False
        self.register_handle("*", self.on_event)
        self.register_handle("CHANNEL_HANGUP", self.on_hangup)
        self.register_handle("DISCONNECT", self.on_disconnect)
        self.start_event_handlers()

    # -- what is known of the call --------------------------------------------------------------------------------

    @property
    def uuid(self) -> str | None:
        """The channel's id."""
        return self._datum("variable_uuid") or self._datum("Unique-ID")

    @property
    def call_uuid(self) -> str | None:
        """The call's id, shared by its legs."""
        return self._datum("variable_call_uuid")

    @property
    def caller_id_number(self) -> str | None:
        """The caller's number."""
        return self._datum("Caller-Caller-ID-Number")

    def _datum(self, name: str) -> str | None:
        value = (self.session_data or {}).get(name)
        return None if value is None else str(value)

    # -- what comes in --------------------------------------------------------------------------------------------

    def _take(self, frame: Frame) -> None:
        # Before the handlers, whoever waits: a handler of the program's own for the same event, or a slow one, must not
        # keep a playback from ending.
        event = ESLEvent.of_frame(frame)
        told = frame.event
        if told is not None:
            if told.name == "CHANNEL_EXECUTE_COMPLETE":
                self._completed(told.text("Application-UUID") or "", event)
            elif told.name == "CHANNEL_HANGUP" and told.text("Unique-ID") in (self.uuid, None):
                self._gone()
        elif frame.content_type == DISCONNECT_NOTICE:
            self._gone()
        self.handle_event(event)

    def _completed(self, executed: str, event: ESLEvent) -> None:
        waiting = self._executed.pop(executed, None)
        if waiting is not None:
            waiting.set(event)

    def _gone(self) -> None:
        self._outbound_connected = False
        waiting, self._executed = self._executed, {}
        for result in waiting.values():
            result.set_exception(OutboundSessionHasGoneAway(self.uuid or ""))
        expected, self.expected_events = self.expected_events, {}
        for expectations in expected.values():
            for _, _, result in expectations:
                result.set_exception(OutboundSessionHasGoneAway(self.uuid or ""))

    def _closed(self, reason: LinkError | RemoteProtocolError) -> None:
        super()._closed(reason)
        self._gone()

    def _lost(self, error: CtiError) -> CtiError:
        return OutboundSessionHasGoneAway(self.uuid or "", str(error))

    def on_disconnect(self, event: Any) -> None:  # noqa: ARG002 - a handler
        """FreeSWITCH's notice that the call or the connection ended: whoever waits is told."""
        self._gone()

    def on_hangup(self, event: Any) -> None:  # noqa: ARG002 - a handler
        """The caller hung up."""
        self._outbound_connected = False

    def on_event(self, event: Any) -> None:
        """Tell whoever expects this event by one of its variables (``register_expected_event``)."""
        expected = self.expected_events.get(event.headers.get("Event-Name"), [])
        for expectation in tuple(expected):
            variable, value, result = expectation
            if event.headers.get(f"variable_{variable}") == value:
                expected.remove(expectation)
                result.set(event)

    def register_expected_event(
        self, expected_event: str, expected_variable: str, expected_value: str, async_response: Any
    ) -> None:
        """Have ``async_response`` set by the first event of this name whose variable has this value."""
        expectation = (expected_variable, expected_value, async_response)
        self.expected_events.setdefault(expected_event, []).append(expectation)

    # -- commands -------------------------------------------------------------------------------------------------

    def connect(self) -> Any:
        """Take the call and return the channel's headers. Blocks this greenlet.

        Raises:
            OutboundSessionHasGoneAway: the caller had hung up; the session is stopped.
        """
        if self._outbound_connected:
            return self.session_data
        try:
            reply = self.send("connect")
        except OutboundSessionHasGoneAway:
            self.stop()
            raise
        self.session_data = reply.headers
        self._outbound_connected = True
        return self.session_data

    def call_command(
        self, app_name: str, app_args: Any = None, block: bool = False, response_timeout: float | None = None
    ) -> Any:
        """Execute an application; with ``block`` wait for its end, and return its CHANNEL_EXECUTE_COMPLETE.

        Raises:
            OutboundSessionHasGoneAway: the caller hung up.
            gevent.Timeout: it had not ended after ``response_timeout`` seconds.
            LocalProtocolError: an argument holds a line break; nothing was sent.
        """
        if self._lingering:
            raise OutboundSessionHasGoneAway(self.uuid or "")
        executed = str(uuid.uuid4())
        command = Execute(None, app_name, str(app_args) if app_args else "", event_uuid=executed).encode()
        text = command.decode("utf-8", "surrogateescape").removesuffix("\n\n")
        if not block:
            return self.send(text)
        result: gevent.event.AsyncResult[Any] = gevent.event.AsyncResult()
        self._executed[executed] = result
        try:
            self.send(text)
            return result.get(timeout=self.reply_timeout if response_timeout is None else response_timeout)
        finally:
            self._executed.pop(executed, None)

    def myevents(self) -> None:
        """Have this call's events sent; needed for every ``block=True``."""
        self.send("myevents")

    def linger(self, timeout: int | None = None) -> None:
        """Keep the connection after hang-up for so many seconds; None for as long as we stay."""
        self.send("linger" if timeout is None else f"linger {timeout}")

    def answer(self) -> Any:
        """Answer the call and return what FreeSWITCH replied."""
        return self.call_command("answer").data

    def park(self) -> None:
        """Park the call."""
        self.call_command("park")

    def playback(self, path: str, block: bool = True) -> Any:
        """Play a file; with ``block`` until its end."""
        event = self.call_command("playback", path, block=block)
        return event if block else None

    def play_and_get_digits(  # noqa: PLR0917 - greenswitch's signature
        self,
        min_digits: Any = None,
        max_digits: Any = None,
        max_attempts: Any = None,
        timeout: Any = None,
        terminators: Any = None,
        prompt_file: Any = None,
        error_file: Any = None,
        variable: Any = None,
        digits_regex: Any = None,
        digit_timeout: Any = None,
        transfer_on_fail: Any = None,
        block: bool = True,
        response_timeout: float | None = 30,
    ) -> Any:
        """Play a prompt and return the digits pressed."""
        words = [min_digits, max_digits, max_attempts, timeout, terminators, prompt_file, error_file, variable]
        words += [digits_regex, digit_timeout, transfer_on_fail]
        args = " ".join(str(word) for word in words)
        event = self.call_command("play_and_get_digits", args, block=block, response_timeout=response_timeout)
        return event.headers.get(f"variable_{variable}") if block and event else None

    def say(  # noqa: PLR0917 - greenswitch's signature
        self,
        module_name: str = "en",
        lang: str | None = None,
        say_type: str = "NUMBER",
        say_method: str = "pronounced",
        gender: str = "FEMININE",
        text: Any = None,
        block: bool = True,
        response_timeout: float | None = 30,
    ) -> Any:
        """Say a number, a date, ... from recorded words."""
        module = f"{module_name}:{lang}" if lang else module_name
        args = f"{module} {say_type} {say_method} {gender} {text}"
        event = self.call_command("say", args, block=block, response_timeout=response_timeout)
        return event if block else None

    def bridge(self, args: str, block: bool = True, response_timeout: float | None = None) -> Any:
        """Call somebody and connect the two; with ``block`` until they part."""
        return self.call_command("bridge", args, block=block, response_timeout=response_timeout)

    def hangup(self, cause: str = "NORMAL_CLEARING") -> None:
        """Hang up."""
        self.call_command("hangup", cause)

    def uuid_break(self) -> None:
        """Stop what is being played."""
        if self._lingering:
            raise OutboundSessionHasGoneAway(self.uuid or "")
        self.send(f"api uuid_break {self.uuid}")

    def raise_if_disconnected(self) -> None:
        """Raise OutboundSessionHasGoneAway when the caller has hung up."""
        if not self._outbound_connected:
            raise OutboundSessionHasGoneAway(self.uuid or "")

    def while_connected(self) -> WhileConnected:
        """Return a context manager, also a decorator, that raises as ``raise_if_disconnected`` does, at both ends."""
        return WhileConnected(self)


class WhileConnected:
    """See ``OutboundSession.while_connected``."""

    def __init__(self, outbound_session: OutboundSession) -> None:
        self.outbound_session = outbound_session

    def __enter__(self) -> Self:
        """Raise when the caller has hung up."""
        self.outbound_session.raise_if_disconnected()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise when the caller has hung up meanwhile."""
        self.outbound_session.raise_if_disconnected()

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function within this context."""

        @functools.wraps(func)
        def within(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return within
