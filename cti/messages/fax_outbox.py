"""The fax outbox: faxes are sent by FreeSWITCH's txfax, tried again, and survive a restart."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import gevent
import gevent.event
import structlog
from attrs import evolve
from gevent.lock import BoundedSemaphore

from cti.engine_loop import EngineLoop
from cti.errors import ConfigurationError, CtiError, LinkError, UnknownMessage
from cti.esl import Event, application, channel_variables
from cti.messages.fax_document import few_enough, make_fax, pages_of
from cti.messages.fax_job import FAILED, SENDING, SENT, WAITING, FaxJob
from cti.messages.fax_jobs import FaxJobs
from cti.messages.fax_pdf import draw_pdf, is_pdf
from cti.messages.messages import Messages
from cti.model import events
from cti.model.ids import SwitchId
from cti.model.mailbox import Mailbox
from cti.model.party import contact_of, is_number
from cti.script.faxing import LONGEST_S, FaxOutcome, outcome_of
from cti.switch import FreeSwitch

AT_ONCE: Final = 4
"""How many faxes are sent at the same time: each keeps a processor busy, and a line."""
DRAWN_AT_ONCE: Final = 2
"""How many PDFs are drawn at the same time; the others wait."""
RING_S: Final = 60
SAID_S: Final = 3.0
"""How long after a hang-up may the outcome come? mod_spandsp tells it as it lets go of the channel."""
LOOK_S: Final = 30.0
KEPT_DAYS: Final = 30.0
"""What has been sent, or given up, is forgotten after so many days."""
_GONE: Final = "the other side hung up"

_log = structlog.get_logger("cti.messages")


class FaxOutbox:
    """Sends faxes, each until it has gone over or its tries are used up.

    Args:
        loop: runs the engine, which knows what numbers may be called; tells of each that has ended.
        messages: where the files go.
        switches: every switch; the first that is connected sends.
        spawn: begins a greenlet.
        box: the mailbox of this name; None for one that is no more.
    """

    def __init__(
        self,
        loop: EngineLoop,
        messages: Messages,
        switches: Mapping[SwitchId, FreeSwitch],
        spawn: Callable[..., Any],
        box: Callable[[str], Mailbox | None],
    ) -> None:
        self._loop = loop
        self._messages = messages
        self._switches = switches
        self._spawn = spawn
        self._box = box
        self._jobs = FaxJobs(messages.index.path)
        self._more = gevent.event.Event()
        self._under_way = 0
        self._drawing = BoundedSemaphore(DRAWN_AT_ONCE)

    def send(
        self,
        number: str,
        file: str | os.PathLike[str],
        *,
        tries: int = 3,
        pause_s: float = 300.0,
        calling_number: str = "",
        station: str = "",
        mailbox: str = "",
    ) -> FaxJob:
        """Have a fax sent; see ``CallCenter.send_fax``. Blocks this greenlet, and no other, while the file is read."""
        if not isinstance(tries, int) or not 1 <= tries <= 100 or not 1 <= pause_s < 1e6:
            raise ConfigurationError(f"tries is {tries!r} and pause_s {pause_s!r}; give 1 to 100, and 1 second or more")
        if calling_number and not is_number(calling_number):
            raise ConfigurationError(
                f"calling_number is {calling_number!r}; it must be 1 to 64 of 0-9 + * # . _ - and letters"
            )
        if len(station) > 20 or not (station.isprintable() and station.isascii()):
            raise ConfigurationError(f"station is {station!r}; a fax machine's name has at most 20 plain characters")
        contact_of(number, self._loop.engine.world.destinations)
        now, made = time.time(), uuid.uuid4().hex
        day = time.strftime("%Y-%m-%d", time.gmtime(now))
        path = f"{self._messages.directory}/{day}/out-{made}.tif"
        job = FaxJob(made, number, path, calling_number, station, now, tries, pause_s, next_at=now, mailbox=mailbox)
        try:
            job = self._prepared(job, Path(file))
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be made a fax: {error}") from error
        self._more.set()
        return job

    def _prepared(self, job: FaxJob, source: Path) -> FaxJob:
        """The file as a fax, and the job on the disk."""
        do = self._messages.do
        if not do(is_pdf, source):
            return do(self._kept, job, make_fax, source)
        with self._drawing, TemporaryDirectory(prefix="cti-fax-") as folder:
            drawn = draw_pdf(source, Path(folder))
            return do(self._kept, job, partial(_taken, source), drawn)

    def _kept(self, job: FaxJob, make: Callable[[Path, Path], int], source: Path) -> FaxJob:
        """In a thread."""
        tiff = self._messages.reached(job.path)
        tiff.parent.mkdir(parents=True, exist_ok=True)
        job = evolve(job, total_pages=make(source, tiff))
        self._jobs.put(job)
        return job

    def get(self, job: str) -> FaxJob:
        """How a fax stands. Blocks this greenlet, and no other.

        Raises:
            UnknownMessage: there is none of this id.
        """
        found = self._messages.do(self._jobs.get, job)
        if found is None:
            raise UnknownMessage(job)
        return found

    def all(self) -> list[FaxJob]:
        """Every fax that is to be sent or has been, the newest first. Blocks this greenlet, and no other."""
        return self._messages.do(self._jobs.all)

    # -- sending --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Send what is due, for ever. Blocks this greenlet, and no other."""
        first = True
        while True:
            wait_s = LOOK_S
            try:
                if first:
                    self._messages.do(self._jobs.take_up)
                    first = False
                wait_s = self._round()
            except (OSError, sqlite3.Error):
                _log.exception("the faxes to be sent cannot be read")
            self._more.wait(wait_s)
            self._more.clear()

    def _round(self) -> float:
        """Begin what is due; seconds until something else is."""
        now = time.time()
        for old in self._messages.do(self._jobs.forget_before, now - KEPT_DAYS * 86_400):
            self._messages.do(self._messages.reached(old.path).unlink, missing_ok=True)
        for job in self._messages.do(self._jobs.waiting):
            if job.next_at > now:
                return min(LOOK_S, job.next_at - now)
            switch = next((each for each in self._switches.values() if each.connected), None)
            if switch is None or self._under_way >= AT_ONCE:
                return LOOK_S
            self._under_way += 1
            trying = evolve(job, state=SENDING, tries=job.tries + 1)
            self._messages.do(self._jobs.put, trying)
            self._spawn(self._try, trying, switch)
        return LOOK_S

    def _try(self, job: FaxJob, switch: FreeSwitch) -> None:
        try:
            outcome = self._sent(job, switch)
            self._over(job, outcome)
        except LinkError as error:  # the switch went down: nobody is to blame, and the try does not count
            _log.warning("a fax was cut off", fax=job.id, reason=str(error))
            again = evolve(job, state=WAITING, tries=job.tries - 1, next_at=time.time() + min(job.pause_s, LOOK_S))
            self._messages.do(self._jobs.put, again)
        except CtiError as error:
            self._over(job, FaxOutcome(False, 0, job.total_pages, -1, str(error), ""))
        finally:
            self._under_way -= 1
            self._more.set()

    def _sent(self, job: FaxJob, switch: FreeSwitch) -> FaxOutcome:
        """Call, and send. Blocks until it is over, one way or the other."""
        contact = contact_of(job.number, self._loop.engine.world.destinations)
        leg = str(uuid.uuid4())
        told: gevent.event.AsyncResult[Event | None] = gevent.event.AsyncResult()

        def ended(event: Event | None) -> None:
            if event is not None:
                told.set(event)
            else:  # a hang-up in the middle: what went over is told in a moment
                gevent.spawn_later(SAID_S, told.set, None)

        switch.fax_ended[leg] = ended
        variables = channel_variables(
            {
                "origination_uuid": leg,
                "origination_caller_id_number": job.calling_number,
                "fax_ident": job.station,
                "originate_timeout": str(RING_S),
                "ignore_early_media": "true",
            }
        )
        try:
            command = f"{variables}{contact} {application('txfax', job.path)}"
            answer = switch.bgapi("originate", command, timeout=RING_S + 30.0)
            if not answer.startswith("+OK"):
                why = answer.strip().removeprefix("-ERR").strip()
                return FaxOutcome(False, 0, job.total_pages, -1, why, "")
            said = told.get(timeout=LONGEST_S)
        except gevent.Timeout:
            return FaxOutcome(False, 0, job.total_pages, -1, f"it took longer than {LONGEST_S:.0f} s", "")
        finally:
            switch.fax_ended.pop(leg, None)
            if switch.connected:
                switch.begin_api("uuid_kill", leg)
        return outcome_of(said) if said is not None else FaxOutcome(False, 0, job.total_pages, -1, _GONE, "")

    def _over(self, job: FaxJob, outcome: FaxOutcome) -> None:
        """A try has come to its end."""
        now = time.time()
        done = outcome.success or job.tries >= job.most_tries
        job = evolve(
            job,
            state=SENT if outcome.success else FAILED if done else WAITING,
            next_at=now + job.pause_s,
            pages=outcome.pages,
            code=outcome.code,
            text=outcome.text,
            remote=outcome.station,
            ended_at=now if done else 0.0,
        )
        self._messages.do(self._jobs.put, job)
        _log.info("a fax", fax=job.id, number=job.number, state=job.state, tries=job.tries, why=job.text)
        if done:
            box = self._box(job.mailbox)
            self._loop.tell(
                events.FaxSent(
                    at=self._loop.now(),
                    fax=job.id,
                    number=job.number,
                    success=outcome.success,
                    pages=job.pages,
                    total_pages=job.total_pages,
                    code=job.code,
                    text=job.text,
                    tries=job.tries,
                    mailbox=job.mailbox,
                    queue=box.queue if box is not None else None,
                    agent=box.agent if box is not None else None,
                )
            )


def _taken(pdf: Path, drawn: Path, tiff: Path) -> int:
    """Keep the pages of a PDF, which can be sent as they are; how many there are."""
    pages = pages_of(drawn)
    few_enough(pdf, pages)
    shutil.move(drawn, tiff)
    return pages
