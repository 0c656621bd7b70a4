"""A FreeSWITCH that is not there: channels, api commands, events, and sessions that speak the event socket's bytes."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from cti.sim import api, sofia_variables
from cti.sim.application import begin
from cti.sim.caller import Caller
from cti.sim.cause import cause_named
from cti.sim.channel import CREATE, Channel
from cti.sim.dialplan import Dialplan, centre_dialplan
from cti.sim.event import HeaderValue, SimEvent, headers_of, json_members, members_after
from cti.sim.event_bus import EventBus
from cti.sim.faults import SENDMSG_REFUSED, Faults, Mishaps
from cti.sim.gateway import Gateways
from cti.sim.phone import Phones
from cti.sim.profile import CallerProfile
from cti.sim.session import Session
from cti.sim.transfer import transfer
from cti.sim.uuid_text import uuid_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cti.sim.api import Done
    from cti.sim.command_reader import Command
    from cti.sim.event_bus import Origin
    from cti.sim.far_end import FarEnd
    from cti.sim.fax_application import FaxMachine
    from cti.sim.scheduler import Scheduler
    from cti.sim.traffic import Counters

_NO_FAULTS = Faults()
_HEARTBEAT: Origin = ("switch_core.c", "send_heartbeat", "95")
_JOB: Origin = ("mod_event_socket.c", "api_exec", "1569")
_SENDEVENT: Origin = ("mod_event_socket.c", "parse_command", "2264")

_INBOUND = CallerProfile(
    {
        "Direction": "inbound",
        "Logical-Direction": "inbound",
        "Dialplan": "XML",
        "Network-Addr": "127.0.0.1",
        "Source": "mod_sofia",
        "Context": "callers",
        "Profile-Index": "1",
    }
)

# What freeswitch-conf/vars.xml sets.
_GLOBALS = {"domain": "cti.internal", "callers_port": "5060", "agents_port": "5080"}

# A media thread looks at what it has been told once in a frame of sound.
_FRAME_S = 0.02
# From the answer to the originating thread having seen it (recorded: 2 to 20 ms).
_ANSWER_SEEN_S = (0.002, 0.02)
# From "+OK Job-UUID" to the job's thread running.
_JOB_S = 0.001


class SimulatedSwitch:
    """Everything that decides, driven by a scheduler that is handed in: nothing here sleeps, reads a clock or opens a socket.

    Faults are attributes that may be changed at any time: ``refuse_logins`` (every password is wrong),
    ``reject_connections`` (the access list refuses), ``silent`` (half-open: takes bytes and writes none),
    ``reply_delay_s`` (late replies), ``event_poll_s`` (0.02: events wait as FreeSWITCH lets them), and ``faults`` for
    all that strikes by chance.

    Args:
        scheduler: time.
        seed: of everything that is drawn; the same seed and the same commands give the same bytes.
        password: of the event socket.
        node: the centre's name, for the default dialplan.
        dialplan: a called number to actions; None hands 5000 to 5999 to the centre (``freeswitch-conf/``).
        hostname: the switch's name in its events.
        heartbeat_s: the interval of HEARTBEAT; 0 for none.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        seed: int = 0,
        password: str = "ClueCon",  # noqa: S107 - FreeSWITCH's well-known default
        node: str = "cti",
        dialplan: Dialplan | None = None,
        hostname: str = "cti-switch",
        heartbeat_s: float = 20.0,
    ) -> None:
        self.scheduler = scheduler
        self.random = random.Random(seed)
        self.password = password
        self.hostname = hostname
        self.dialplan = dialplan or centre_dialplan(node)
        self.globals: dict[str, str] = {"hostname": hostname, **_GLOBALS}
        self.users: dict[str, str] = {}
        self.channels: dict[str, Channel] = {}
        self.sessions: list[Session] = []
        self.phones = Phones(self)
        self.gateways = Gateways(self)
        self.missing_files: set[str] = set()
        """Sound files that playback does not find."""
        self.fax_machines: dict[str, FaxMachine] = {}
        """Which phones are fax machines, by the phone's ``contact``."""
        self.writes_files = False
        """Whether ``record`` and ``rxfax`` leave files where they are told to: silence, and blank pages."""
        self.max_sessions = 5000
        self.sessions_made = self.peak_sessions = 0
        self.refuse_logins = self.reject_connections = self.silent = False
        self.reply_delay_s = self.event_poll_s = 0.0
        self.event_queue = 100_000
        """How many events wait for one connection at most, as MAX_QUEUE_LEN of mod_event_socket.c; more are lost."""
        self.media_timeout_s: float | None = 300.0
        """How long an answered leg of a phone that has vanished stays (``rtp-timeout-sec``); None: for ever."""
        self.mishaps: Mishaps | None = None
        """The faults at work, with their counts; None when :attr:`faults` has none."""
        self.writing = 0
        self.bus = EventBus(self.now_us, hostname)
        self._heartbeat_s = heartbeat_s
        self._started_s = 0.0
        self._boot()
        if heartbeat_s > 0:
            scheduler.call_later(heartbeat_s, self._heartbeat)

    @property
    def faults(self) -> Faults:
        """What goes wrong in the switch; set it at any time, it counts from the next command or event on."""
        return self.mishaps.faults if self.mishaps is not None else _NO_FAULTS

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.mishaps = Mishaps(faults, self.scheduler) if faults != _NO_FAULTS else None

    def __repr__(self) -> str:
        return f"<SimulatedSwitch {self.hostname} channels={len(self.channels)} sessions={len(self.sessions)}>"

    # -- for whoever plays with it -----------------------------------------------------------------------------------

    def connect(self) -> Session:
        """A new event-socket connection, as if accepted; set its ``on_send`` before the scheduler runs again."""
        session = Session(self, rejected=self.reject_connections)
        self.sessions.append(session)
        self.bus.attach(session)
        return session

    def incoming(
        self,
        *,
        calling_number: str = "0301234567",
        calling_name: str = "",
        called_number: str = "5000",
        patience_s: float | None = None,
        talk_s: float | None = None,
        counters: Counters | None = None,
        variables: dict[str, str] | None = None,
    ) -> Caller:
        """A call comes in and runs the dialplan; returns the caller.

        Args:
            calling_number: who calls.
            calling_name: the display name.
            called_number: the number called.
            patience_s: the caller hangs up after this long unconnected; None waits for ever.
            talk_s: the caller hangs up this long after being connected; None leaves that to the other side.
            counters: what the caller's fate is added to.
            variables: channel variables set before the dialplan (``sip_h_X-...``, say).
        """
        caller = Caller(self, patience_s, talk_s, counters)
        channel = self.place(
            caller,
            calling_number=calling_number,
            calling_name=calling_name,
            called_number=called_number,
            variables=variables,
        )
        channel.run(self.dialplan(called_number))
        return caller

    def place(
        self,
        far: FarEnd,
        *,
        calling_number: str,
        calling_name: str,
        called_number: str,
        variables: dict[str, str] | None = None,
    ) -> Channel:
        """A call comes in from whoever is at its far end, and executes nothing yet; returns its channel."""
        uuid = self.new_uuid()
        now_us = str(self.now_us())
        name = f"sofia/callers/{calling_number}@127.0.0.1:5060"
        profile = _INBOUND.with_fields(
            {
                "Username": calling_number,
                "Caller-ID-Name": calling_name or calling_number,
                "Caller-ID-Number": calling_number,
                "Orig-Caller-ID-Name": calling_name or calling_number,
                "Orig-Caller-ID-Number": calling_number,
                "ANI": calling_number,
                "Destination-Number": called_number,
                "Unique-ID": uuid,
                "Channel-Name": name,
                "Profile-Created-Time": now_us,
                "Channel-Created-Time": now_us,
            }
        )
        channel = Channel(self, uuid, profile, far, name)
        channel.session_id = self.next_session_id()
        display = (calling_name or calling_number, calling_number)
        channel.variables = sofia_variables.inbound(uuid, channel.session_id, name, display, called_number)
        for key, value in (variables or {}).items():
            channel.set_variable(key, value)
        self.channel_made(channel)
        if isinstance(far, Caller):
            far.placed(channel)
        channel.fire("CHANNEL_CREATE", CREATE)
        channel.state = "CS_ROUTING"
        channel.set_call_state("RINGING")
        return channel

    def restart(self) -> None:
        """FreeSWITCH dies and is started again: calls end without an event, connections are cut, the core is another."""
        for session in list(self.sessions):
            session.close()
        channels, self.channels = self.channels, {}
        for channel in channels.values():
            channel.up, channel.gone = False, True
            for running in channel.stack:
                if running.timer is not None:
                    running.timer.cancel()
            channel.far.lost(channel)
        self._boot()

    def drop_links(self) -> None:
        """Cuts every event-socket connection; calls go on."""
        for session in list(self.sessions):
            session.close()

    # -- time and names ----------------------------------------------------------------------------------------------

    def now_us(self) -> int:
        """Wall-clock time in microseconds since 1970."""
        return int((self.scheduler.epoch_s + self.scheduler.now()) * 1_000_000)

    def uptime_ms(self) -> int:
        """Milliseconds since the switch was started."""
        return int((self.scheduler.now() - self._started_s) * 1000)

    def frame_s(self) -> float:
        """How long until a media thread looks up: within one frame of 20 ms."""
        return self.random.random() * _FRAME_S

    def answer_s(self) -> float:
        """How long until an originating thread has seen an answer."""
        return self.random.uniform(*_ANSWER_SEEN_S)

    def whole_seconds(self, timeout_s: int) -> float:
        """How long a timeout of whole seconds really lasts: it compares whole-second clocks, so up to 1 s less."""
        now_s = self.now_us() / 1_000_000
        return max(0.0, math.floor(now_s) + timeout_s - now_s)

    def new_uuid(self) -> str:
        """A random UUID, from the switch's own chance."""
        return uuid_text(self.random.getrandbits(128))

    def next_session_id(self) -> int:
        """The number of a new channel since the start."""
        self.sessions_made += 1
        return self.sessions_made

    # -- called by the parts -----------------------------------------------------------------------------------------

    def channel_made(self, channel: Channel) -> None:
        """A channel exists."""
        self.channels[channel.uuid] = channel
        self.peak_sessions = max(self.peak_sessions, len(self.channels))

    def channel_gone(self, channel: Channel) -> None:
        """A channel is destroyed."""
        if self.channels.get(channel.uuid) is channel:
            del self.channels[channel.uuid]

    def disconnected(self, session: Session) -> None:
        """A session has ended."""
        if session in self.sessions:
            self.sessions.remove(session)
        self.bus.detach(session)

    def user_accepted(self, credentials: str) -> bool:
        """Whether ``user@domain:password`` (or ``user:password@domain``) is one of ``users``."""
        user, _, rest = credentials.partition(":")
        if "@" not in user:
            rest, _, domain = rest.partition("@")
            user = f"{user}@{domain}"
        return self.users.get(user) == rest

    def api(self, name: str, arguments: str, done: Done) -> None:
        """Carries out an api command; ``done`` gets the output."""
        api.execute(self, name, arguments, done)

    def start_job(self, job: str, name: str, arguments: str) -> None:
        """Carries out ``bgapi``: the result is an event that everybody can hear."""
        if self.mishaps is None or not self.mishaps.job_lost():
            self.scheduler.call_later(_JOB_S, self._run_job, job, name, arguments)

    def transfer(self, channel: Channel, target: list[str], leaving: Callable[[], None] | None = None) -> None:
        """Sends a channel elsewhere, see :func:`cti.sim.transfer.transfer`."""
        transfer(self, channel, target, leaving)

    def sendmsg(self, uuid: str, command: Command) -> str:
        """Carries out ``sendmsg``: queues it for the channel's own thread; returns the reply."""
        headers = command.headers
        uuid = uuid or headers.get("session-id", "")
        channel = self.channels.get(uuid)
        if channel is None:
            return f"-ERR invalid session id [{uuid}]"
        if self.mishaps is not None and self.mishaps.sendmsg_refused():
            return SENDMSG_REFUSED
        kind = headers.get("call-command", "").lower()
        if kind == "execute" and headers.get("execute-app-name"):
            data = command.body if command.body is not None else headers.get("execute-app-arg", "")
            channel.post(_execute, channel, headers["execute-app-name"], data, headers.get("event-uuid", ""))
        elif kind == "hangup":
            cause = headers.get("hangup-cause", "")
            channel.post(channel.hangup, cause_named(cause) if cause else "NORMAL_CLEARING")
        return "+OK"

    def sendevent(self, name: str, command: Command) -> str:
        """Carries out ``sendevent``: the user's headers come first; returns the reply."""
        uuid = command.headers.get("event-uuid") or self.new_uuid()
        upper = name.upper()
        if self.bus.wanted(upper):
            headers: dict[str, HeaderValue] = {"Event-UUID": uuid}
            canonical = {"event-subclass": "Event-Subclass", "unique-id": "Unique-ID"}
            for key, value in command.headers.items():
                if key != "content-length":
                    headers[canonical.get(key, key)] = value
            headers.update(headers_of(self.bus.envelope("", _SENDEVENT)))
            headers["Event-Name"] = upper  # the user's own text
            headers["Command"] = f"sendevent {name}"
            subclass = command.headers.get("event-subclass", "")
            self.bus.fire(SimEvent(upper, json_members(headers), command.body, subclass))
        else:
            self.bus.skip()
        return f"+OK {uuid}"

    # -- inside ------------------------------------------------------------------------------------------------------

    def _boot(self) -> None:
        self.globals["core_uuid"] = self.new_uuid()
        self.bus.boot(self.globals["core_uuid"])
        self.sessions_made = self.peak_sessions = 0
        self._started_s = self.scheduler.now()

    def _run_job(self, job: str, name: str, arguments: str) -> None:
        core = self.bus.core_uuid

        def done(output: str) -> None:
            if core != self.bus.core_uuid:
                return  # the job died with the switch
            if not self.bus.wanted("BACKGROUND_JOB"):
                self.bus.skip()
                return
            headers = {"Job-UUID": job, "Job-Command": name}
            if arguments:
                headers["Job-Command-Arg"] = arguments
            members = f"{self.bus.envelope('BACKGROUND_JOB', _JOB)}{members_after(headers)}"
            self.bus.fire(SimEvent("BACKGROUND_JOB", members, output))

        if core == self.bus.core_uuid:
            self.api(name, arguments, done)

    def _heartbeat(self) -> None:
        self.scheduler.call_later(self._heartbeat_s, self._heartbeat)
        if not self.bus.wanted("HEARTBEAT"):
            self.bus.skip()
            return
        headers = {
            "Event-Info": "System Ready",
            "Up-Time": api.up_time(self.uptime_ms()),
            "FreeSWITCH-Version": f"{api.VERSION}~64bit",
            "Uptime-msec": str(self.uptime_ms()),
            "Session-Count": str(len(self.channels)),
            "Max-Sessions": str(self.max_sessions),
            "Session-Per-Sec": "1000",
            "Session-Per-Sec-Last": "0",
            "Session-Per-Sec-Max": "0",
            "Session-Per-Sec-FiveMin": "0",
            "Session-Since-Startup": str(self.sessions_made),
            "Session-Peak-Max": str(self.peak_sessions),
            "Session-Peak-FiveMin": str(self.peak_sessions),
            "Idle-CPU": "100.000000",
        }
        members = f"{self.bus.envelope('HEARTBEAT', _HEARTBEAT)}{members_after(headers)}"
        self.bus.fire(SimEvent("HEARTBEAT", members))


def _execute(channel: Channel, application: str, data: str, uuid: str) -> None:
    begin(channel, application, data, uuid=uuid)
