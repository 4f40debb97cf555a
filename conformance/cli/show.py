"""``httplib-kit show``: one complete case: the bytes, the calls, what is accepted, and why."""

from collections.abc import Iterator
from dataclasses import fields
from typing import NamedTuple

import click
from rich.console import Console
from rich.text import Text

from conformance.cases import Case, Corpus, Outcome, WireExpectation, filled_by
from conformance.cli.options import complete_case, find_case, own_cases
from conformance.cli.recorded import recorded_lines
from conformance.judge import expectation_text, expectations, result_text
from conformance.report import annotated, octet_lines, visible_text
from conformance.reproduce import FORMS, Catalogue, Entry, NotReproducible, reproduce
from conformance.results.golden import load_book
from mockserver import Connection, Listener, Route, Step

_STYLES = {
    "status-line": "bold cyan",
    "field-line": "green",
    "trailer": "green",
    "chunk-size": "magenta",
    "last-chunk": "magenta",
    "body": "yellow",
    "chunk-data": "yellow",
}
_CONTROL = "dim red"
"""Shown in place of a byte that is not a visible character."""


@click.command()
@click.argument("case_id", metavar="CASE", shell_complete=complete_case)
@own_cases
@click.option(
    "--reproduce",
    "form",
    type=click.Choice([*FORMS, "all"]),
    is_flag=False,
    flag_value="all",
    help="Print how to reproduce it instead: a curl command, the raw bytes, Python, a script.",
)
def show(case_id: str, corpus: Corpus, form: str | None) -> None:
    """Show one case: bytes, calls, outcomes, reason, records.

    Each line of bytes begins with their role, such as `status-line` or `chunk-size`.
    """
    case = find_case(corpus, case_id)
    if form is not None:
        click.echo(_reproduced(corpus, case, form), nl=False)
        return
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        for line in told(case, corpus):
            console.print(line, soft_wrap=True)
    else:  # a case may have a hundred thousand lines, and plain ones need no rendering
        click.echo("\n".join(line.plain for line in told(case, corpus)))


def _reproduced(corpus: Corpus, case: Case, form: str) -> str:
    entry = Catalogue(corpus, case.id).entries[case.id]
    if form == "all":
        return "\n".join(_titled(name, entry) for name in FORMS)
    try:
        return reproduce(entry, form)
    except NotReproducible as error:
        raise click.UsageError(f"no {form} for {case.id}: {error}") from None


def _titled(form: str, entry: Entry) -> str:
    """Return *form* under its heading, or the reason why it does not exist."""
    try:
        return f"# {form}\n{reproduce(entry, form)}"
    except NotReproducible as error:
        return f"# no {form}: {error}\n"


class OctetLine(NamedTuple):
    """A line of bytes with their role, styled only when it is shown: there may be very many.

    Attributes:
        role: such as `chunk-size`.
        octets: the bytes, as visible text.
    """

    role: str
    octets: str

    @property
    def plain(self) -> str:
        """The line without styles."""
        return f"    {self.role:<15}  {self.octets}"

    def __rich__(self) -> Text:
        head = f"    {self.role:<15}  ", "dim"
        return Text.assemble(head, _visible(self.octets, _STYLES.get(self.role, "")))


def told(case: Case, corpus: Corpus) -> Iterator[Text | OctetLine]:
    """Yield the lines that describe the case, which is one of *corpus*."""
    yield _plain(f"{case.id}  (revision {case.rev}, {case.level}, {case.file})", "bold")
    yield _plain(case.title)
    yield _plain("")
    yield _plain(f"why      {case.why}")
    yield _plain(f"page     {', '.join(case.spec)}")
    for name, values in (("RFC", case.rfc), ("origin", case.origin), ("needs", sorted(case.needs))):
        if values:
            yield _plain(f"{name:<8} {', '.join(values)}")
    if case.twin is not None:
        yield _plain(f"twin     {case.twin}")
    yield _plain("")
    yield from script_lines(case)
    yield _plain("client", "bold")
    exchanges = case.session.exchanges if case.profile == "client" and case.session else ()
    for op in case.ops if not exchanges else ():
        yield _plain(f"  {op.id:<14} {op.text}")
    for one in exchanges:
        yield _plain(f"  {one.id:<14} {one.op.text}{', with the one before' * one.parallel}")
        yield from (_plain(f"  {'':<14} {line}") for line in expectations(one))
    for index, outcome in enumerate(case.outcomes):
        yield _plain("")
        yield from _outcome(index, outcome)
    if case.fetch is not None and not exchanges:
        yield _plain("")
        yield _plain(f"any client ({' '.join((case.fetch.strength, *case.fetch.rfc))})", "bold")
        for index, result in enumerate(case.fetch.results):
            yield _plain(f"  {'or ' if index else ''}{result_text(result)}")
    recorded = list(recorded_lines(case, corpus, load_book()))
    if recorded:
        yield _plain("")
        yield _plain("recorded", "bold")
        yield from map(_plain, recorded)


