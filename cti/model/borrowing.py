"""Borrowing: agents of queues that do well help a queue that is below its service level."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from cti.errors import ConfigurationError
from cti.model.ids import QueueId
from cti.model.validate import share


def _lenders(value: Iterable[str]) -> tuple[QueueId, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigurationError(f"borrows: lenders is {value!r}; it must be a list of queues")
    return tuple(QueueId(queue) for queue in value)


@frozen
class Borrowing:
    """From whom a queue borrows agents, and when. A service level is the recent one, see ServiceLevel.

    The two thresholds of each side keep borrowing from starting and ending with every call.

    Args:
        lenders: the queues whose agents help, whether or not they meet this queue's requirement.
        below: the queue begins to borrow when its service level falls below this share, from 0 to 1.
        until: it gives the agents back when its service level has risen to this.
        lender_above: a lender begins to lend at this service level of its own; one without calls does too.
        lender_until: a lender stops lending when its own falls below this.

    Raises:
        ConfigurationError: ``until`` is below ``below``, or ``lender_until`` above ``lender_above``, or nobody lends.
    """

    lenders: tuple[QueueId, ...] = field(converter=_lenders)
    below: float = field(default=0.75, validator=share)
    until: float = field(default=0.85, validator=share)
    lender_above: float = field(default=0.9, validator=share)
    lender_until: float = field(default=0.8, validator=share)

    def __attrs_post_init__(self) -> None:
        if not self.lenders:
            raise ConfigurationError("borrows: lenders is empty; name the queues that lend")
        if self.until < self.below:
            raise ConfigurationError(f"borrows: until {self.until} is below {self.below}, where borrowing begins")
        if self.lender_until > self.lender_above:
            raise ConfigurationError(
                f"borrows: lender_until {self.lender_until} is above {self.lender_above}, where lending begins"
            )
