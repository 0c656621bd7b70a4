"""A caller profile: the block of headers that begins ``Caller-`` (or ``Other-Leg-``) in every channel event."""

from __future__ import annotations

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
_TIMES = tuple(key for key in _KEYS if key.endswith("-Time") or key in ("Channel-Last-Hold", "Channel-Hold-Accum"))
_PRIVACY = ("Screen-Bit", "true"), ("Privacy-Hide-Name", "false"), ("Privacy-Hide-Number", "false")


class CallerProfile:
    """The fields by their names without prefix; an empty one is left out of the headers."""

    __slots__ = ("_caller", "fields")

    def __init__(self, **fields: str) -> None:
        self.fields = dict.fromkeys(_KEYS, "")
        self.fields.update(dict.fromkeys(_TIMES, "0"))
        self._caller: dict[str, str] | None = None
        self.update({key.replace("_", "-"): value for key, value in fields.items()})

    def update(self, changes: dict[str, str]) -> None:
        """Sets fields."""
        self.fields.update(changes)
        cached = self._caller
        if cached is not None:
            for key, value in changes.items():
                name = "Caller-" + key
                if not value or name not in cached:
                    self._caller = None  # a header comes or goes: its place in the order matters
                    return
                cached[name] = value

    def caller_headers(self) -> dict[str, str]:
        """The headers as ``Caller-...``; kept until a field changes, so not to be altered."""
        if self._caller is None:
            self._caller = self._headers("Caller-", self.fields)
        return self._caller

    def other_leg_headers(self, role: str, *, with_times: bool) -> dict[str, str]:
        """The headers as ``Other-Leg-...``, as they are now; an originator's come without its times."""
        fields = dict(self.fields)
        fields["Profile-Index"] = ""
        if not with_times:
            fields.update(dict.fromkeys(_TIMES, "0"))
        return {"Other-Type": role, **self._headers("Other-Leg-", fields)}

    @staticmethod
    def _headers(prefix: str, fields: dict[str, str]) -> dict[str, str]:
        found = {prefix + key: value for key, value in fields.items() if value}
        for key, value in _PRIVACY:
            found[prefix + key] = value
        return found
