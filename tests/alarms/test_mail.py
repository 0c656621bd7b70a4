"""Alarms by e-mail: gathered, not too often, kept when the server is away; through a real SMTP conversation."""

from __future__ import annotations

import time

import gevent
import gevent.server
import pytest

from cti import errors
from cti.alarms import Alarm, AlarmMail, Grade, MailSettings
from cti.alarms import mail as alarm_mail

WHERE = {"host": "127.0.0.1", "sender": "cti@example.org", "to": ["ops@example.org", "noc@example.org"]}


def alarm(subject="here", state="raised", grade=Grade.MAJOR, cause="the link is down", **more):
    return Alarm(
        at=1.0, name="link.down", subject=subject, state=state, grade=grade, cause=cause, suggestion="look", **more
    )


def until(true):
    deadline = time.monotonic() + 10
    while not (value := true()):
        assert time.monotonic() < deadline
        gevent.sleep(0.005)
    return value


class Post:
    """Takes messages, or refuses them."""

    def __init__(self, **settings):
        self.sent = []
        self.fails = 0
        self.mail = AlarmMail(MailSettings(**{**WHERE, "gather_s": 0.01, "every_s": 0.01, **settings}), self.send)

    def send(self, message):
        if self.fails:
            self.fails -= 1
            raise OSError("no route to host")
        self.sent.append(message)


def test_alarms_are_gathered_into_one_message():
    post = Post(every_s=60)
    post.mail.take(alarm())
    post.mail.take(alarm("there", grade=Grade.CRITICAL, cause="gone\nBcc: all@example.org"))
    post.mail.take(alarm("there", "cleared", lasted_s=61.2))
    post.mail.take(alarm("nobody", grade=Grade.MINOR))
    (message,) = until(lambda: post.sent)
    assert message["Subject"] == "[cti] alarms: 2 raised, worst critical"
    assert (message["To"], message["Bcc"]) == ("ops@example.org, noc@example.org", None)
    text = message.get_content()
    assert "MAJOR link.down here: the link is down\n    look" in text
    assert "CRITICAL link.down there: gone Bcc: all@example.org" in text
    assert "cleared after 61 s: link.down there" in text
    assert "nobody" not in text
    post.mail.take(alarm("later"))
    gevent.sleep(0.05)
    assert len(post.sent) == 1
    post.mail.stop()


def test_what_could_not_be_sent_is_sent_later_and_no_more_than_fits(monkeypatch):
    monkeypatch.setattr(alarm_mail, "MOST", 3)
    post = Post()
    post.fails = 2
    for number in range(5):
        post.mail.take(alarm(f"switch{number}"))
    (message,) = until(lambda: post.sent)
    text = message.get_content()
    assert "2 earlier ones are not shown" in text
    assert [f"switch{number}" in text for number in range(5)] == [False, False, True, True, True]
    post.mail.stop()


def test_a_real_server_is_spoken_to():
    said = []

    def serve(connection, _):
        connection.sendall(b"220 here\r\n")
        lines, in_data = connection.makefile("rb"), False
        for line in lines:
            said.append(line)
            word = line[:4].upper()
            if in_data:
                if line == b".\r\n":
                    in_data = False
                    connection.sendall(b"250 taken\r\n")
            elif word == b"DATA":
                in_data = True
                connection.sendall(b"354 go on\r\n")
            else:
                connection.sendall(b"250 fine\r\n")

    server = gevent.server.StreamServer(("127.0.0.1", 0), serve)
    server.start()
    mail = AlarmMail(MailSettings(**WHERE, port=server.server_port, security="none", gather_s=0.01))
    mail.take(alarm())
    until(lambda: b".\r\n" in said)
    assert any(line.startswith(b"rcpt TO:<noc@example.org>") for line in said)
    assert b"Subject: [cti] alarms: 1 raised, worst major\r\n" in said
    mail.stop()
    server.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": []},
        {"to": ["ops"]},
        {"sender": "a@b\nBcc: c@d"},
        {"security": "maybe"},
        {"at_least": "awful"},
        {"port": 0},
        {"host": ""},
    ],
)
def test_settings_that_cannot_be_used_are_refused(wrong):
    with pytest.raises(errors.ConfigurationError):
        MailSettings(**{**WHERE, **wrong})


def test_a_password_does_not_show():
    assert "hush" not in repr(MailSettings(**WHERE, password="hush"))
