"""The applications of a voice menu: read, say, speak, record, play_and_detect_speech; and a caller's keys and words.

As ``mod_dptools.c``, ``switch_ivr_play_say.c`` and ``switch_channel.c`` have them. There is no sound: how long words last
is made up, and a caller is heard to say what ``speak_up`` was told.
"""

from __future__ import annotations

import wave
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from cti.sim.arguments import separate

if TYPE_CHECKING:
    from cti.sim.application import Running
    from cti.sim.channel import Channel
    from cti.sim.event_bus import Origin
    from cti.sim.scheduler import Handle

_DTMF: Origin = ("switch_channel.c", "switch_channel_dequeue_dtmf", "678")
_RECORD_START: Origin = ("switch_ivr_play_say.c", "switch_ivr_record_file_event", "770")
_RECORD_STOP: Origin = ("switch_ivr_play_say.c", "switch_ivr_record_file_event", "1033")

BREAKABLE = frozenset({"playback", "say", "speak", "record", "read", "play_and_detect_speech", "sleep"})
"""Applications that ``uuid_break`` ends."""

_KEY_DURATION = "2000"  # in samples: what a key lasts when nobody says (switch_core_default_dtmf_duration)
_SAID_S = 0.4
_SPOKEN_S = 0.06
_NO_INPUT_S = 5.0
_THINKING_S = 0.5

_words: WeakKeyDictionary[Channel, deque[str]] = WeakKeyDictionary()


class Finish(Protocol):
    """Ends an application; see ``cti.sim.application.finish``."""

    def __call__(self, channel: Channel, running: Running, *, interrupted: bool = ..., broken: bool = ...) -> None:
        """End it."""


# -- what a caller does ------------------------------------------------------------------------------------------------


def press(channel: Channel, keys: str, *, source: str = "RTP") -> None:
    """Presses keys one after the other; the channel's thread sees each within a frame. Nothing after the hang-up."""
    for number, key in enumerate(keys):
        channel.post(_pressed, channel, key, source, delay_s=channel.switch.frame_s() + number * 0.02)


def speak_up(channel: Channel, *words: str) -> None:
    """Has a recognizer on this channel understand these words, one text an attempt; without it there is no recognizer."""
    _words.setdefault(channel, deque()).extend(words)


def _pressed(channel: Channel, key: str, source: str) -> None:
    if not channel.true("sensitive_dtmf"):
        after = {"DTMF-Digit": key, "DTMF-Duration": _KEY_DURATION, "DTMF-Source": source}
        channel.fire("DTMF", _DTMF, after=after)
    running = channel.stack[-1] if channel.stack else None
    if running is not None and running.on_key is not None:
        running.on_key(key)


def terminated_by_key(channel: Channel, running: Running, finish: Finish) -> None:
    """Has the keys of ``playback_terminators`` end an application (``*`` when nobody set them)."""
    channel.set_variable("playback_terminator_used", None)

    def pressed(key: str) -> None:
        wanted = channel.variable("playback_terminators") or "*"
        if key in {"any": "1234567890*#", "none": ""}.get(wanted.lower(), wanted):
            channel.set_variable("playback_terminator_used", key)
            finish(channel, running, broken=True)

    running.on_key = pressed


# -- applications: each says whether it is still running when it returns ------------------------------------------------


def _say(channel: Channel, running: Running, finish: Finish) -> bool:
    words = separate(running.data, " ", 5)
    if len(words) < 4:
        return False
    terminated_by_key(channel, running, finish)
    return _lasts(channel, running, finish, len(words[-1]) * _SAID_S)


def _speak(channel: Channel, running: Running, finish: Finish) -> bool:
    engine, voice, text = ["", "", *running.data.split("|", 2)][-3:]
    if not engine or not voice or not text:
        channel.hangup("DESTINATION_OUT_OF_ORDER")
        return True
    terminated_by_key(channel, running, finish)
    return _lasts(channel, running, finish, len(text) * _SPOKEN_S)


