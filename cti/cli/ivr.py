"""`cti ivr`: check a voice menu, draw it, and walk through it without a phone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import which

import click
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from cti.errors import ConfigurationError
from cti.ivr import HoursNode, Ivr, IvrTree, LookupNode, Visit, dot, outline, problems, read_ivr
from cti.ivr.drawing import Branch
from cti.script.recognizer import Recognizer
from cti.testing import FakeCall, HangUp, Speaks, Turn

_ANY = Recognizer("any", "any")


@click.group()
def ivr() -> None:
    """Voice menus as data: check, draw, try."""


@ivr.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Say everything that is wrong with a voice menu."""
    tree = _sound(file)
    print(f"{file.name}: {len(tree.nodes)} nodes, {len(tree.prompts)} prompts in {', '.join(tree.languages)}: sound")


@ivr.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="A picture (.svg, .png, .pdf) or Graphviz's language (.dot); the terminal if not given.",
)
def draw(file: Path, output: Path | None) -> None:
    """Draw a voice menu.

    Pictures are made by Graphviz (`dot`); without it, an SVG is the outline that the terminal shows.
    """
    tree = _sound(file)
    if output is None:
        Console().print(_drawn(outline(tree)))
        return
    form = output.suffix.lower().removeprefix(".")
    program = which("dot")
    if form == "dot":
        output.write_text(dot(tree), encoding="utf-8")
    elif form in ("svg", "png", "pdf") and program is not None:
        made = subprocess.run(  # noqa: S603 - dot, found on the PATH, with no argument of anybody else's
            [program, f"-T{form}", "-o", str(output)], input=dot(tree), text=True, check=False, capture_output=True
        )
        if made.returncode:
            raise ConfigurationError(f"dot could not draw {output.name}: {made.stderr.strip()}")
    elif form == "svg":
        with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
            console = Console(record=True, file=nowhere, width=120)
            console.print(_drawn(outline(tree)))
            output.write_text(console.export_svg(title=file.name), encoding="utf-8")
    elif form in ("png", "pdf"):
        raise ConfigurationError(f"a {form} needs Graphviz: install it (apt install graphviz), or write an .svg")
    else:
        raise ConfigurationError(f"{output.name}: the ending must be .svg, .png, .pdf or .dot")
    print(f"wrote {output}")


@ivr.command(name="try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--keys", default=None, help="What is pressed at each question: 1,4711#,,2 (nothing at the third).")
@click.option("--closed", multiple=True, metavar="CALENDAR", help="A calendar that is closed; the others are open.")
@click.option("--answer", "answers", multiple=True, metavar="LOOKUP=WORD", help="What a look-up answers.")
@click.option("--from", "calling_number", default="0301234567", metavar="NUMBER", help="Who calls.")
@click.option("--no-callback", metavar="WHY", default="", help="Why no callback is taken: pending, busy or closed.")
@click.option(
    "--fax", "fax_pages", metavar="PAGES", type=click.IntRange(0, 999), default=0, help="A fax machine calls."
)
@click.option("--data", multiple=True, metavar="NAME=VALUE", help="Data that the call brings.")
def try_(  # noqa: PLR0917 - the options
    file: Path,
    keys: str | None,
    closed: tuple[str, ...],
    answers: tuple[str, ...],
    calling_number: str,
    no_callback: str,
    fax_pages: int,
    data: tuple[str, ...],
) -> None:
    """Walk through a voice menu without a phone.

    At each question type keys (or "say words", where the menu has words); an empty line is silence, "bye" hangs up.
    At the tone of a mailbox "say words" leaves a message; "#" or "bye" end it before anything is said.
    """
    tree = _sound(file)
    given, attached = _pairs("--answer", answers), _pairs("--data", data)
    caller = _Caller(keys)
    call = caller.call = FakeCall(
        caller.turns(),
        calling_number=calling_number,
        data=attached,
        no_callback=no_callback,
        fax_pages=fax_pages,
    )
    nodes = tree.nodes.values()
    service = Ivr(
        tree,
        lookups={
            node.lookup: partial(_answer, given.get(node.lookup)) for node in nodes if isinstance(node, LookupNode)
        },
        calendars={node.hours: _Hours(node.hours not in closed) for node in nodes if isinstance(node, HoursNode)},
        recognizer=_ANY,
        voice=("any", "any"),
    )
    ended = call.run(service)
    caller.tell()
    if call.data:
        print("data: " + ", ".join(f"{name}={value}" for name, value in call.data.items()))
    for mailbox, length_s in call.messages:
        print(f"message of {length_s:.0f} s in mailbox {mailbox}")
    for mailbox, pages in call.faxes:
        print(f"fax of {pages} page{'s' if pages > 1 else ''} in mailbox {mailbox}")
    for queue, number in call.called_back:
        print(f"callback to {number} by {queue}")
    way = [name for name, figures in service.figures.items() if figures.entered]
    where = f" {call.queued[-1][0]}" if call.queued else f" to {call.diverted}" if call.diverted else ""
    print(f"{ended}{where} after {call.elapsed_s:.0f} s, through {', '.join(way)}")


class _Hours:
    def __init__(self, is_open: bool) -> None:
        self._is_open = is_open

    def is_open(self, at: float, /) -> bool:  # noqa: ARG002 - as the command line says, whatever the time
        return self._is_open


def _answer(word: str | None, _: Visit) -> str | None:
    return word


class _Caller:
    """Who sits at the terminal; or, with ``keys``, who does as they say."""

    def __init__(self, keys: str | None) -> None:
        self._keys = keys
        self._told = 0
        self.call: FakeCall | None = None

    def turns(self) -> Iterator[Turn]:
        if self._keys is not None:
            for turn in self._keys.split(","):
                self.tell()
                print(f"? {turn}")
                yield _turn(turn)
            return
        while True:
            self.tell()
            try:
                yield _turn(input("? "))
            except EOFError:
                print()
                yield HangUp()
                return

    def tell(self) -> None:
        """Say what was heard since."""
        heard = self.call.heard if self.call is not None else []
        for one in heard[self._told :]:
            print(f"  {one}")
        self._told = len(heard)


def _turn(typed: str) -> Turn:
    typed = typed.strip()
    if typed == "bye":
        return HangUp()
    if typed.startswith("say "):
        return Speaks(typed.removeprefix("say "))
    return typed.replace(" ", "")


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise ConfigurationError(f"{option} {one!r}: write NAME=VALUE")
        pairs[name] = value
    return pairs


def _sound(file: Path) -> IvrTree:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file.name} is not UTF-8: {error}") from error
    tree = read_ivr(text)
    wrong = problems(tree)
    if wrong:
        for line in wrong:
            print(f"{file.name}: {line}", file=sys.stderr)
        sys.exit(2)
    return tree


def _drawn(branch: Branch) -> Tree:
    drawn = Tree(_label(branch))
    _grow(drawn, branch)
    return drawn


def _grow(drawn: Tree, branch: Branch) -> None:
    for one in branch.branches:
        _grow(drawn.add(_label(one)), one)


def _label(branch: Branch) -> str:
    way = f"[bold]{escape(branch.way)}[/bold]  " if branch.way else ""
    what = f"  [dim]{escape(branch.what)}[/dim]" if branch.what else ""
    return f"{way}[cyan]{escape(branch.name)}[/cyan]{what}{'  (above)' if branch.seen else ''}"
