"""What an agent who has answered hears before the caller is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

import gevent
import structlog

from cti.errors import CallGone, ConfigurationError, CtiError, JobTimeout, LinkError
from cti.model import intents
from cti.model.ids import ConnectionId, QueueId
from cti.model.treatment import WaitingTreatment
from cti.switch import FreeSwitch
from cti.waiting.wording import minutes, worded

LOOK_S: Final = 0.005
_MISSING: Final = ("FILE NOT FOUND", "INVALID")

_log = structlog.get_logger("cti.waiting")


class Heard(Protocol):
    """Told once: ``connect`` says whether the two are to be connected, which a cancelled one and one whose agent is gone are not."""

    def __call__(self, *, connect: bool) -> None:
        """Must not block."""


class Whisper:
    """Plays to an agent's leg, for ``whisper_s`` at the most; whatever goes wrong with it, they are connected then.

    Args:
        switch: where the leg is.
        leg: the agent's.
        treatment: says what, in which language, and how long at the most.
        queue: the call's.
        waited_s: how long the caller has waited.
        parked: whether the switch has parked the leg yet; None when it is gone.
        heard: told when it is over.
        missing: told of a prompt that could not be played, and why.
    """

    def __init__(  # noqa: PLR0917 - what it is made of
        self,
        switch: FreeSwitch,
        leg: ConnectionId,
        treatment: WaitingTreatment,
        queue: QueueId,
        waited_s: float,
        parked: Callable[[], bool | None],
        heard: Heard,
        missing: Callable[[str, str], object],
    ) -> None:
        self._switch = switch
        self._leg = leg
        self._treatment = treatment
        self._values = {"queue": queue, "waited_min": minutes(waited_s)}
        self._parked = parked
        self._heard = heard
        self._missing = missing
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin. Never blocks."""
        self._greenlet = gevent.spawn(self._run)

    def cancel(self) -> None:
        """The two are not to be connected any more. Never blocks."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._heard(connect=False)

    def _run(self) -> None:
        connect = True
        try:
            self._play(time.monotonic() + self._treatment.whisper_s)
        except JobTimeout:
            # What it has not begun yet it would play once it is bridged, see Waiting.
            self._switch.execute(intents.StopTreatment(self._switch.id, self._leg))
        except (CallGone, LinkError):
            connect = False  # the agent's end, or the snapshot, says what becomes of it
        except ConfigurationError as error:
            self._missing(str(self._treatment.whisper), str(error))
        except CtiError as error:
            _log.warning("an agent was not told what to", queue=self._values["queue"], reason=str(error))
        except Exception:  # noqa: BLE001 - a defect; the caller must not wait for it
            _log.exception("an agent was not told what to", queue=self._values["queue"])
        self._heard(connect=connect)

    def _play(self, until: float) -> None:
        # While originate still has the leg it ends at once whatever the leg is told to execute [live]; that takes 2 to
        # 20 ms, and only the model hears of its end.
        while not (parked := self._parked()) and time.monotonic() < until:
            if parked is None:
                raise CallGone(self._leg)
            gevent.sleep(LOOK_S)
        for sound in worded(self._treatment.whisper, self._treatment.language, self._values):
            left_s = max(0.01, until - time.monotonic())
            ended = self._switch.run(self._leg, sound.application, sound.argument, timeout=left_s)
            response = ended.text("Application-Response") or ""
            if response.startswith(_MISSING):
                self._missing(sound.name, response)
