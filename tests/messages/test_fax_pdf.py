"""PDFs sent as faxes: drawn by Ghostscript where it is there, and by a stand-in of it for what can go wrong."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import gevent
import pytest

from cti import events
from cti.errors import ConfigurationError
from cti.messages import Messages
from cti.messages.fax_document import make_fax, make_pdf, pages_of
from cti.messages.fax_job import SENT
from cti.messages.fax_pdf import draw_pdf, is_pdf
from cti.model.party import Destination
from cti.sim.fax_application import FaxMachine, blank_pages
from tests.center.bench import QUICK, bench

image = pytest.importorskip("PIL.Image")
needs_ghostscript = pytest.mark.skipif(shutil.which("gs") is None, reason="Ghostscript (gs) is not installed")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "drawn"
    made.mkdir()
    return made


@pytest.fixture
def pdf(tmp_path):
    """Two pages of A4: one with a bar at the left, one with a bar at the right."""
    pages = []
    for at in (200, 1200):
        page = image.new("L", (1654, 2339), 255)
        page.paste(0, (at, 500, at + 200, 900))
        pages.append(page)
    path = tmp_path / "policy (1) %d.pdf"
    pages[0].save(path, save_all=True, append_images=pages[1:], resolution=200)
    return path


@pytest.fixture
def ghostscript(tmp_path, monkeypatch):
    """Puts a program of this text in Ghostscript's place."""

    def put(text):
        program = tmp_path / "bin" / "gs"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return put


@pytest.fixture
def line(tmp_path):
    allowed = (Destination("9*", "user/{number}"),)
    with bench(messages=Messages(str(tmp_path / "kept")), allowed_destinations=allowed) as made:
        made.switch.writes_files = True
        made.sent = []
        made.centre.subscribe(made.sent.append, events.FaxSent)
        phone = made.switch.phones.add("user/900", QUICK)
        made.switch.fax_machines[phone.contact] = FaxMachine(page_s=0.02)
        made.centre.start()
        yield made


@needs_ghostscript
def test_pages_are_drawn_as_wide_and_as_fine_as_a_fax_and_where_they_were(pdf, folder):
    drawn = draw_pdf(pdf, folder)
    assert pages_of(drawn) == 2
    with image.open(drawn) as opened:
        for number, at in enumerate((200, 1200)):
            opened.seek(number)
            assert (opened.width, opened.mode, opened.info["compression"]) == (1728, "1", "group4")
            assert 2200 < opened.height < 2400
            assert tuple(round(float(each)) for each in opened.info["dpi"]) == (204, 196)
            page = opened.convert("L")
            middle, across = round(page.height * 700 / 2339), 1728 / 1654
            assert page.getpixel((round((at + 100) * across), middle)) < 128
            assert page.getpixel((round((at - 60) * across), middle)) > 128
            assert page.getpixel((round((at + 260) * across), middle)) > 128


@needs_ghostscript
def test_a_pdf_is_sent_and_others_run_meanwhile(line, pdf):
    ticks = []
    ticker = gevent.spawn(lambda: [(ticks.append(time.monotonic()), gevent.sleep(0.01)) for _ in range(1000)])
    job = line.centre.send_fax("900", pdf)
    ticker.kill()
    assert job.total_pages == 2
    assert len(ticks) > 3, "nobody else ran while it was drawn"
    told = line.until("it is told", lambda: line.sent)[0]
    assert (told.success, told.pages, told.total_pages) == (True, 2, 2)
    assert line.centre.fax(job.id).state == SENT


@needs_ghostscript
def test_a_pdf_that_we_made_of_a_fax_is_sent_again_as_it_was(tmp_path, folder):
    blank_pages(tmp_path / "fax.tif", 3)
    make_pdf(tmp_path / "fax.tif", tmp_path / "fax.pdf")
    assert pages_of(draw_pdf(tmp_path / "fax.pdf", folder)) == 3


@needs_ghostscript
@pytest.mark.parametrize("inside", [b"%PDF-1.4\nnonsense", b"%PDF-1.4\n%%EOF", b"\n\n%PDF-1.7\n" + bytes(5000)])
def test_what_only_says_that_it_is_a_pdf_is_refused(tmp_path, folder, inside):
    (tmp_path / "bad.pdf").write_bytes(inside)
    assert is_pdf(tmp_path / "bad.pdf")
    with pytest.raises(ConfigurationError, match=r"bad\.pdf cannot be drawn by Ghostscript: \S"):
        draw_pdf(tmp_path / "bad.pdf", folder)


