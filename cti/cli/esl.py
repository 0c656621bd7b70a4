"""`cti esl`: record the event socket of any FreeSWITCH, and play a recording back as a switch."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Self

import click
import gevent
import gevent.event

from cti.centre_settings import address
from cti.cli.masking import Mask
from cti.cli.playback import Playback
from cti.cli.recording import DEFAULT_MAX_BYTES, Recorder, Row, create, load
from cti.errors import CommandRejected, CtiError
from cti.esl import Api, Frame, Subscribe
from cti.switch import Backlog, Link

_GREETING = b"Content-Type: auth/request\n\n"


@click.group()
def esl() -> None:
    """Record an event socket, and serve a recording."""


@esl.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--switch", required=True, metavar="HOST:PORT", help="The FreeSWITCH to record.")
@click.option("--password", default="ClueCon", envvar="CTI_PASSWORD", help="The event socket's password.")
@click.option("--events", default="ALL", show_default=True, help="Event names, divided by commas or spaces.")
@click.option("--subclasses", default="", help="CUSTOM subclasses, divided by commas or spaces.")
@click.option("--mask", is_flag=True, help="Replace people's numbers and names; secrets are always replaced.")
@click.option("--max-bytes", type=click.IntRange(min=1000), default=DEFAULT_MAX_BYTES, show_default=True)
@click.option("--seconds", type=click.FloatRange(min=0), default=0, help="End after so long; 0 goes on until Ctrl-C.")
def record(  # noqa: PLR0917 - click calls it by name
    file: Path, switch: str, password: str, events: str, subclasses: str, mask: bool, max_bytes: int, seconds: float
) -> None:
    """Write what a FreeSWITCH sends to FILE, as JSON lines."""
    session = Session(*address(switch), password, Mask(people=mask))
    subscription = Subscribe(events.replace(",", " ").split(), subclasses.replace(",", " ").split())
    encoded = subscription.encode()
    with session, create(file) as out:
        about = {"freeswitch": session.version, "scenario": file.stem, "what": "Recorded by cti esl record."}
        recorder = Recorder(out, about, max_bytes)
        session.begin(recorder, encoded)
        why = session.follow(recorder, seconds)
    shown = f"{file}: {recorder.rows} frames, {recorder.bytes} bytes"
    if recorder.full:
        click.echo(f"{shown}; ended at the limit of {max_bytes} bytes (--max-bytes)")
    else:
        click.echo(shown)
    if why is not None:
        raise why


class Session:
    """A connection that is being recorded. Entering it connects (blocks), leaving it disconnects."""

    def __init__(self, host: str, port: int, password: str, mask: Mask) -> None:
        self._backlog = Backlog(self._take)
        self._over = gevent.event.Event()
        self._link = Link(host, port, password, on_event=self._backlog.put, on_closed=lambda _: self._over.set())
        self._mask = mask
        self._recorder: Recorder | None = None
        self._failed: CtiError | None = None
        self._started = 0.0
        self.version = ""

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        self._link.connect()
        self.version = self._link.request(Api("version").encode()).text.strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()
        self._backlog.stop()

    def begin(self, recorder: Recorder, subscribe: bytes) -> None:
        """Write how the session began, and subscribe.

        Raises:
            CommandRejected: the switch refuses the subscription.
        """
        self._recorder = recorder
        version = self.version + "\n"
        accepted = b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
        answered = f"Content-Type: api/response\nContent-Length: {len(version)}\n\n{version}".encode()
        recorder.add(Row("<", 0.0, _GREETING))
        recorder.add(Row(">", 0.0, b"auth ***\n\n"))
        recorder.add(Row("<", self._now(), accepted))
        recorder.add(Row(">", self._now(), b"api version\n\n"))
        recorder.add(Row("<", self._now(), answered))
        recorder.add(Row(">", self._now(), subscribe))
        reply = self._link.request(subscribe)
        recorder.add(Row("<", self._now(), self._mask.frame(reply)))
        if not reply.ok:
            raise CommandRejected("event", reply.reply_text)

    def follow(self, recorder: Recorder, seconds: float) -> CtiError | None:
        """Show the progress until the time, the room or the connection is over, or Ctrl-C; why it ended too soon."""
        on_terminal = sys.stderr.isatty()
        begun = time.monotonic()
        shown = begun
        with contextlib.suppress(KeyboardInterrupt):
            while not self._over.is_set() and (not seconds or time.monotonic() - begun < seconds):
                left = begun + seconds - time.monotonic() if seconds else 1.0
                self._over.wait(max(0.0, min(left, 1.0)))
                if on_terminal or time.monotonic() - shown > 10:
                    shown = time.monotonic()
                    line = f"{recorder.rows} frames, {recorder.bytes / 1e6:.1f} MB, {shown - begun:.0f} s"
                    click.echo(f"\r{line} " if on_terminal else line, nl=not on_terminal, err=True)
        if on_terminal:
            click.echo(err=True)
        if self._failed is not None:
            return self._failed
        return None if recorder.full or self._link.connected else self._link.closed_by

    def _take(self, frame: Frame) -> None:
        recorder = self._recorder
        if recorder is None or self._failed is not None:
            return
        try:
            if not recorder.add(Row("<", self._now(), self._mask.frame(frame))):
                self._over.set()
        except CtiError as error:
            self._failed = error
            self._over.set()

    def _now(self) -> float:
        return time.monotonic() - self._started


@esl.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--port", type=click.IntRange(0, 65535), default=8021, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--fast", is_flag=True, help="Play the events as fast as they are read.")
@click.option("--seconds", type=click.FloatRange(min=0), default=0, help="End after so long; 0 goes on until Ctrl-C.")
def serve(file: Path, port: int, host: str, fast: bool, seconds: float) -> None:
    """Play the recording FILE back as a switch: to every client, from its beginning, once it has subscribed."""
    playback = Playback(*load(file), fast=fast)
    taken = playback.start(host, port)
    click.echo(f"{len(playback)} events on {host}:{taken}; any password is right. Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        gevent.event.Event().wait(seconds or None)
    playback.stop()
