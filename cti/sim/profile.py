"""A caller profile: the block of headers that begins ``Caller-`` (or ``Other-Leg-``) in every channel event."""

from __future__ import annotations

from cti.sim.event import json_string

# The order of switch_caller_profile_event_set_data (switch_caller.c).
_KEYS = (
    "Direction",
    "Logical-Direction",
    "Username",
    "Dialplan",
    "Caller-ID-Name",
    "Caller-ID-Number",
    "Orig-Caller-ID-Name",
    "Orig-Caller-ID-Number",
    "Callee-ID-Name",
    "Callee-ID-Number",
    "Network-Addr",
    "ANI",
    "Destination-Number",
    "Unique-ID",
    "Source",
    "Transfer-Source",
    "Context",
    "Channel-Name",
    "Profile-Index",
    "Profile-Created-Time",
    "Channel-Created-Time",
    "Channel-Answered-Time",
    "Channel-Progress-Time",
    "Channel-Progress-Media-Time",
    "Channel-Hangup-Time",
    "Channel-Transfer-Time",
    "Channel-Resurrect-Time",
    "Channel-Bridged-Time",
    "Channel-Last-Hold",
    "Channel-Hold-Accum",
)
_TIMES = _KEYS[_KEYS.index("Profile-Index") :]
_PRIVACY = {"Screen-Bit": "true", "Privacy-Hide-Name": "false", "Privacy-Hide-Number": "false"}
_BLANK = dict.fromkeys(_KEYS, "") | dict.fromkeys(_TIMES, "0")


def _member(name: str, value: str) -> str:
    """The header as JSON has it, behind a comma; nothing when there is no value."""
    return f',"Caller-{name}":{json_string(value)}' if value else ""


_BLANK_MEMBERS = {name: _member(name, value) for name, value in (_BLANK | _PRIVACY).items()}
_BLANK_TIMES = {name: _BLANK_MEMBERS[name] for name in _TIMES}


class CallerProfile:
    """The fields by their names without prefix; an empty one is left out of the headers."""

    __slots__ = ("_caller", "_members", "fields")

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = _BLANK.copy()
        self._members = _BLANK_MEMBERS.copy()
        self._caller = ""
        self.update(fields)

    def with_fields(self, fields: dict[str, str]) -> CallerProfile:
        """Another profile like this one, but for some fields."""
        other = CallerProfile.__new__(CallerProfile)
        other.fields, other._members = self.fields.copy(), self._members.copy()  # noqa: SLF001 - it is one of us
        other.update(fields)
        return other

    def update(self, changes: dict[str, str]) -> None:
        """Sets fields."""
        self._caller = ""
        self.fields.update(changes)
        members = self._members
        for name, value in changes.items():
            members[name] = f',"Caller-{name}":{json_string(value)}' if value else ""

    def stamp(self, name: str, at_us: int) -> None:
        """Sets one of the times."""
        self._caller = ""
        self.fields[name] = str(at_us)
        self._members[name] = f',"Caller-{name}":"{at_us}"'

    def caller_headers(self) -> str:
        """The headers as ``Caller-...``, as JSON, each behind a comma."""
        if not self._caller:
            self._caller = "".join(self._members.values())
        return self._caller

    def other_leg_headers(self, role: str, changed: dict[str, str]) -> str:
        """The headers as ``Other-Leg-...``, as they are now, as JSON, each behind a comma.

        Args:
            role: ``originator``, whose times are left blank, or ``originatee``.
            changed: fields that are to be told otherwise.
        """
        members = self._members | (_BLANK_TIMES if role == "originator" else {})
        members["Profile-Index"] = members["Transfer-Source"] = ""
        members.update({name: _member(name, value) for name, value in changed.items()})
        # No value can hold the text replaced: a quote in a value is escaped.
        return f',"Other-Type":"{role}"' + "".join(members.values()).replace(',"Caller-', ',"Other-Leg-')
