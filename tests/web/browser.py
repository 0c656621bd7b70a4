"""A Chromium without a window, driven over a pipe by Chrome's DevTools protocol: no driver and no library is needed."""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import gevent.event
import gevent.os
from gevent import subprocess

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_S = 40
_ABOVE_THE_OWN = 10
"""The browser takes commands on descriptor 3 and answers on 4; ours must not be these."""


class Page:
    """One page, and what it complained of."""

    def __init__(self, process: Any, to: int, of: int) -> None:
        self.complaints: list[str] = []
        """Scripts that failed, and what the page was not allowed to do."""
        self._process, self._to, self._of = process, to, of
        self._numbers = itertools.count(1)
        self._answers: dict[int, gevent.event.AsyncResult[Any]] = {}
        self._session: str | None = None
        self._reader = gevent.spawn(self._read)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{part}.enable")
        self.ask("Emulation.setFocusEmulationEnabled", enabled=True)  # or nothing can be typed

    def ask(self, method: str, **params: Any) -> Any:
        """What the browser answers to a command."""
        number = next(self._numbers)
        answer = self._answers[number] = gevent.event.AsyncResult()
        message = {"id": number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        gevent.os.nb_write(self._to, json.dumps(message).encode() + b"\0")
        with gevent.Timeout(PATIENCE_S, AssertionError(f"the browser does not answer {method}")):
            said = answer.get()
        assert "error" not in said, (method, said)
        return said["result"]

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page, a promise's when it is kept."""
        said = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, (script, said["exceptionDetails"])
        return said["result"].get("value")

    def text(self, selector: str) -> str:
        """What can be read of an element; empty if it is not there, or hidden."""
        return next(iter(self.texts(selector)), "")

    def texts(self, selector: str) -> list[str]:
        """The same of each that can be seen."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})].filter((one) => one.checkVisibility())"
        return list(self.run(f"{found}.map((one) => one.innerText.trim())"))

    def fill(self, selector: str, text: str) -> None:
        """Type into a field, as a person does."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self.ask("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def until(self, what: str, true: Any) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (value := true()):
            assert time.monotonic() < deadline, f"never: {what}; the page reads: {self.text('body')[:2000]}"
            gevent.sleep(0.05)
        return value

    def screenshot(self, file: Path) -> None:
        """As PNG."""
        file.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def size(self, width: int, height: int, *, dark: bool = True) -> None:
        """How large the window is, and which colours its reader likes."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", features=features)

    def close(self) -> None:
        self._reader.kill()
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._of)

    def _read(self) -> None:
        rest = b""
        while read := gevent.os.nb_read(self._of, 1 << 16):
            *whole, rest = (rest + read).split(b"\0")
            for message in map(json.loads, whole):
                if "id" in message:
                    self._answers.pop(message["id"]).set(message)
                elif message["method"] == "Runtime.exceptionThrown":
                    self.complaints.append(json.dumps(message["params"]["exceptionDetails"]))
                elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["source"] != "network":
                    self.complaints.append(message["params"]["entry"]["text"])


@contextmanager
def browser(directory: Path) -> Iterator[Page]:
    """A browser that knows nothing of any other visit."""
    assert CHROMIUM is not None
    theirs, to = os.pipe()
    of, answers = os.pipe()
    theirs, answers = (_moved(each) for each in (theirs, answers))
    options = [f"--user-data-dir={directory / 'browser'}", "--headless=new", "--remote-debugging-pipe", "--disable-gpu"]
    options += ["--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking", "--lang=en"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # it refuses to run as root with one
    moves = f"import os, sys; os.dup2({theirs}, 3); os.dup2({answers}, 4); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", moves, CHROMIUM, *options, "about:blank"]
    with (directory / "browser.log").open("wb") as log:
        process = subprocess.Popen(command, pass_fds=(theirs, answers), stdout=log, stderr=log)
    os.close(theirs)
    os.close(answers)
    for each in (to, of):
        gevent.os.make_nonblocking(each)
    page = Page(process, to, of)
    try:
        yield page
    finally:
        page.close()


def _moved(descriptor: int) -> int:
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE_THE_OWN)
    os.close(descriptor)
    return moved
