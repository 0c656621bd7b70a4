"""Calls that phones make or get past the centre: whose they are, from the channels' events. Pure, but for what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from attrs import evolve

from cti.esl import Event
from cti.model.device_facts import OwnCallAnswered, OwnCallBegan, OwnCallEnded
from cti.model.ids import ConnectionId, DeviceId, SwitchId
from cti.switch import tags
from cti.switch.snapshot import text_of

User = tuple[str, str]
"""A user's name and domain."""


class OwnCalls:
    """Knows the calls of all users of one switch that are not the centre's; tells of those whose phones are watched.

    A channel that comes in is a user's if the user has proved who they are (``sip_authorized``, with ``user_name`` and
    ``domain_name`` of the directory: what a caller writes into From is nobody's word); one that goes out is if it was
    dialled as ``user/...`` (``dialed_user``, ``dialed_domain``: mod_dptools.c, user_outgoing_channel).

    Args:
        switch: the switch's id, for the facts.
        node: our centre's name; channels that carry it are no phone's own.
        watched: the phones that are watched, of a user.
    """

    def __init__(self, switch: SwitchId, node: str, watched: Callable[[User], Iterable[DeviceId]]) -> None:
        self._switch = switch
        self._node = node
        self._watched = watched
        self._calls: dict[ConnectionId, tuple[User, OwnCallBegan]] = {}
        self._ended: set[ConnectionId] | None = None

    def snapshotting(self) -> None:
        """A snapshot is being taken: what ends from now on is not alive, whatever the snapshot says."""
        self._calls.clear()
        self._ended = set()

    def lost(self) -> None:
        """The link is down."""
        self._calls.clear()
        self._ended = None

    def facts(self, event: Event) -> list[OwnCallBegan | OwnCallAnswered | OwnCallEnded]:
        """What the event says of a call of a phone that is watched; nothing for any other."""
        if event.name == "CHANNEL_CREATE":
            return self._created(event)
        if event.name not in ("CHANNEL_ANSWER", "CHANNEL_HANGUP"):
            return []
        connection = ConnectionId(event.text("Unique-ID") or "")
        if event.name == "CHANNEL_HANGUP" and self._ended is not None:
            self._ended.add(connection)
        if connection not in self._calls:
            return []
        user, began = self._calls[connection]
        devices = sorted(self._watched(user))
        if event.name == "CHANNEL_HANGUP":
            del self._calls[connection]
            return [OwnCallEnded(self._switch, device, connection) for device in devices]
        self._calls[connection] = (user, evolve(began, established=True))
        return [OwnCallAnswered(self._switch, device, connection) for device in devices]

    def of(self, device: DeviceId, user: User) -> list[OwnCallBegan]:
        """The calls that a phone has now, for one who begins to watch it."""
        return [evolve(began, device=device) for whose, began in self._calls.values() if whose == user]

    def seen(self, dumps: Iterable[Mapping[str, Any]]) -> tuple[OwnCallBegan, ...]:
        """All calls of phones that are watched, from the dumps of all channels that are alive."""
        ended, self._ended = self._ended or set(), None
        for dump in dumps:
            self._remember(partial(text_of, dump), ended)
        return tuple(
            evolve(began, device=device)
            for user, began in self._calls.values()
            for device in sorted(self._watched(user))
        )

    def _created(self, event: Event) -> list[OwnCallBegan | OwnCallAnswered | OwnCallEnded]:
        found = self._remember(lambda name: event.text(name) or "", set())
        if found is None:
            return []
        user, began = found
        return [evolve(began, device=device) for device in sorted(self._watched(user))]

    def _remember(self, text: Callable[[str], str], ended: set[ConnectionId]) -> tuple[User, OwnCallBegan] | None:
        incoming = text("Call-Direction") == "outbound"  # seen from the switch
        if incoming:
            user = (text("variable_dialed_user"), text("variable_dialed_domain"))
        elif text("variable_sip_authorized") == "true":
            user = (text("variable_user_name"), text("variable_domain_name"))
        else:
            return None
        connection = ConnectionId(text("Unique-ID"))
        if not user[0] or connection in ended or tags.untag(text("variable_" + tags.NODE)) == self._node:
            return None
        number = text("Caller-Caller-ID-Number") if incoming else text("Caller-Destination-Number")
        answered = text("Answer-State") == "answered"
        began = OwnCallBegan(self._switch, DeviceId(user[0]), connection, incoming, number, answered)
        self._calls[connection] = (user, began)
        return user, began
