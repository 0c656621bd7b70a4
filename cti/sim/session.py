"""One event-socket connection, seen from FreeSWITCH's side: what ``mod_event_socket.c`` does with what a client writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from cti.sim.command_reader import Command, CommandReader
from cti.sim.event import SimEvent
from cti.sim.subscription import Filter, Subscription

if TYPE_CHECKING:
    from cti.sim.scheduler import Handle
    from cti.sim.switch import SimulatedSwitch

GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
REJECTION = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
KILLED = "killed listener because of lost events\n"
GREETING = b"Content-Type: auth/request\n\n"

# A client has this long to write its first packet (25 s less what the accept took; 24.6 s seen).
_FIRST_PACKET_S = 25.0
# MAX_MISSED: so many lost events in a row are put up with.
_MOST_MISSED = 500
_LOG_LEVELS = ("CONSOLE", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")


class Session:
    """A client's connection: give what it writes to :meth:`receive`; what FreeSWITCH writes goes to ``on_send``.

    Set ``on_send`` before the scheduler runs again: the greeting (or the rejection) is written then. ``on_close`` is
    called once when FreeSWITCH ends the connection.
    """

    def __init__(self, switch: SimulatedSwitch, *, rejected: bool = False) -> None:
        self.on_send: Callable[[bytes], None] = _nowhere
        self.on_close: Callable[[], None] = _nothing
        self.closed = False
        self.authorized = False
        self.subscription = Subscription()
        self._switch = switch
        self._reader = CommandReader()
        self.lost_events = 0
        """How many events were lost for want of room in the queue."""
        self._missed = 0  # of them, in a row until now
        self._stalled = False
        self._held: deque[bytes] = deque()
        self._busy = False
        self._calling = False
        self._process_later: Handle | None = None
        self._flush_later: Handle | None = None
        self._limit: Handle | None = None
        switch.scheduler.call_later(0.0, self._begin, rejected)

    # -- the client's side -------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Takes bytes the client wrote, in pieces of any size; even a bare line feed lets waiting events out."""
        if self.closed:
            return
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        self._reader.feed(data)
        if self._switch.writing:
            # The client answers from inside a write: FreeSWITCH would see it a moment later, and so do we.
            if self._process_later is None:
                self._process_later = self._switch.scheduler.call_later(0.0, self._process)
        else:
            self._process()

    def stall(self) -> None:
        """The client stops reading: nothing is written and no command is read until :meth:`go_on`; events queue up."""
        self._stalled = True

    def go_on(self) -> None:
        """The client reads again."""
        if self._stalled and not self.closed:
            self._stalled = False
            self._process()

    def close(self) -> None:
        """The connection ends, from either side; calls and jobs are not touched."""
        if self.closed:
            return
        self.closed = True
        self._held.clear()
        for handle in (self._process_later, self._flush_later, self._limit):
            if handle is not None:
                handle.cancel()
        self._switch.disconnected(self)
        self.on_close()

    # -- the event bus's side ----------------------------------------------------------------------------------------

    def wants(self, name: str) -> bool:
        """Whether events of this name can be of interest."""
        return self.authorized and self.subscription.wants(name)

    def take(self, event: SimEvent) -> None:
        """Sends the event when the filters let it through: at once, or when the poll of 20 ms comes round."""
        subscription = self.subscription
        # The bus asked wants() before; what is left to be asked is seldom there.
        if (subscription.filters or event.subclass) and not subscription.accepts(event):
            return
        mishaps = self._switch.mishaps
        if len(self._held) >= self._switch.event_queue or (mishaps is not None and mishaps.event_lost()):
            self._miss()
            return
        self._missed = 0
        frame = event.frame(subscription.form)
        poll_s = self._switch.event_poll_s
        if self._busy or self._held or poll_s > 0:
            self._held.append(frame)
            if not self._busy and self._flush_later is None:
                delay_s = self._switch.random.uniform(0.0, poll_s) if poll_s > 0 else 0.0
                self._flush_later = self._switch.scheduler.call_later(delay_s, self._flush)
        else:
            self._write(frame)

    def _miss(self) -> None:
        self.lost_events += 1
        self._missed += 1
        if self._missed > _MOST_MISSED:
            self._stalled = False
            self._write(_notice(KILLED))
            self.close()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _begin(self, rejected: bool) -> None:
        if self.closed:
            return
        if rejected:
            self._write(REJECTION)
            self._end()
        elif not self._switch.silent:
            self._write(GREETING)
            self._limit = self._switch.scheduler.call_later(_FIRST_PACKET_S, self._end)

    def _end(self) -> None:
        self._write(_notice(GOODBYE))
        self.close()

    def _write(self, data: bytes) -> None:
        if self.closed or self._switch.silent:
            return
        if self._stalled:
            self._held.append(data)
            return
        self._switch.writing += 1
        try:
            self.on_send(data)
        finally:
            self._switch.writing -= 1

    def _flush(self) -> None:
        self._flush_later = None
        while self._held and not self._busy and not self._stalled and not self.closed:
            self._write(self._held.popleft())

    def _process(self) -> None:
        self._process_later = None
        if self._switch.silent or self._stalled:
            return
        while not self.closed and not self._busy:
            command = self._reader.next()
            if command is None:
                break
            self._handle(command)
        if not self._busy:
            if self._flush_later is not None:
                self._flush_later.cancel()
            self._flush()

    def _reply(self, text: str) -> None:
        head = text[1:] if text.startswith("~") else f"Reply-Text: {text}\n"
        frame = f"Content-Type: command/reply\n{head}\n".encode("utf-8", "surrogateescape")
        delay_s = self._switch.reply_delay_s
        if delay_s > 0:
            self._busy = True
            self._switch.scheduler.call_later(delay_s, self._resume, frame)
        else:
            self._write(frame)

    def _resume(self, frame: bytes) -> None:
        self._busy = False
        self._write(frame)
        self._process()

    def _handle(self, command: Command) -> None:
        line = command.line
        lower = line.lower()
        if self.authorized and lower.startswith("api "):
            self._api(line[4:])
        elif self.authorized and lower.startswith("bgapi "):
            self._bgapi(line[6:], command)
        elif lower.startswith(("exit", "...")):
            self._reply("+OK bye")
            self._end()
        elif not self.authorized:
            self._authenticate(line, lower)
        elif lower.startswith("filter "):
            self._filter(line[7:].strip())
        elif lower.startswith("sendmsg"):
            self._reply(self._switch.sendmsg(line[7:].strip(), command))
        elif lower.startswith("sendevent"):
            self._reply(self._switch.sendevent(line[9:].strip(), command))
        elif lower.startswith(("linger", "nolinger")):
            self._reply("-ERR not controlling a session")
        elif lower.startswith("nolog"):
            self._reply("+OK no longer logging")
        elif lower.startswith("log"):
            self._reply(_log_reply(line[3:].strip()))
        elif lower.startswith("event"):
            ok = self.subscription.add(line.partition(" ")[2])
            self._switch.bus.changed()
            self._reply(f"+OK event listener enabled {self.subscription.form}" if ok else "-ERR no keywords supplied")
        elif lower.startswith("nixevent"):
            ok = self.subscription.remove(line.partition(" ")[2])
            self._switch.bus.changed()
            self._reply("+OK events nixed" if ok else "-ERR no keywords supplied")
        elif lower.startswith("noevents"):
            was = self.subscription.clear()
            self._switch.bus.changed()
            self._held.clear()
            self._reply("+OK no longer listening for events" if was else "-ERR not listening for events")
        else:
            self._reply("-ERR command not found")

    def _authenticate(self, line: str, lower: str) -> None:
        if lower.startswith("auth "):
            if line[5:] == self._switch.password and not self._switch.refuse_logins:
                self._authorized("+OK accepted")
            else:
                self._reply("-ERR invalid")
                self._end()
        elif lower.startswith("userauth "):
            if self._switch.user_accepted(line[9:]) and not self._switch.refuse_logins:
                self._authorized("~Reply-Text: +OK accepted\nAllowed-Events: all\nAllowed-API: all\n")
            else:
                self._reply("-ERR invalid")
                self._end()
        else:
            self._reply("-ERR command not found")

    def _authorized(self, reply: str) -> None:
        self.authorized = True
        self._switch.bus.changed()
        self._reply(reply)

    def _filter(self, text: str) -> None:
        first, _, rest = text.partition(" ")
        filters = self.subscription.filters
        if first.lower() == "delete":
            header, _, value = rest.partition(" ")
            if header.lower() == "all":
                filters.clear()
            filters[:] = [
                one
                for one in filters
                if one.header.lower() != header.lower() or (value and one.value.lower() != value.lower())
            ]
            self._reply(f"+OK filter deleted. [{header}][{value}]")
            return
        if first.lower() == "add":
            first, _, rest = rest.partition(" ")
        if not first or not rest:
            self._reply("-ERR invalid syntax")
            return
        filters.append(Filter(first, rest))
        self._reply(f"+OK filter added. [{first}]=[{rest}]")

    def _api(self, text: str) -> None:
        # No event leaves this connection while the command runs: FreeSWITCH runs it in the connection's own thread.
        self._busy = self._calling = True
        name, _, arguments = text.strip(" ").partition(" ")
        self._switch.api(name, arguments, self._api_done)
        self._calling = False

    def _api_done(self, output: str) -> None:
        if self.closed:
            return
        body = (output or "-ERR no reply\n").encode("utf-8", "surrogateescape")
        frame = b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body)
        if self._switch.reply_delay_s > 0:
            self._switch.scheduler.call_later(self._switch.reply_delay_s, self._resume, frame)
            return
        self._busy = False
        self._write(frame)
        # Whoever called us goes on reading commands; when the answer came later, nobody does.
        if not self._calling and self._process_later is None:
            self._process_later = self._switch.scheduler.call_later(0.0, self._process)

    def _bgapi(self, text: str, command: Command) -> None:
        name, _, arguments = text.strip(" ").partition(" ")
        job = command.headers.get("job-uuid") or self._switch.new_uuid()
        self._reply(f"~Reply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n")
        self._switch.start_job(job, name, arguments)


def _notice(text: str) -> bytes:
    return f"Content-Type: text/disconnect-notice\nContent-Length: {len(text)}\n\n{text}".encode()


def _log_reply(level: str) -> str:
    if not level:
        return "+OK log level  [7]"
    if level.isdigit():
        return f"+OK log level {level} [{min(int(level), 63)}]"
    if level.upper() in _LOG_LEVELS:
        return f"+OK log level {level} [{_LOG_LEVELS.index(level.upper())}]"
    return "-ERR invalid log level"


def _nowhere(_data: bytes) -> None:
    """Where bytes go before ``on_send`` is set."""


def _nothing() -> None:
    """What happens at the end before ``on_close`` is set."""
