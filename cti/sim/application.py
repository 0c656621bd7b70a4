"""The dialplan applications the simulated channels can execute, and the events around each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from cti.sim.cause import CAUSE_BY_SIP_STATUS, cause_named
from cti.sim.eavesdrop import eavesdrop
from cti.sim.fax_application import applications as fax_applications
from cti.sim.ivr_application import applications as ivr_applications
from cti.sim.ivr_application import terminated_by_key
from cti.sim.scheduler import Handle
from cti.sim.uuid_text import uuid_text

if TYPE_CHECKING:
    from cti.sim.channel import Channel
    from cti.sim.event_bus import Origin

_EXECUTE: Origin = ("switch_core_session.c", "switch_core_session_exec", "2949")
_COMPLETE: Origin = ("switch_core_session.c", "switch_core_session_exec", "2972")
_PARK: Origin = ("switch_ivr.c", "switch_ivr_park", "1002")
_UNPARK: Origin = ("switch_ivr.c", "switch_ivr_park", "1213")
_PLAYBACK_START: Origin = ("switch_ivr_play_say.c", "switch_ivr_play_file", "1649")
_PLAYBACK_STOP: Origin = ("switch_ivr_play_say.c", "switch_ivr_play_file", "2023")

# How long a sound file lasts: there is none to look into.
_FILE_S = 3.0
_FOREVER = float("inf")


class Running:
    """An application in execution. ``executed`` is False for the park that CS_PARK is, which no dialplan asked for."""

    __slots__ = (
        *("_uuid", "application", "data", "dialplan", "ending", "executed", "on_key", "response", "started_s", "timer"),
    )

    def __init__(self, application: str, data: str, uuid: str | int, *, dialplan: bool, executed: bool = True) -> None:
        self.application = application
        self.data = data
        self._uuid = uuid
        self.dialplan = dialplan
        self.executed = executed
        self.response = ""
        self.started_s = 0.0
        self.timer: Handle | None = None
        self.ending: Callable[[], None] | None = None
        """What else its end does, whatever ends it."""
        self.on_key: Callable[[str], None] | None = None
        """What a key of the caller's does."""

    @property
    def uuid(self) -> str:
        """The id its events carry; a drawn one is spelled out only when somebody listens."""
        return self._uuid if isinstance(self._uuid, str) else uuid_text(self._uuid)


def begin(channel: Channel, application: str, data: str, *, uuid: str = "", dialplan: bool = False) -> None:
    """Executes an application; one that FreeSWITCH does not know hangs the channel up without another event."""
    start = _APPLICATIONS.get(application)
    if start is None:
        channel.hangup("DESTINATION_OUT_OF_ORDER")
        return
    data = channel.expand(data)
    running = Running(application, data, uuid or channel.switch.random.getrandbits(128), dialplan=dialplan)
    running.started_s = channel.switch.scheduler.now()
    variables = channel.variables
    variables.pop("variable_current_application_response", None)
    if data:
        variables["variable_current_application_data"] = data
    else:
        variables.pop("variable_current_application_data", None)
    variables["variable_current_application"] = application
    channel.last_application, channel.last_data = application, data
    channel.stack.append(running)
    if channel.heard("CHANNEL_EXECUTE"):
        channel.fire("CHANNEL_EXECUTE", _EXECUTE, after={**_named(running), "Application-UUID": running.uuid})
    if not start(channel, running):
        finish(channel, running)


def finish(channel: Channel, running: Running, *, interrupted: bool = False, broken: bool = False) -> None:
    """An application comes to its end: by itself, interrupted (hang-up, bridge, transfer), or by ``uuid_break``."""
    if running not in channel.stack:
        return
    if running.timer is not None:
        running.timer.cancel()
    channel.stack.remove(running)
    if running.application == "playback":
        if not running.response:
            _stop_playback(channel, running, broken=broken)
            running.response = "PLAYBACK ERROR" if interrupted else "FILE PLAYED"
        channel.set_variable("current_application_response", running.response)
    elif running.application == "park":
        channel.fire("CHANNEL_UNPARK", _UNPARK)
    elif running.ending is not None:
        running.ending()
    if running.executed and channel.heard("CHANNEL_EXECUTE_COMPLETE"):
        response = channel.variable("current_application_response") or "_none_"
        after = {**_named(running), "Application-Response": response, "Application-UUID": running.uuid}
        channel.fire("CHANNEL_EXECUTE_COMPLETE", _COMPLETE, after=after)
    if running.dialplan and not interrupted:
        channel.next_action()


def park(channel: Channel) -> None:
    """CS_PARK: what uuid_park and park_after_bridge do."""
    channel.enter("CS_PARK")
    running = Running("park", "", "", dialplan=False, executed=False)
    channel.stack.append(running)
    _start_park(channel, running)


def _named(running: Running) -> dict[str, str]:
    if running.data:
        return {"Application": running.application, "Application-Data": running.data}
    return {"Application": running.application}


# -- applications: each says whether it is still running when it returns ------------------------------------------------


