"""``eavesdrop``: a channel listens in on another until that one ends (mod_dptools.c; switch_ivr_async.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cti.sim.application import Running
    from cti.sim.channel import Channel
    from cti.sim.event_bus import Origin

_ADDED: Origin = ("switch_core_media_bug.c", "switch_core_media_bug_add", "1014")
_REMOVED: Origin = ("switch_core_media_bug.c", "switch_core_media_bug_close", "1346")


def eavesdrop(
    finish: Callable[[Channel, Running], None],
) -> Callable[[Channel, Running], bool]:
    """The application; ``finish`` ends it when there is nothing to hear any more."""

    def start(channel: Channel, running: Running) -> bool:
        target = channel.switch.channels.get(running.data)
        if target is None or not target.answered:
            return False
        added = {"Media-Bug-Function": "eavesdrop", "Media-Bug-Target": channel.uuid}
        target.fire("MEDIA_BUG_START", _ADDED, after=added)

        def over() -> None:
            target.at_end.pop(channel.uuid, None)
            if target.up:
                target.fire("MEDIA_BUG_STOP", _REMOVED, after=added)

        running.ending = over
        target.at_end[channel.uuid] = lambda: finish(channel, running)
        return True

    return start
