"""``httplib-kit lesson``: bytes, a prediction, a play, and a question, in five to ten minutes."""

import sys
import textwrap
from collections.abc import Iterator

import click
from rich.console import Console

from conformance.atlas import Question, link, section_name
from conformance.cases import Corpus, load_corpus
from conformance.cli.options import ParamType
from conformance.cli.show import script_lines
from conformance.course import Lesson, load_lessons, played
from conformance.report import transcript_lines, visible_text

_WIDTH = 100
"""The longest line of a text."""


def filled(text: str, indent: int = 0) -> str:
    """Return *text* as lines that fit a terminal after *indent* columns; paragraphs stay apart."""
    width = min(_WIDTH, Console().width) if sys.stdout.isatty() else _WIDTH
    parts = (" ".join(part.split()) for part in text.strip().split("\n\n"))
    wrapped = (textwrap.wrap(one, width - indent) for one in parts)
    return "\n\n".join(f"\n{' ' * indent}".join(lines) for lines in wrapped)


class NumberType(ParamType[int]):
    """The number of one of *count* items.

    Args:
        name: what is numbered.
        count: how many there are.
    """

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self._count = count

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number that *value* gives."""
        text = str(value)
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= self._count):
            self.fail(
                f"{text!r} is not the number of a {self.name}, 1 to {self._count}", param, ctx
            )
        return int(text)


@click.command()
@click.argument(
    "number", type=NumberType("lesson", len(load_lessons())), metavar="[N]", required=False
)
def lesson(number: int | None) -> None:
    """Show lesson N: bytes to predict, a play, and a question.

    Without N it lists the lessons. On a terminal it asks you; elsewhere it prints the lesson with
    the answers. `httplib-kit serve` has the lessons as pages, at /_/lessons.
    """
    lessons = load_lessons()
    if number is None:
        for at, one in enumerate(lessons, 1):
            click.echo(f"{at:>2}  {one.title}")
        return
    one, corpus = lessons[number - 1], load_corpus()
    click.echo(f"Lesson {number}: {one.title}\n\n{filled(one.text)}\n")
    console = Console(highlight=False, markup=False, emoji=False)
    for line in script_lines(one.shown(corpus)):
        console.print(line, soft_wrap=True) if console.is_terminal else click.echo(line.plain)
    click.echo()
    _ask(one.prediction(corpus))
    click.echo("\n".join(_play(one, corpus)))
    click.echo(f"\n{filled(one.after)}\n")
    _ask(one.question(corpus))
    for section in one.read:
        click.echo(f"read   {section_name(section)}  {link(section)}")
    click.echo(f"case   httplib-kit show {one.case}")
    if number < len(lessons):
        click.echo(f"next   httplib-kit lesson {number + 1}")


def _ask(question: Question) -> None:
    """Ask the question on a terminal; elsewhere print it with its answer."""
    click.echo(filled(question.text))
    for at, option in enumerate(question.options, 1):
        click.echo(f"  {at}  {option}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(f"answer {question.answer}\n")
        return
    chosen = click.prompt("your answer", type=NumberType("choice", len(question.options)))
    right = question.options[chosen - 1] == question.answer
    click.echo(f"{'Right' if right else 'Not so'}: {question.answer}.\n")


def _play(one: Lesson, corpus: Corpus) -> Iterator[str]:
    """Yield what the reference does with the bytes, and the wire."""
    result = played(one.shown(corpus))
    yield "The reference plays it:"
    for line in result.trace:
        if not (line.startswith("module.") and " -> an object of " in line):
            yield f"  {filled(visible_text(line), 4)}"
    yield from (f"  | {line}" for line in transcript_lines(result))
