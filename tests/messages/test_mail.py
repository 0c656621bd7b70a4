"""Messages by e-mail: to a real server over a socket, again and again until it takes them."""

from __future__ import annotations

import email
import email.policy
import time

import gevent
import gevent.server
import pytest

from cti import errors
from cti.mail_server import MailServer
from cti.messages import FAX, MessageRecord, Messages, message_mail
from cti.messages.message_mail import MessageMail
from cti.model.mailbox import Mailbox
from tests.center.bench import bench

from .test_voicemail import box, leave

SERVER = MailServer("127.0.0.1", "cti@example.org", security="none")


class Post:
    """A mail server on loopback; it refuses the first messages."""

    def __init__(self, refuses: int = 0) -> None:
        self.refuses = refuses
        self.taken = []
        self._server = gevent.server.StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.server = MailServer("127.0.0.1", "cti@example.org", self._server.server_port, "none")

    def close(self) -> None:
        self._server.stop()

    def _serve(self, connection, _) -> None:
        connection.sendall(b"220 here\r\n")
        body, to, in_data = [], [], False
        for line in connection.makefile("rb"):
            if in_data and line == b".\r\n":
                self.taken.append((to, email.message_from_bytes(b"".join(body), policy=email.policy.default)))
                in_data = False
                connection.sendall(b"250 taken\r\n")
            elif in_data:
                body.append(line)
            elif line[:4].upper() == b"RCPT":
                if self.refuses:
                    self.refuses -= 1
                    connection.sendall(b"451 later\r\n")
                    continue
                to.append(line.partition(b"<")[2].partition(b">")[0].decode())
                connection.sendall(b"250 fine\r\n")
            elif line[:4].upper() == b"DATA":
                in_data = True
                connection.sendall(b"354 go on\r\n")
            else:
                connection.sendall(b"250 fine\r\n")


@pytest.fixture
def post():
    made = Post()
    yield made
    made.close()


def until(true, timeout_s=10):
    deadline = time.monotonic() + timeout_s
    while not (value := true()):
        assert time.monotonic() < deadline
        gevent.sleep(0.005)
    return value


def test_a_message_is_mailed_with_its_recording(tmp_path, post, monkeypatch):
    monkeypatch.setattr(message_mail, "AGAIN_S", (0.05,))
    post.refuses = 2
    with bench(messages=Messages(str(tmp_path / "kept"), mail=post.server)) as line:
        line.switch.writes_files = True
        line.centre.add_queue("claims")
        box(line, queue="claims", email=("ann@example.org", "bob@example.org"))
        line.centre.on_call("5000")(lambda call: call.voicemail("claims"))
        line.centre.start()
        leave(line)
        ((to, mailed),) = until(lambda: post.taken)
        assert to == ["ann@example.org", "bob@example.org"]
        assert mailed["Subject"] == "[claims] Voice message from Mei <138>"
        assert mailed["Auto-Submitted"] == "auto-generated"
        (attached,) = mailed.iter_attachments()
        (record,) = line.centre.messages("claims")
        assert attached.get_content_type() == "audio/wav"
        assert attached.get_content() == line.centre.message_file(record.id).read_bytes()
        assert "5000" in mailed.get_body().get_content()
        until(lambda: line.centre.message(record.id).mailed)
        gevent.sleep(0.1)
        assert len(post.taken) == 1


def kept(tmp_path, **more):
    messages = Messages(str(tmp_path / "kept"))
    record = MessageRecord(
        "m1", FAX, "claims", f"{tmp_path}/kept/m1.tif", "fs", "i1", "138", "Mei\r\nBcc: all@example.org", "5900", 1.0,
        state="new", pages=2, **more
    )  # fmt: skip
    messages.index.put(record)
    return messages, record


def test_a_name_that_a_caller_made_up_ends_no_header(tmp_path):
    messages, record = kept(tmp_path)
    mail = MessageMail(messages, SERVER, {}.get)
    made = mail.made(record, Mailbox("claims", email="ann@example.org"))
    assert "Bcc" not in made
    assert "\n" not in made["Subject"]
    assert "not attached" in made.get_content()


def test_a_fax_is_mailed_as_pdf_where_there_is_one_and_nothing_too_large(tmp_path, monkeypatch):
    messages, record = kept(tmp_path)
    tiff = messages.local(record)
    tiff.write_bytes(b"II*\0")
    made = MessageMail(messages, SERVER, {}.get).made(record, Mailbox("claims", email="ann@example.org"))
    assert [each.get_content_type() for each in made.iter_attachments()] == ["image/tiff"]
    tiff.with_suffix(".pdf").write_bytes(b"%PDF")
    made = MessageMail(messages, SERVER, {}.get).made(record, Mailbox("claims", email="ann@example.org"))
    assert [each.get_content_type() for each in made.iter_attachments()] == ["application/pdf"]
    monkeypatch.setattr(message_mail, "LARGEST", 3)
    made = MessageMail(messages, SERVER, {}.get).made(record, Mailbox("claims", email="ann@example.org"))
    assert "not attached" in made.get_content()


def test_what_nobody_takes_is_given_up_and_does_not_hold_up_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(message_mail, "AGAIN_S", (0.01,))
    monkeypatch.setattr(message_mail, "MOST_TRIES", 3)
    messages, _ = kept(tmp_path)
    messages.index.put(
        MessageRecord("m2", FAX, "good", f"{tmp_path}/kept/m2.tif", "fs", "", "1", "", "", 2.0, state="new")
    )
    sent, tried = [], []

    def send(message):
        if "claims" in message["Subject"]:
            tried.append(message)
            raise OSError("no such user")
        sent.append(message)

    boxes = {"claims": Mailbox("claims", email="a@example.org"), "good": Mailbox("good", email="b@example.org")}
    running = gevent.spawn(MessageMail(messages, SERVER, boxes.get, send).run)
    until(lambda: messages.index.get("m1").mailed)
    assert len(tried) == 3
    assert len(sent) == 1
    assert messages.index.not_mailed() == []
    running.kill()


def test_what_was_not_mailed_by_the_run_before_is_mailed_by_the_next(tmp_path, post):
    messages, _ = kept(tmp_path)
    with bench(messages=Messages(str(tmp_path / "kept"), mail=post.server)) as line:
        line.centre.add_mailbox("claims", email="ann@example.org")
        line.centre.start()
        until(lambda: post.taken)
        until(lambda: messages.index.get("m1").mailed)


def test_a_mail_server_that_cannot_be_used_is_refused():
    for wrong in ({"host": ""}, {"sender": "ops"}, {"port": 0}, {"security": "maybe"}):
        with pytest.raises(errors.ConfigurationError, match=next(iter(wrong))):
            MailServer(**{"host": "mail", "sender": "a@b", **wrong})
    assert "hush" not in repr(MailServer("mail", "a@b", password="hush"))