def _plain(text: str, style: str = "") -> Text:
    return Text(visible_text(text), style)


def script_lines(case: Case) -> Iterator[Text | OctetLine]:
    """Yield the lines that describe what the server of *case* does."""
    script, listener = case.script, case.script.listener
    if listener != Listener():
        queue = listener.receive_buffer
        told = f", a receive queue of {queue} bytes" if queue else ""
        yield _plain(f"listener {listener.mode}{told}", "bold")
    elif not script.connections and not script.routes:
        yield _plain("server   no connection is expected", "bold")
    parts: list[tuple[str, Connection | Route]] = [
        *((f"connection {number}", one) for number, one in enumerate(script.connections, 1)),
        *((f"route {number}", one) for number, one in enumerate(script.routes, 1)),
    ]
    for name, part in parts:
        yield _plain(f"server, {name}{_limits(part)}", "bold")
        for step, pieces in annotated(part):
            yield _plain(f"  {step.step_name}" if pieces else _arguments(step))
            for piece in pieces:
                for line in octet_lines(piece.data):
                    yield OctetLine(piece.role, line)


def _limits(part: Connection | Route) -> str:
    """Return the attributes of a connection or route that are not the default."""
    usual = Route() if isinstance(part, Route) else Connection()
    told = [
        f"{one.name} {'any' if value is None else value}"
        for one in fields(part)
        if one.name != "steps" and (value := getattr(part, one.name)) != getattr(usual, one.name)
    ]
    return f" ({', '.join(told)})" if told else ""


def _arguments(step: Step) -> str:
    """Return a step that writes no bytes, with its main and its non-default arguments."""
    given = {one.name: (getattr(step, one.name), one.default) for one in fields(step)}
    told = [
        f"{name}={value!r}"
        for name, (value, usual) in given.items()
        if name == step.primary or value != usual
    ]
    return f"  {step.step_name}  {', '.join(told)}".rstrip()


def _visible(line: str, style: str = "") -> Text:
    """Return a line of visible bytes, with the signs for control characters set apart."""
    text = Text(line, style)
    text.highlight_regex(r"(?:\\(?:x[0-9a-f]{2}|[rnt\\]))+", _CONTROL)
    return text


def _outcome(index: int, outcome: Outcome) -> Iterator[Text]:
    grade = f"tolerated, {outcome.basis}" if outcome.grade == "tolerated" else outcome.grade
    limits = "".join(f", {key} {' or '.join(values)}" for key, values in outcome.when.items())
    yield _plain(f"{'outcome' if index == 0 else 'or'} ({grade}{limits})", "bold")
    for name, expectation in outcome.ops.items():
        yield _plain(f"  {name:<14} {expectation_text(expectation)}")
    yield from _wire(outcome.wire)


def _wire(wire: WireExpectation) -> Iterator[Text]:
    for key in ("connections", "after", "left", "source"):
        value = getattr(wire, key)
        if value is not None:
            told = str(value) if isinstance(value, int) else ", ".join(map(str, value))
            yield _plain(f"  wire.{key:<9} {told}")
    for key in ("request", "received"):
        for item in getattr(wire, key) or ():
            yield _plain(f"  wire.{key}")
            for line in octet_lines(filled_by(item, lambda hole: f"<{hole.part}>".encode())):
                yield Text("    ") + _visible(line)
