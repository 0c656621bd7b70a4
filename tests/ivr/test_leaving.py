"""Voice menus that lead to a mailbox, to a callback, or to a fax: where callers go, what is counted, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from click.testing import CliRunner

from cti import CallbackPrompts, CallbackSettings, Destination, Messages, events
from cti.cli.ivr import ivr
from cti.errors import ConfigurationError
from cti.ivr import CallbackNode, Ivr, VoicemailNode, dot, outline, problems, read_ivr
from cti.model import callback_events
from cti.model.mailbox import Mailbox
from cti.script.callback_number import WHY_NOT
from cti.sim.fax_application import FaxMachine, fax_machine
from cti.sim.ivr_application import press
from cti.testing import FakeCall, HangUp
from tests.center.bench import QUICK, Bench, bench

TONE = "tone_stream://%(20,0,440)"
MENU = """
start = "main"
[prompts]
main = "main.wav"
sorry = "sorry.wav"
thanks = "thanks.wav"
[nodes.main]
menu = "main"
options = { "1" = "message", "2" = "back", "3" = "pages", "4" = "message-and-out", "5" = "back-here" }
otherwise = "end"
tries = 1
[nodes.message]
voicemail = "claims"
next = "thanks"
otherwise = "sorry"
[nodes.message-and-out]
voicemail = "claims"
[nodes.back]
callback = "claims"
priority = 3
answers = { pending = "sorry", declined = "@main" }
otherwise = "claims"
[nodes.back-here]
callback = "claims"
confirm = false
otherwise = "claims"
[nodes.pages]
fax = "claims"
next = "thanks"
otherwise = "sorry"
[nodes.claims]
queue = "claims"
[nodes.thanks]
hang_up = "thanks"
[nodes.sorry]
hang_up = "sorry"
[nodes.end]
hang_up = true
"""


@pytest.fixture
def menu() -> Ivr:
    return Ivr(read_ivr(MENU), queues=["claims"], calling_back=["claims"], mailboxes=["claims"])


@pytest.mark.parametrize(
    ("turns", "more", "ends", "through"),
    [
        (["1"], {}, ("hung up", "thanks.wav"), ("message", "next")),
        (["1", "#"], {}, ("hung up", "sorry.wav"), ("message", "otherwise")),
        (["4"], {}, ("hung up", "beep"), ("message-and-out", "next")),
        (["2", "1"], {}, ("called back", ""), ("back", "taken")),
        (["2", "3", ""], {}, ("hung up", "main.wav"), ("back", "declined")),
        (["2", "1"], {"no_callback": "pending"}, ("hung up", "sorry.wav"), ("back", "pending")),
        (["2", "1"], {"no_callback": "closed"}, ("queued", ""), ("back", "otherwise")),
        (["2"], {}, ("queued", ""), ("back", "otherwise")),
        (["5"], {}, ("called back", "main.wav"), ("back-here", "taken")),
        (["5"], {"calling_number": "anonymous"}, ("queued", "main.wav"), ("back-here", "otherwise")),
        (["3"], {"fax_pages": 2}, ("hung up", "thanks.wav"), ("pages", "next")),
        (["3"], {}, ("hung up", "sorry.wav"), ("pages", "otherwise")),
    ],
)
def test_ways_out_of_the_tree(menu, turns, more, ends, through):
    (ended, last_heard), (node, way) = ends, through
    call = FakeCall(turns, mailboxes=[Mailbox("claims", max_s=30, beep="beep")], **more)
    assert call.run(menu) == ended
    assert call.heard[-1] == last_heard or not last_heard
    figures = menu.figures[node]
    assert (figures.entered, figures.left, figures.exits) == (1, 0, {way: 1})
    assert call.messages == ([("claims", 30.0)] if ended == "hung up" and way == "next" and node != "pages" else [])
    assert call.faxes == ([("claims", 2)] if more.get("fax_pages") else [])
    assert call.called_back == ([("claims", "0301234567")] if way == "taken" else [])


def test_whoever_hangs_up_after_the_tone_has_left_there_and_left_a_message(menu):
    call = FakeCall(["1"], hang_up_s=20, mailboxes=[Mailbox("claims")])
    assert call.run(menu) == "caller gone"
    assert [mailbox for mailbox, _ in call.messages] == ["claims"]
    assert (menu.figures["message"].left, menu.figures["message"].exits) == (1, {})
    call = FakeCall(["2", HangUp()])
    assert call.run(menu) == "caller gone"
    assert menu.figures["back"].left == 1


def test_silence_when_a_callback_is_offered_is_counted_as_nothing(menu):
    FakeCall(["2"]).run(menu)
    assert (menu.figures["back"].nothing, menu.figures["back"].exits) == (1, {"otherwise": 1})


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ('[nodes.a]\nvoicemail = "claim"', "nodes.a: unknown mailbox 'claim'; did you mean 'claims'?"),
        ('[nodes.a]\nfax = "x"', "nodes.a: unknown mailbox 'x'; known: claims"),
        (
            '[nodes.a]\ncallback = "sale"\notherwise = "z"\n[nodes.z]\nhang_up = true',
            "nodes.a: unknown queue 'sale'; did you mean 'sales'?",
        ),
        (
            '[nodes.a]\ncallback = "sales"\notherwise = "z"\n[nodes.z]\nhang_up = true',
            "nodes.a: queue 'sales' calls nobody back; give it a callback",
        ),
        (
            '[nodes.a]\ncallback = "claims"\nanswers = { denied = "z" }\notherwise = "z"\n[nodes.z]\nhang_up = true',
            "nodes.a: answers: unknown word 'denied'; did you mean",
        ),
        ('[nodes.a]\nvoicemail = "claims"\notherwise = "b"', "nodes.a: otherwise: unknown node 'b'"),
        ('[nodes.a]\nvoicemail = "claims"\notherwise = "a"', "loop without input: a -> a"),
        ('[nodes.a]\nvoicemail = "claims"\nnext = "a"', "loop without input: a -> a"),
        ('[nodes.a]\nfax = "claims"\notherwise = "@repeat"', "loop without input: a -> a"),
        ('[nodes.a]\ncallback = "claims"\notherwise = "a"', "loop without input: a -> a"),
        (
            '[nodes.a]\ncallback = "claims"\nanswers = { refused = "a" }\notherwise = "z"\n[nodes.z]\nhang_up = true',
            "loop without input: a -> a",
        ),
        (
            '[nodes.a]\ncallback = "claims"\nconfirm = false\nanswers = {busy = "a"}\notherwise = "z"\n[nodes.z]\nhang_up = true',
            "loop without input: a -> a",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(nodes, said):
    tree = read_ivr(f'start = "a"\n{nodes}')
    found = problems(tree, queues=["claims", "sales"], calling_back=["claims"], mailboxes=["claims"])
    assert len(found) == 1
    assert said in found[0]


def test_a_declined_callback_may_lead_back_and_every_why_has_a_way():
    nodes = "".join(f'{why} = "z", ' for why in WHY_NOT if why != "declined")
    tree = read_ivr(
        f'start = "a"\n[nodes.a]\ncallback = "claims"\nanswers = {{ {nodes}declined = "a" }}\notherwise = "z"\n'
        "[nodes.z]\nhang_up = true"
    )
    assert problems(tree) == []


def test_a_file_that_forgets_where_callers_go():
    with pytest.raises(ConfigurationError, match=r"nodes\.a: 'otherwise' is missing"):
        read_ivr('start = "a"\n[nodes.a]\ncallback = "claims"')
    with pytest.raises(ConfigurationError, match="queue and voicemail at once"):
        read_ivr('start = "a"\n[nodes.a]\nvoicemail = "claims"\nqueue = "claims"')


def test_they_are_drawn_with_what_was_counted(menu):
    FakeCall(["2", "1"]).run(menu)
    FakeCall(["4"]).run(menu)
    drawn = dot(menu.tree, menu.figures)
    assert r'"back" [label="back\ncall back by claims\n1 came, 0 hung up, 1 taken", shape=house];' in drawn
    assert (
        r'"message-and-out" [label="message-and-out\nvoicemail claims\n1 came, 0 hung up, 1 next", shape=folder]'
        in drawn
    )
    assert '"back" -> "sorry" [label="pending (0)"];' in drawn
    assert "fax into claims" in drawn
    (said,) = [one for one in outline(menu.tree).branches if one.name == "message"]
    assert [(one.way, one.name) for one in said.branches] == [("next", "thanks"), ("otherwise", "sorry")]


def test_made_in_python():
    assert VoicemailNode(voicemail="a").exits == {}
    assert VoicemailNode(voicemail="a", next="b").exits == {"next": "b", "otherwise": "b"}
    assert VoicemailNode(voicemail="a", otherwise="b").exits == {"otherwise": "b"}
    assert CallbackNode(callback="a", answers={"closed": "c"}, otherwise="b").silent_exits == {"otherwise": "b"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keys", "1,say I had an accident"), ["message of 120 s in mailbox claims", "hung up after"]),
        (("--keys", "1,#"), ["  sorry.wav", "through main, message, sorry"]),
        (("--keys", "2,1", "--from", "040777"), ["callback to 040777 by claims", "called back after"]),
        (("--keys", "2,1", "--no-callback", "pending"), ["through main, back, sorry"]),
        (("--keys", "3", "--fax", "2"), ["fax of 2 pages in mailbox claims", "through main, pages, thanks"]),
        (("--keys", "3"), ["through main, pages, sorry"]),
    ],
)
def test_they_are_walked_through_at_the_terminal(tmp_path, arguments, said):
    path = tmp_path / "menu.toml"
    path.write_text(MENU)
    result = CliRunner().invoke(ivr, ["try", str(path), *arguments])
    assert result.exit_code == 0, result.exception
    for line in said:
        assert line in result.output


def test_a_why_that_there_is_not(tmp_path):
    path = tmp_path / "menu.toml"
    path.write_text(MENU)
    result = CliRunner().invoke(ivr, ["try", str(path), "--no-callback", "never"])
    assert isinstance(result.exception, ConfigurationError)
    assert "no_callback is 'never'; it must be one of declined" in str(result.exception)


# -- on the simulated switch ------------------------------------------------------------------------------------------


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Bench]:
    """A centre with the menu in service."""
    allowed = [Destination("0*", "sofia/agents/{number}@127.0.0.1:5990")]
    tones = MENU.replace("main.wav", TONE).replace("sorry.wav", TONE).replace("thanks.wav", TONE)
    with bench(messages=Messages(str(tmp_path / "messages")), allowed_destinations=allowed) as made:
        made.switch.writes_files = True
        made.switch.phones.add("sofia/agents/0301234567@127.0.0.1:5990", QUICK)
        prompts = CallbackPrompts(number=TONE, choose=TONE, goodbye=TONE)
        made.centre.add_queue("claims", callback=CallbackSettings(prompts=prompts))
        made.centre.add_mailbox("claims", beep=TONE, min_s=0.1, silence_s=0)
        made.menu = Ivr(read_ivr(tones), queues=["claims"], calling_back=["claims"], mailboxes=["claims"])  # type: ignore[attr-defined]
        made.centre.on_call("5000")(made.menu)  # type: ignore[attr-defined]
        made.centre.start()
        yield made


def test_a_message_is_left_by_a_key_of_the_menu(line):
    caller = line.switch.incoming(calling_number="0301234567", called_number="5000")
    press(caller.channel, "1")
    stack = line.until("the caller is on the line", lambda: caller.channel.stack)
    line.until("the tone was heard", lambda: stack and stack[-1].application == "record")
    line.until("something was said", lambda: line.menu.figures["message"].entered)
    gevent.sleep(0.3)
    press(caller.channel, "#")
    line.until("the caller was hung up on", lambda: caller.ended)
    (record,) = line.centre.messages("claims")
    assert (record.mailbox, record.calling_number) == ("claims", "0301234567")
    assert line.menu.figures["message"].exits == {"next": 1}
    line.all_is_over()


def test_a_caller_is_called_back_whom_the_menu_asked(line):
    caller = line.switch.incoming(calling_number="0301234567", called_number="5000")
    press(caller.channel, "21")
    made = line.wait_for(callback_events.CallbackMade)
    line.until("the caller has left", lambda: caller.ended)
    (pending,) = line.centre.callbacks("claims")
    assert (pending.id, pending.number) == (made.interaction, "0301234567")
    line.agent("ann")
    assert line.wait_for(events.Established).agent == "ann"
    assert line.menu.figures["back"].exits == {"taken": 1}
    line.centre.agent("ann").hang_up()
    line.all_is_over()


def test_a_fax_is_received_by_a_key_of_the_menu(line):
    caller = line.switch.incoming(calling_number="138", called_number="5000")
    fax_machine(caller.channel, FaxMachine(pages=2, page_s=0.05, tone_s=0.05))
    press(caller.channel, "3")
    line.until("the fax is there", lambda: line.centre.messages("claims"), timeout_s=20)
    (record,) = line.centre.messages("claims")
    assert (record.kind, record.pages) == ("fax", 2)
    line.until("the way is counted", lambda: line.menu.figures["pages"].exits == {"next": 1}, timeout_s=20)