def _start_park(channel: Channel, running: Running) -> bool:
    seconds, _, cause = (channel.variable("park_timeout") or "").partition(":")
    channel.set_variable("park_timeout", None)  # it counts for one park only
    channel.fire("CHANNEL_PARK", _PARK)
    if seconds.isdigit() and int(seconds):
        delay_s = channel.switch.whole_seconds(int(seconds))
        name = cause_named(cause) if cause else "NORMAL_CLEARING"
        running.timer = channel.switch.scheduler.call_later(delay_s, channel.hangup, name)
    return True


def _start_playback(channel: Channel, running: Running) -> bool:
    if running.data in channel.switch.missing_files:
        running.response = "FILE NOT FOUND"
        return False
    if not channel.media_up:
        channel.early_media()
    terminated_by_key(channel, running, finish)
    channel.set_variable("current_loop", "1")
    channel.set_variable("total_loops", "1")
    channel.fire("PLAYBACK_START", _PLAYBACK_START, after=_playback_headers(running))
    length_s = sound_length_s(running.data)
    if length_s < _FOREVER:
        running.timer = channel.switch.scheduler.call_later(length_s, finish, channel, running)
    return True


def _stop_playback(channel: Channel, running: Running, *, broken: bool) -> None:
    played_ms = round((channel.switch.scheduler.now() - running.started_s) * 1000)
    channel.variables.update(
        {
            "variable_playback_last_offset_pos": str(played_ms * 8),
            "variable_playback_seconds": str(played_ms // 1000),
            "variable_playback_ms": str(played_ms),
            "variable_playback_samples": str(played_ms * 8),
        }
    )
    channel.set_variable("current_loop", None)
    channel.set_variable("total_loops", None)
    after = {**_playback_headers(running), "Playback-Status": "break" if broken else "done"}
    channel.fire("PLAYBACK_STOP", _PLAYBACK_STOP, after=after)


def _playback_headers(running: Running) -> dict[str, str]:
    kind, found, _ = running.data.partition("://")
    return {"Playback-File-Type": kind if found else "file", "Playback-File-Path": running.data}


def sound_length_s(path: str) -> float:
    """How long a sound lasts: tones and silence as written, ``local_stream`` and ``loops=-1`` for ever, files 3 s."""
    kind, found, rest = path.partition("://")
    if not found:
        return _FILE_S
    if kind == "local_stream" or "loops=-1" in rest:
        return _FOREVER
    if kind == "silence_stream":
        number = re.match(r"-?\d+", rest)
        length_ms = int(number[0]) if number else 0
        return _FOREVER if length_ms < 0 else length_ms / 1000
    if kind == "tone_stream":
        loops = re.search(r"loops=(\d+)", rest)
        tones = re.findall(r"%\((\d+),(\d+)", rest)
        return sum(int(on) + int(off) for on, off in tones) / 1000 * (int(loops[1]) if loops else 1)
    return _FILE_S


def _start_sleep(channel: Channel, running: Running) -> bool:
    length_s = int(running.data) / 1000 if running.data.isdigit() else 0.0
    running.timer = channel.switch.scheduler.call_later(length_s, finish, channel, running)
    return True


def _set(channel: Channel, running: Running) -> bool:
    name, _, value = running.data.partition("=")
    channel.set_variable(name.strip(), value.strip())
    return False


def _multiset(channel: Channel, running: Running) -> bool:
    for piece in running.data.split():
        name, _, value = piece.partition("=")
        channel.set_variable(name, value)
    return False


def _unset(channel: Channel, running: Running) -> bool:
    channel.set_variable(running.data, None)
    return False


def _answer(channel: Channel, _running: Running) -> bool:
    channel.answer()
    return False


def _pre_answer(channel: Channel, _running: Running) -> bool:
    channel.early_media()
    return False


def _ring_ready(channel: Channel, _running: Running) -> bool:
    channel.profile.stamp("Channel-Progress-Time", channel.switch.now_us())
    return False


def _hangup(channel: Channel, running: Running) -> bool:
    finish(channel, running, interrupted=True)
    channel.hangup(cause_named(running.data) if running.data else "NORMAL_CLEARING")
    return True


def _respond(channel: Channel, running: Running) -> bool:
    status = running.data.split()[0] if running.data else "200"
    cause = CAUSE_BY_SIP_STATUS.get(int(status) if status.isdigit() else 0, "NORMAL_CLEARING")
    finish(channel, running, interrupted=True)
    channel.hangup(cause)
    return True


def _transfer(channel: Channel, running: Running) -> bool:
    channel.switch.transfer(channel, running.data.split(" "))
    return True


def _conference(_channel: Channel, _running: Running) -> bool:
    return True  # until the member is taken out of it, or hangs up


def _nothing(_channel: Channel, _running: Running) -> bool:
    return False


_APPLICATIONS: dict[str, Callable[[Channel, Running], bool]] = {
    "answer": _answer,
    "conference": _conference,
    "eavesdrop": eavesdrop(finish),
    "export": _set,
    "hangup": _hangup,
    "info": _nothing,
    "log": _nothing,
    "multiset": _multiset,
    "park": _start_park,
    "playback": _start_playback,
    "pre_answer": _pre_answer,
    "respond": _respond,
    "ring_ready": _ring_ready,
    "set": _set,
    "sleep": _start_sleep,
    "transfer": _transfer,
    "unset": _unset,
    **fax_applications(finish),
    **ivr_applications(finish, sound_length_s),
}
