"""Lending: which queue borrows the agents of which now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti.model.borrowing import Borrowing
from cti.model.ids import QueueId
from cti.model.queue import Queue


class Lending:
    """Who borrows from whom now, by the recent service levels, with a pair of thresholds on either side.

    Args:
        queue: a queue as it is defined now, None if there is none of the name.
    """

    def __init__(self, queue: Callable[[QueueId], Queue | None]) -> None:
        self._queue = queue
        self.lenders: dict[QueueId, tuple[QueueId, ...]] = {}
        """A queue that borrows now, and those who lend to it now, in the order in which it names them."""
        self.borrowers: dict[QueueId, tuple[QueueId, ...]] = {}
        """A queue that lends now, and those who borrow from it now."""
        self._terms: dict[QueueId, Borrowing] = {}
        self._named_by: dict[QueueId, set[QueueId]] = {}
        self._low: set[QueueId] = set()
        """The queues that are below their level; they borrow if somebody lends."""
        self._well: set[tuple[QueueId, QueueId]] = set()
        """Borrower and lender, where the lender is well enough off to lend, whether or not the borrower needs it."""

    def defined(self, queue: Queue) -> None:
        """A queue is new, or its settings changed; what it borrowed and lent goes on where the new ones allow it."""
        before, terms = self._terms.pop(queue.id, None), queue.settings.borrows
        named = terms.lenders if terms is not None else ()
        for lender in before.lenders if before is not None else ():
            if lender not in named:
                self._named_by[lender].discard(queue.id)
                self._well.discard((queue.id, lender))
        if terms is None:
            self._low.discard(queue.id)
        else:
            self._terms[queue.id] = terms
            for lender in named:
                self._named_by.setdefault(lender, set()).add(queue.id)
                self._judge_lender(queue.id, lender)
        self.figures_changed(queue)
        self._settle(queue.id)

    def state(self) -> Mapping[str, Any]:
        """Which thresholds were passed and which not yet, as plain values."""
        return {"low": sorted(self._low), "well": sorted(self._well)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; before any queue is defined."""
        self._low = set(state["low"])
        self._well = {(borrower, lender) for borrower, lender in state["well"]}

    def figures_changed(self, queue: Queue) -> list[tuple[QueueId, QueueId]]:
        """The recent service level of a queue is another; the pairs (borrower, lender) that begin now."""
        begun = []
        if self._judge_borrower(queue):
            begun += self._settle(queue.id)
        for borrower in sorted(self._named_by.get(queue.id, ())):
            if self._judge_lender(borrower, queue.id):
                begun += self._settle(borrower)
        return begun

    def _judge_borrower(self, queue: Queue) -> bool:
        """Whether it needs help now and did not before, or the other way round."""
        terms, share = self._terms.get(queue.id), queue.recent.share
        if terms is None or share is None:
            return False
        if share < terms.below:
            changed = queue.id not in self._low
            self._low.add(queue.id)
            return changed
        changed = share >= terms.until and queue.id in self._low
        if changed:
            self._low.discard(queue.id)
        return changed

    def _judge_lender(self, borrower: QueueId, lender: QueueId) -> bool:
        """Whether the lender can help now and could not before, or the other way round."""
        terms, queue, pair = self._terms[borrower], self._queue(lender), (borrower, lender)
        if queue is None:
            return False
        share = queue.recent.share
        if share is None or share >= terms.lender_above:
            changed = pair not in self._well
            self._well.add(pair)
            return changed
        changed = share < terms.lender_until and pair in self._well
        if changed:
            self._well.discard(pair)
        return changed

    def _settle(self, borrower: QueueId) -> list[tuple[QueueId, QueueId]]:
        """Who lends to this queue now; the pairs that are new."""
        terms = self._terms.get(borrower)
        now = (
            tuple(lender for lender in terms.lenders if (borrower, lender) in self._well)
            if terms is not None and borrower in self._low
            else ()
        )
        before = self.lenders.pop(borrower, ())
        if now:
            self.lenders[borrower] = now
        if now != before:
            self.borrowers = {}
            for name in sorted(self.lenders):
                for lender in self.lenders[name]:
                    self.borrowers[lender] = (*self.borrowers.get(lender, ()), name)
        return [(borrower, lender) for lender in now if lender not in before]