def _record(channel: Channel, running: Running, finish: Finish) -> bool:
    words = separate(running.data, " ", 4)
    path = {"Record-File-Path": words[0]}
    terminated_by_key(channel, running, finish)
    channel.set_variable("silence_hits_exhausted", "false")
    channel.fire("RECORD_START", _RECORD_START, after=path)

    def ended() -> None:
        length_ms = round((channel.switch.scheduler.now() - running.started_s) * 1000)
        channel.set_variable("record_seconds", str(length_ms // 1000))
        channel.set_variable("record_ms", str(length_ms))
        channel.set_variable("record_samples", str(length_ms * 8))
        if channel.switch.writes_files:
            silence(Path(words[0]), length_ms)
        channel.fire("RECORD_STOP", _RECORD_STOP, after=path)

    running.ending = ended
    limit = int(words[1].lstrip("+")) if len(words) > 1 and words[1].lstrip("+").isdigit() else 0
    if limit:
        running.timer = channel.switch.scheduler.call_later(limit, finish, channel, running)
    return True


def silence(path: Path, length_ms: int) -> None:
    """A recording in which nobody says anything; FreeSWITCH makes the directories, too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as written:
        written.setparams((1, 2, 8000, 0, "NONE", ""))
        written.writeframes(bytes(16 * length_ms))


class _Reading:
    """``read``: keys into a variable."""

    def __init__(self, channel: Channel, running: Running, finish: Finish, prompt_s: float) -> None:
        words = separate(running.data, " ", 7)
        self.least, self.most = max(1, int(words[0])), max(1, int(words[1]))
        self.variable = words[3]
        self.first_s = max(1.0, int(words[4]) / 1000)
        self.terminators = words[5] if len(words) > 5 else "#"
        self.between_s = int(words[6]) / 1000 if len(words) > 6 and int(words[6]) else self.first_s
        self.channel, self.running, self.finish = channel, running, finish
        self.digits = ""
        self._again(prompt_s + self.first_s)

    def pressed(self, key: str) -> None:
        if key in self.terminators:
            self.channel.set_variable("read_terminator_used", key)
            self._end("success")
            return
        self.digits += key
        if len(self.digits) >= self.most:
            self._end("success")
        else:
            self._again(self.between_s)

    def _again(self, seconds: float) -> None:
        timer: Handle | None = self.running.timer
        if timer is not None:
            timer.cancel()
        self.running.timer = self.channel.switch.scheduler.call_later(seconds, self._end, "timeout")

    def _end(self, result: str) -> None:
        self.channel.set_variable("read_result", result if len(self.digits) >= self.least else "failure")
        self.finish(self.channel, self.running)

    def ended(self) -> None:
        # Also when the caller hung up in the middle (switch_ivr_read).
        self.channel.set_variable(self.variable, self.digits or None)


def _read(channel: Channel, running: Running, finish: Finish, *, sound_length_s: Callable[[str], float]) -> bool:
    prompt = separate(running.data, " ", 7)[2]
    channel.set_variable("read_result", None)
    if prompt in channel.switch.missing_files:
        return False
    reading = _Reading(channel, running, finish, min(sound_length_s(prompt), 3600.0))
    channel.set_variable(reading.variable, None)
    running.on_key, running.ending = reading.pressed, reading.ended
    return True


def _listen(channel: Channel, running: Running, finish: Finish, *, sound_length_s: Callable[[str], float]) -> bool:
    channel.set_variable("detect_speech_result", None)
    prompt, found, _ = running.data.partition("detect:")
    words = _words.get(channel)
    if not found or words is None:
        channel.set_variable("current_application_response", "ASR INIT ERROR" if found else "USAGE ERROR")
        return False
    said = words.popleft() if words else ""
    wait_s = min(sound_length_s(prompt.strip()), 3600.0) + (_THINKING_S if said else _NO_INPUT_S)

    def ended() -> None:
        channel.set_variable("current_application_response", "DONE")

    def understood() -> None:
        # What mod_unimrcp hands on when nobody spoke, and what it does when somebody did (NLSML).
        result = f'<result><interpretation><input mode="speech">{said}</input></interpretation></result>'
        channel.set_variable("detect_speech_result", result if said else "Completion-Cause: 002")
        finish(channel, running)

    running.ending = ended
    running.timer = channel.switch.scheduler.call_later(wait_s, understood)
    return True


def _detect_speech(channel: Channel, running: Running, finish: Finish) -> bool:
    if running.data == "stop":
        for one in [one for one in channel.stack if one.application == "play_and_detect_speech"]:
            finish(channel, one, broken=True)
    return False


def _lasts(channel: Channel, running: Running, finish: Finish, length_s: float) -> bool:
    if not channel.media_up:
        channel.early_media()
    running.timer = channel.switch.scheduler.call_later(length_s, finish, channel, running)
    return True


def applications(
    finish: Finish, sound_length_s: Callable[[str], float]
) -> dict[str, Callable[[Channel, Running], bool]]:
    """The applications, given how one ends and how long a sound lasts."""
    return {
        "detect_speech": partial(_detect_speech, finish=finish),
        "play_and_detect_speech": partial(_listen, finish=finish, sound_length_s=sound_length_s),
        "read": partial(_read, finish=finish, sound_length_s=sound_length_s),
        "record": partial(_record, finish=finish),
        "say": partial(_say, finish=finish),
        "speak": partial(_speak, finish=finish),
    }