@needs_ghostscript
def test_a_pdf_reads_no_other_file(tmp_path, folder):
    """PostScript in the place of a PDF, which asks for a file of its own."""
    (tmp_path / "secret").write_text("s3cret")
    program = f"%!PS\n%%PDF-1.4\n({tmp_path}/secret) (r) file 100 string readstring pop print flush showpage\n"
    (tmp_path / "bad.pdf").write_text(program)
    assert is_pdf(tmp_path / "bad.pdf")
    with pytest.raises(ConfigurationError) as refused:
        draw_pdf(tmp_path / "bad.pdf", folder)
    assert "s3cret" not in str(refused.value)
    assert "s3cret" not in (folder / "said.txt").read_text()


def test_without_ghostscript_the_error_says_what_to_install(line, pdf, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"is a PDF, and Ghostscript is not there.*apt install ghostscript"):
        line.centre.send_fax("900", pdf)
    assert line.centre.faxes() == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo; echo This file requires a password; exit 1", "This file requires a password"),
        ("exit 3", "it ended with 3"),
        ("exit 0", "it ended with 0"),
        (": > pages.tif", "it ended with 0"),
        ("echo half > pages.tif; kill -9 $$", "it ended with -9"),
    ],
)
def test_a_pdf_that_cannot_be_drawn_is_refused_with_ghostscripts_words(line, pdf, ghostscript, text, said):
    ghostscript(text)
    with pytest.raises(ConfigurationError, match=said):
        line.centre.send_fax("900", pdf)
    assert line.centre.faxes() == []


def test_one_that_takes_too_long_is_killed_with_all_it_has_begun(pdf, folder, ghostscript, monkeypatch):
    monkeypatch.setattr("cti.messages.fax_pdf.DEADLINE_S", 0.5)
    ghostscript("sleep 300 & echo $! > child; wait")
    with pytest.raises(ConfigurationError, match="takes longer than"):
        draw_pdf(pdf, folder)
    child = Path(f"/proc/{(folder / 'child').read_text().strip()}/stat")
    deadline = time.monotonic() + 10
    while child.exists() and child.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "what it had begun still runs"
        gevent.sleep(0.01)


def test_a_greenlet_that_is_killed_leaves_no_ghostscript_behind(pdf, folder, ghostscript):
    ghostscript("echo $$ > me; exec sleep 300")
    drawing = gevent.spawn(draw_pdf, pdf, folder)
    with gevent.Timeout(20):
        while not (folder / "me").exists() or not (folder / "me").read_text().strip():
            gevent.sleep(0.01)
    me = Path(f"/proc/{(folder / 'me').read_text().strip()}/stat")
    assert me.exists()
    drawing.kill()
    assert not me.exists()


def test_it_runs_within_bounds_and_knows_nothing_of_the_daemon(pdf, folder, ghostscript, monkeypatch):
    monkeypatch.setenv("SWITCH_PASSWORD", "s3cret")
    ghostscript("ulimit -a > bounds; env > variables; nice > niceness; echo x > pages.tif; pwd > where")
    draw_pdf(pdf, folder)
    bounds = (folder / "bounds").read_text()
    assert str((1 << 30) // 1024) in bounds
    assert " 60\n" in bounds
    assert "s3cret" not in (folder / "variables").read_text()
    assert int((folder / "niceness").read_text()) == min(os.nice(0) + 5, 19)
    assert (folder / "where").read_text().strip() == str(folder.resolve())


def test_a_pdf_of_more_pages_than_a_fax_may_have_is_refused(line, pdf, tmp_path, ghostscript):
    blank_pages(tmp_path / "many.tif", 101)
    ghostscript(f"cp '{tmp_path}/many.tif' pages.tif")
    with pytest.raises(ConfigurationError, match="has more than 100 pages"):
        line.centre.send_fax("900", pdf)
    blank_pages(tmp_path / "many.tif", 100)
    assert line.centre.send_fax("900", pdf).total_pages == 100


def test_pictures_that_are_not_sound_are_refused_by_name(tmp_path):
    good = tmp_path / "good.png"
    image.new("L", (400, 400), 255).save(good)
    (tmp_path / "torn.png").write_bytes(good.read_bytes()[:60])
    (tmp_path / "odd.png").write_bytes(good.read_bytes()[:20] + b"\xff" * 40)
    for name in ("torn.png", "odd.png"):
        with pytest.raises((ConfigurationError, OSError), match=r"png|truncated|identify|broken"):
            make_fax(tmp_path / name, tmp_path / "out.tif")
    blank_pages(tmp_path / "many.tif", 101)
    with pytest.raises(ConfigurationError, match=r"many\.tif has more than 100 pages"):
        make_fax(tmp_path / "many.tif", tmp_path / "out.tif")


def test_a_picture_of_too_many_pixels_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(image, "MAX_IMAGE_PIXELS", 1000)
    image.new("L", (400, 400), 255).save(tmp_path / "huge.png")
    with pytest.raises(ConfigurationError, match=r"huge\.png has too many pixels"):
        make_fax(tmp_path / "huge.png", tmp_path / "out.tif")
