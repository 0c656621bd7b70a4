"""A request for a route (CSTA: Route Request): what is known of a call when somebody asks where it should go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import Factory, field, frozen

from cti.model.ids import AgentId, QueueId
from cti.plan.region import NOWHERE, Region, Regions
from cti.plan.wall_clock import At

CLASS_KEY = "class"
"""The attached data's key that holds the customer's class."""


@frozen
class QueueLoad:
    """How a queue stands at the moment.

    Args:
        waiting: how many calls wait in it.
        logged_on: how many agents are logged on who may be offered its calls.
        expected_wait_s: how long a call that comes now would wait; None for unknown.
    """

    waiting: int
    logged_on: int
    expected_wait_s: float | None = None


def _of_no_agent(_agent: AgentId) -> str | None:
    return None


def _of_no_queue(_queue: QueueId) -> QueueLoad | None:
    return None


@frozen
class Request:
    """Who calls whom, and when, with what is attached to the call.

    Args:
        calling_number: as the switch tells it; whatever the caller sent.
        called_number: which number was dialled.
        at: now, as an aware datetime or Unix time in seconds.
        calling_name: as the switch tells it.
        data: attached data.
        customer_class: ``data["class"]`` if empty.
        presence: what an agent is doing, in a word of ``cti.model.personal.presence_of``; None for an agent who is not
            there.
        load: how a queue stands; None for a queue that is not there.
    """

    calling_number: str
    called_number: str
    at: At
    calling_name: str = ""
    data: Mapping[str, Any] = Factory(dict)
    _customer_class: str = field(default="", alias="customer_class")
    presence: Callable[[AgentId], str | None] = field(default=_of_no_agent, repr=False)
    load: Callable[[QueueId], QueueLoad | None] = field(default=_of_no_queue, repr=False)

    @property
    def customer_class(self) -> str:
        """The customer's class; empty for none. By the data as they are now, unless it was given."""
        found = self._customer_class or self.data.get(CLASS_KEY, "")
        return str(found) if isinstance(found, str | int) else ""


class Asked:
    """A request while rules are tried on it: looks up the caller's region once, and only when a rule asks."""

    def __init__(self, request: Request, regions: Regions | None) -> None:
        self.request = request
        self._regions = regions
        self._region: Region | None = None

    @property
    def region(self) -> Region:
        """Where the caller is from; unknown where nothing can look it up."""
        if self._region is None:
            self._region = self._regions.of(self.request.calling_number) if self._regions is not None else NOWHERE
        return self._region

    @property
    def calling_numbers(self) -> tuple[str, ...]:
        """The calling number as it came, and in the international form where it has one."""
        number, e164 = self.request.calling_number, self.region.e164
        return (number, e164) if e164 and e164 != number else (number,)
