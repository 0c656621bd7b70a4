"""The api commands of the simulated switch that are about no channel in particular, and the table of all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from cti.sim import channel_api, registration, show_api
from cti.sim.arguments import separate
from cti.sim.cause import cause_named
from cti.sim.originate import originate

if TYPE_CHECKING:
    from cti.sim.switch import SimulatedSwitch

VERSION = "1.11.1-release"

Done = Callable[[str], None]
Simple = Callable[["SimulatedSwitch", str], str]


def execute(switch: SimulatedSwitch, name: str, arguments: str, done: Done) -> None:
    """Carries out an api command; ``done`` is called once with its output, perhaps much later."""
    lower = name.lower()
    if switch.mishaps is not None:
        told = switch.mishaps.command(lower, done)
        if told is None:
            return
        done = told
    simple = _SIMPLE.get(lower)
    if simple is not None:
        done(simple(switch, arguments))
    elif lower == "originate":
        if arguments:
            originate(switch, arguments, done)
        else:
            done(_USAGES["originate"])
    elif lower == "msleep":
        delay_s = int(arguments) / 1000 if arguments.strip().isdigit() else 0.0
        switch.scheduler.call_later(delay_s, done, "+OK")
    elif lower == "bgapi":
        command, _, rest = arguments.partition(" ")
        job = switch.new_uuid()
        switch.start_job(job, command, rest)
        done(f"+OK Job-UUID: {job}\n")
    else:
        done(f"-ERR {name} Command not found!\n")


def _echo(_switch: SimulatedSwitch, text: str) -> str:
    return text


def _create_uuid(switch: SimulatedSwitch, _text: str) -> str:
    return switch.new_uuid()


def _version(_switch: SimulatedSwitch, text: str) -> str:
    return f"{VERSION}\n" if text == "short" else f"FreeSWITCH Version {VERSION}~64bit ( 64bit)\n"


def _uptime(switch: SimulatedSwitch, _text: str) -> str:
    return f"{switch.uptime_ms() // 1000}\n"


def up_time(ms: int) -> str:
    """The words for an uptime, as ``status`` and HEARTBEAT have them."""
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    years, days = divmod(days, 365)
    parts = (
        (years, "year"),
        (days, "day"),
        (hours, "hour"),
        (minutes, "minute"),
        (seconds, "second"),
        (ms, "millisecond"),
        (0, "microsecond"),
    )
    return ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for number, name in parts)


def _status(switch: SimulatedSwitch, _text: str) -> str:
    return (
        f"UP {up_time(switch.uptime_ms())}\nFreeSWITCH (Version {VERSION}  64bit) is ready\n"
        f"{switch.sessions_made} session(s) since startup\n"
        f"{len(switch.channels)} session(s) - peak {switch.peak_sessions}, last 5min {switch.peak_sessions} \n"
        f"0 session(s) per Sec out of max 1000, peak 0, last 5min 0 \n{switch.max_sessions} session(s) max\n"
        "min idle cpu 0.00/100.00\nCurrent Stack Size/Max 240K/8192K\n"
    )


def _global_getvar(switch: SimulatedSwitch, text: str) -> str:
    if not text:
        return "".join(f"{name}={value}\n" for name, value in switch.globals.items())
    return switch.globals.get(text, "")


def _strftime(switch: SimulatedSwitch, text: str) -> str:
    return time.strftime(text or "%Y-%m-%d %H:%M:%S", time.gmtime(switch.now_us() // 1_000_000))


def _reloadxml(_switch: SimulatedSwitch, _text: str) -> str:
    return "+OK [Success]\n"


def _hupall(switch: SimulatedSwitch, text: str) -> str:
    words = separate(text, " ", 11)
    cause = cause_named(words[0]) if words else "MANAGER_REQUEST"
    cause = "MANAGER_REQUEST" if cause == "NONE" else cause
    wanted = list(zip(words[1::2], words[2::2], strict=False))
    for channel in list(switch.channels.values()):
        if all(channel.variable(name) == value for name, value in wanted):
            channel.hangup(cause, delay_s=switch.frame_s())
    if not wanted:
        return f"+OK hangup all channels with cause {cause}\n"
    more = "" if len(wanted) == 1 else "..."
    return f"+OK hangup all channels matching [{wanted[0][0]}]=[{wanted[0][1]}]{more} with cause: {cause}\n"


def _sofia(switch: SimulatedSwitch, text: str) -> str:
    what, _, rest = text.partition(" ")
    if what == "profile":
        return registration.profile(switch, rest)
    if text.split() == ["xmlstatus", "gateway"]:
        return switch.gateways.xmlstatus()
    if text.split()[:1] != ["status"]:
        return "-ERR Unknown command!\n"
    line = "=" * 97 + "\n"
    rows = "".join(
        f"{name:>25}\tprofile\t             sip:mod_sofia@127.0.0.1:{port}\tRUNNING (0)\n"
        for name, port in (("callers", 5060), ("agents", 5080))
    )
    return f"{'Name':>25}\t   Type\t{'Data':>42}\tState\n{line}{rows}{line}2 profiles 0 aliases\n"


def _user_exists(switch: SimulatedSwitch, text: str) -> str:
    words = text.split()
    known = len(words) == 3 and registration.named(switch, f"{words[1]}@{words[2]}") is not None
    return "true" if known else "false"


_USAGES = {
    "originate": (
        "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] "
        "[<timeout_sec>]\n"
    )
}

_SIMPLE: dict[str, Simple] = {
    "create_uuid": _create_uuid,
    "echo": _echo,
    "expand": registration.expand,
    "global_getvar": _global_getvar,
    "hupall": _hupall,
    "reloadxml": _reloadxml,
    "show": show_api.show,
    "sofia": _sofia,
    "sofia_contact": registration.sofia_contact,
    "status": _status,
    "strftime": _strftime,
    "uptime": _uptime,
    "user_data": registration.user_data,
    "user_exists": _user_exists,
    "version": _version,
    **channel_api.COMMANDS,
}
