"""The api commands about one channel: ``uuid_...`` and ``sched_hangup`` (mod_commands.c), answers as recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cti.sim.application import begin, finish, park
from cti.sim.arguments import separate
from cti.sim.bridge import uuid_bridge
from cti.sim.cause import cause_named
from cti.sim.channel import STATE_NUMBERS
from cti.sim.event import headers_of, plain_text
from cti.sim.ivr_application import BREAKABLE

if TYPE_CHECKING:
    from cti.sim.channel import Channel
    from cti.sim.event_bus import Origin
    from cti.sim.switch import SimulatedSwitch

_NO_CHANNEL = "-ERR No such channel!\n"
_DUMP: Origin = ("mod_commands.c", "uuid_dump_function", "6495")
_HOLD: Origin = ("switch_ivr.c", "switch_ivr_hold", "1558")
_UNHOLD: Origin = ("switch_ivr.c", "switch_ivr_unhold", "1638")

# switch_ivr_broadcast asks for lead frames: the sound begins this long after the command (recorded: 180 to 200 ms).
_BROADCAST_LEAD_S = 0.18
_HOLD_MUSIC = "tone_stream://v=-24;%(700,0,262,392);%(700,0,330,494);%(700,300,392,523);loops=-1"


def _exists(switch: SimulatedSwitch, text: str) -> str:
    return "true" if text in switch.channels else "false"


def _bridge(switch: SimulatedSwitch, text: str) -> str:
    words = separate(text, " ", 4)
    if len(words) < 2:
        return "-USAGE: <uuid> <other_uuid>\n"
    first = switch.channels.get(words[0])
    for name in words[1:3]:
        second = switch.channels.get(name)
        if first is not None and second is not None and uuid_bridge(first, second):
            return f"+OK {name}\n"
    return "-ERR Invalid uuid\n"


def _kill(switch: SimulatedSwitch, text: str) -> str:
    if not text:
        return "-USAGE: <uuid> [cause]\n"
    uuid, _, cause = text.partition(" ")
    channel = switch.channels.get(uuid)
    if channel is None:
        return _NO_CHANNEL
    channel.hangup(cause_named(cause) if cause else "NORMAL_CLEARING", delay_s=switch.frame_s())
    return "+OK\n"


def _answer(switch: SimulatedSwitch, text: str) -> str:
    channel = switch.channels.get(text.strip())
    if channel is None or not channel.up:
        return "-ERROR\n"
    channel.answer()
    return "+OK\n"


def _pre_answer(switch: SimulatedSwitch, text: str) -> str:
    channel = switch.channels.get(text.strip())
    if channel is None or not channel.up:
        return "-ERROR\n"
    channel.early_media()
    return "+OK\n"


def _park(switch: SimulatedSwitch, text: str) -> str:
    channel = switch.channels.get(text)
    if channel is None:
        return _NO_CHANNEL
    channel.state_number = STATE_NUMBERS["CS_PARK"]
    channel.post(_park_now, channel)
    return "+OK\n"


def _park_now(channel: Channel) -> None:
    if channel.bridge is not None:
        channel.bridge.part(channel)
    channel.actions.clear()
    channel.unwind()
    park(channel)


def _transfer(switch: SimulatedSwitch, text: str) -> str:
    words = separate(text, " ", 5)
    if len(words) < 2:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return _NO_CHANNEL
    which, target = "", words[1:]
    if target[0].startswith("-"):
        which, target = target[0][1:].lower(), target[1:]
    if not target:
        return "-ERR\n"
    joined = channel.bridge
    if joined is not None and joined.joined and which in ("bleg", "both"):
        other = joined.other(channel)
        if which == "both":
            # Both leave together: neither is hung up for the other's sake.
            channel.bridge = other.bridge = None
            switch.transfer(channel, target)
        channel = other
    switch.transfer(channel, target)
    return "+OK\n"


def _dual_transfer(switch: SimulatedSwitch, text: str) -> str:
    words = text.split()
    if len(words) != 3:
        return (
            "-USAGE: <uuid> <A-dest-exten>[/<A-dialplan>][/<A-context>] <B-dest-exten>[/<B-dialplan>][/<B-context>]\n"
        )
    channel = switch.channels.get(words[0])
    if channel is None:
        return _NO_CHANNEL
    joined = channel.bridge
    if joined is not None and joined.joined and joined.a.up and joined.b.up:
        other = joined.other(channel)
        channel.bridge = other.bridge = None
        for leg, to in ((other, words[2]), (channel, words[1])):
            switch.transfer(leg, _target(to), joined.dissolve if leg is joined.a else None)
    else:
        switch.transfer(channel, _target(words[1]))
    return "+OK\n"


def _target(text: str) -> list[str]:
    if text.endswith("/inline"):  # what is executed may hold a slash
        return [text.removesuffix("/inline"), "inline"]
    return text.split("/", 2)


def _setvar(switch: SimulatedSwitch, text: str) -> str:
    words = separate(text, " ", 3)
    if len(words) < 2:
        return "-USAGE: <uuid> <var> [value]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return _NO_CHANNEL
    channel.set_variable(words[1], channel.expand(words[2]) if len(words) == 3 else None)
    return "+OK\n"


def _setvar_multi(switch: SimulatedSwitch, text: str) -> str:
    usage = "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n"
    uuid, blank, rest = text.partition(" ")
    if not blank:
        return usage
    channel = switch.channels.get(uuid)
    if channel is None:
        return _NO_CHANNEL + usage
    done = False
    for piece in separate(rest, ";", 64):
        name, _, value = piece.partition("=")
        if name:
            channel.set_variable(name, value)
            done = True
    return "+OK\n" if done else usage


def _getvar(switch: SimulatedSwitch, text: str) -> str:
    words = separate(text, " ", 4)
    if len(words) < 2:
        return "-USAGE: <uuid> <var>\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return _NO_CHANNEL
    # switch_channel_get_variable falls back to the global variables.
    return channel.variable_in_any_case(words[1]) or switch.globals.get(words[1]) or "_undef_"


def _broadcast(switch: SimulatedSwitch, text: str) -> str:
    words = separate(text, " ", 4)
    if len(words) < 2:
        return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return "-ERR invalid uuid\n"
    which = words[2].lower() if len(words) > 2 else "aleg"
    application, found, data = words[1].partition("::")
    if not found:
        application, data = "playback", words[1]
    application = application.partition("!")[0]
    legs = [channel] if which in ("aleg", "both") or "aleg" in which else []
    if which in ("bleg", "both") and channel.bridge is not None:
        legs.append(channel.bridge.other(channel))
    for leg in legs:
        leg.post(begin, leg, application, data, delay_s=_BROADCAST_LEAD_S + switch.frame_s())
    return "+OK Message sent\n"


def _break(switch: SimulatedSwitch, text: str) -> str:
    if not text:
        return "-USAGE: <uuid> [all]\n"
    uuid, _, flags = text.partition(" ")
    channel = switch.channels.get(uuid)
    if channel is None:
        return _NO_CHANNEL
    legs = [channel]
    if "both" in flags and channel.bridge is not None:
        legs.append(channel.bridge.other(channel))
    for leg in legs:
        if leg.stack and leg.stack[-1].application in BREAKABLE:
            switch.scheduler.call_later(switch.frame_s(), _broken, leg, leg.stack[-1])
    return "+OK\n"


def _broken(channel: Channel, running: object) -> None:
    if channel.up and channel.stack and channel.stack[-1] is running:
        finish(channel, channel.stack[-1], broken=True)


def _hold(switch: SimulatedSwitch, text: str) -> str:
    words = text.split()
    if not words:
        return "-USAGE: [off|toggle] <uuid> [<display>]\n-ERR Operation failed\n"
    off = words[0] == "off"
    channel = switch.channels.get(words[1] if words[0] in ("off", "toggle") and len(words) > 1 else words[0])
    if channel is None:
        return "+OK Success\n"
    held = channel.call_state == "HELD"
    if words[0] == "toggle":
        off = held
    if off and not held:
        return "-ERR Operation failed\n"
    if off:
        _unhold(channel)
    elif not held:
        if channel.call_state == "ACTIVE":
            channel.set_call_state("HELD")
        channel.fire("CHANNEL_HOLD", _HOLD)
        if channel.bridge is not None:
            partner = channel.bridge.other(channel)
            delay_s = _BROADCAST_LEAD_S + switch.frame_s()
            partner.post(_hold_music, channel, partner, delay_s=delay_s)
    return "+OK Success\n"


def _hold_music(held: Channel, partner: Channel) -> None:
    if held.call_state == "HELD" and held.bridge is not None and held.bridge is partner.bridge:
        begin(partner, "playback", _HOLD_MUSIC)


def _unhold(channel: Channel) -> None:
    channel.set_call_state("UNHELD")
    if channel.bridge is not None:
        partner = channel.bridge.other(channel)
        if partner.stack and partner.stack[-1].data == _HOLD_MUSIC:
            finish(partner, partner.stack[-1], broken=True)
    channel.fire("CHANNEL_UNHOLD", _UNHOLD)
    channel.set_call_state("ACTIVE")


def _dump(switch: SimulatedSwitch, text: str) -> str:
    words = text.split()
    if not words:
        return "-USAGE: <uuid> [format]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return _NO_CHANNEL
    members = f"{switch.bus.envelope('CHANNEL_DATA', _DUMP)}{channel.headers()}"
    if words[1:2] == ["json"]:
        return f"{{{members}}}"
    return plain_text(headers_of(members)).decode("utf-8", "surrogateescape")


def _deflect(switch: SimulatedSwitch, text: str) -> str:
    words = text.split()
    if len(words) < 2:
        return "-USAGE: <uuid> <uri>\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return f"-ERR No such channel {words[0]}!\n"
    # A REFER after the answer, a 302 before it: the far end goes elsewhere and leaves us.
    cause = "BLIND_TRANSFER" if channel.answered else "REDIRECTION_TO_NEW_DESTINATION"
    channel.post(channel.hangup, cause)
    return "+OK:\n"


def _send_dtmf(switch: SimulatedSwitch, text: str) -> str:
    words = text.split()
    if len(words) < 2:
        return "-USAGE: <uuid> <dtmf_data>\n"
    if words[0] not in switch.channels:
        return "-ERR Cannot locate session!\n"
    return f"+OK {words[0]} sent DTMF {words[1]}.\n"


def _phone_event(switch: SimulatedSwitch, text: str) -> str:
    words = text.split()
    if not words:
        return "-USAGE: <uuid>\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return "-ERR Operation failed\n"
    if words[1:2] == ["talk"]:
        channel.far.told_to_talk(channel)
    return "+OK Success\n"


def _displace(switch: SimulatedSwitch, text: str) -> str:
    words = text.split()
    if len(words) < 3:
        return "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n"
    channel = switch.channels.get(words[0])
    if channel is None:
        return "-ERR Cannot locate session!\n"
    if not channel.media_up:
        return "-ERR Cannot displace session!\n"
    return "+OK Success\n"


def _sched_hangup(switch: SimulatedSwitch, text: str) -> str:
    words = separate(text, " ", 4)
    if len(words) < 2:
        return "-USAGE: [+]<time> <uuid> [<cause>]\n"
    channel = switch.channels.get(words[1])
    if channel is None:
        return _NO_CHANNEL
    when = words[0]
    number = int(when.lstrip("+")) if when.lstrip("+").isdigit() else 0
    delay_s = number if when.startswith("+") else max(0, number - switch.now_us() // 1_000_000)
    cause = cause_named(words[2]) if len(words) > 2 else "ALLOTTED_TIMEOUT"
    channel.post(channel.hangup, cause, delay_s=float(delay_s))
    return "+OK\n"


COMMANDS: dict[str, Callable[[SimulatedSwitch, str], str]] = {
    "sched_hangup": _sched_hangup,
    "uuid_answer": _answer,
    "uuid_break": _break,
    "uuid_bridge": _bridge,
    "uuid_broadcast": _broadcast,
    "uuid_deflect": _deflect,
    "uuid_displace": _displace,
    "uuid_dump": _dump,
    "uuid_dual_transfer": _dual_transfer,
    "uuid_exists": _exists,
    "uuid_getvar": _getvar,
    "uuid_hold": _hold,
    "uuid_kill": _kill,
    "uuid_park": _park,
    "uuid_phone_event": _phone_event,
    "uuid_pre_answer": _pre_answer,
    "uuid_send_dtmf": _send_dtmf,
    "uuid_setvar": _setvar,
    "uuid_setvar_multi": _setvar_multi,
    "uuid_transfer": _transfer,
}
