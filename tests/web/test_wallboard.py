"""The wallboard's page in a browser: it logs in, follows the centre by events alone, and survives a restart of the server."""

from __future__ import annotations

import pytest

from cti import events
from cti.alarms import Grade
from cti.web import WebServer

from .browser import CHROMIUM, browser
from .site import PASSWORD, Site, site

NOTHING = "\N{EN DASH}"
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH (Debian: chromium)")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("wallboard")) as made:
        made.size(1600, 1000)
        yield made


@pytest.fixture
def board(tmp_path, page):
    with site(tmp_path, sessions=tmp_path / "sessions.sqlite3") as made:
        made.centre.add_queue("claims", requires="claims >= 3", service_level_target=0.8, wrap_up_s=60)
        made.centre.add_queue("loans", requires="loans")
        page.ask("Network.clearBrowserCookies")
        page.complaints.clear()
        page.open(made.server.url)
        yield made


def log_in(page, name: str, password: str = PASSWORD) -> None:
    page.until("the form", lambda: page.text("#door"))
    page.run("document.querySelector('#name').value = ''")
    page.fill("#name", name)
    page.fill("#password", password)
    page.click("#door button")


def row(page, queue: str) -> list[str]:
    """The cells of a queue."""
    for line in page.texts("#queues tr"):
        cells = [cell.strip() for cell in line.split("\t")]
        if cells[0] == queue:
            return cells
    return []


def tile(page, name: str) -> str:
    (value,) = [text.splitlines()[1] for text in page.texts("#tiles > div") if text.splitlines()[0] == name]
    return value


def agents(page, group: str) -> set[str]:
    """The names of those who are shown in a group."""
    return {text.splitlines()[0] for text in page.texts(f"#agents .{group} .agent")}


def shown(board: Site, page) -> None:
    log_in(page, "wall")
    page.until("the board", lambda: row(page, "claims") and page.text("#state") == "live")


def test_one_has_to_log_in(board: Site, page):
    log_in(page, "wall", "wrong")
    page.until("it is refused", lambda: page.text("#refused") == "name or password is wrong")
    assert page.text("#board") == "", "nothing is shown"
    page.until("the password is gone", lambda: page.run("document.querySelector('#password').value") == "")
    shown(board, page)
    assert page.text("#door") == ""
    assert [row(page, queue)[0] for queue in ("claims", "loans")] == ["claims", "loans"]
    assert agents(page, "ready") == {"alice", "bob"}
    assert page.text("#agents-count") == "2 of 2 logged on"
    page.click("#leave")
    page.until("the form again", lambda: page.text("#door"))
    assert page.text("#board") == ""
    page.open(board.server.url)
    page.until("logged out for good", lambda: page.text("#door"))
    assert page.complaints == []


def test_calls_and_agents_are_followed_by_events(board: Site, page):
    shown(board, page)
    assert page.complaints == []
    for name in ("alice", "bob"):
        board.centre.agent(name).not_ready("LUNCH")
    page.until("nobody is ready", lambda: agents(page, "idle") == {"alice", "bob"})
    assert "LUNCH" in page.text("#agents .idle")
    board.call()
    page.until("a call waits", lambda: row(page, "claims")[1] == "1")
    page.until("for how long", lambda: row(page, "claims")[2] not in {NOTHING, "0:00"})
    assert tile(page, "Waiting") == "1"
    assert row(page, "loans")[1:3] == ["0", NOTHING]
    board.centre.agent("alice").ready()
    cleared = board.bench.wait_for(events.CallCleared)
    assert cleared.interaction
    page.until("nobody waits", lambda: row(page, "claims")[1] == "0" and tile(page, "Waiting") == "0")
    page.until("she works after the call", lambda: agents(page, "working") == {"alice"})
    page.until("it is counted", lambda: row(page, "claims")[5] == "1")
    assert row(page, "claims")[3].startswith(("0 %", "100 %"))
    board.centre.agent("bob").log_off()
    page.until("he is gone", lambda: page.text("#agents-count") == "1 of 2 logged on")
    board.centre.alarms.sound("disk.full", "state", cause="the disk is full", grade=Grade.CRITICAL)
    page.until("an alarm", lambda: "the disk is full" in page.text("#alarms"))
    board.centre.alarms.clear("disk.full", "state")
    page.until("it is over", lambda: page.text("#alarms") == "")
    assert page.complaints == []


def test_it_survives_a_restart_of_the_server(board: Site, page, tmp_path):
    shown(board, page)
    page.until("everybody is ready", lambda: agents(page, "ready") == {"alice", "bob"})
    port = board.port
    board.server.stop()
    page.until("it is said", lambda: page.run("document.querySelector('#state').classList.contains('bad')"))
    assert row(page, "claims"), "what was known stays"
    board.centre.agent("bob").not_ready("COFFEE")
    board.centre.add_queue("pensions", requires="pensions")
    again = WebServer(
        board.centre, f"127.0.0.1:{port}", accounts=board.accounts, sessions=tmp_path / "sessions.sqlite3"
    )
    again.start()
    board.server = again
    page.until("it is back, without a log-in", lambda: agents(page, "idle") == {"bob"})
    assert page.text("#door") == ""
    page.until("the new queue too", lambda: row(page, "pensions"))
    page.until("live", lambda: "live" in page.text("#state"))
    board.centre.agent("alice").not_ready("TEA")
    page.until("events come again", lambda: agents(page, "idle") == {"alice", "bob"})
    assert page.complaints == []


def test_a_log_out_elsewhere_shows(board: Site, page):
    shown(board, page)
    board.server._door.sessions.end_all("wall")
    board.server._feed.wake()
    page.until("one has to log in", lambda: page.text("#door"))
    assert page.text("#board") == ""


def test_it_fits_a_wall_and_a_phone(board: Site, page):
    board.centre.add_queue("private health insurance, abroad", requires="health")
    shown(board, page)
    try:
        for width in (1920, 1280, 420):
            page.size(width, 1000)
            assert page.run("document.documentElement.scrollWidth") <= width
            assert "private health insurance" in " ".join(page.texts("#queues td"))
    finally:
        page.size(1600, 1000)
