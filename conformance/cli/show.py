"""``httplib-kit show``: one case, whole: the bytes, the calls, what is accepted, and why."""

from collections.abc import Iterator

import click

from conformance.cases import Case, Outcome, WireExpectation, load_corpus
from conformance.cases.octets import AddressHole, Pieces
from conformance.cli.options import find_case
from conformance.judge.judge import expectation_text
from conformance.report.octets import lines, visible_text
from mockserver import Step


@click.command()
@click.argument("case_id", metavar="CASE")
def show(case_id: str) -> None:
    """Show the case with the id CASE: what is sent, what is called, what is accepted, and why."""
    case = find_case(load_corpus(), case_id)
    click.echo("\n".join(visible_text(line) for line in _told(case)))


def _told(case: Case) -> Iterator[str]:
    yield f"{case.id}  (revision {case.rev}, {case.level}, {case.file})"
    yield case.title
    yield ""
    yield f"why      {case.why}"
    yield f"page     {', '.join(case.spec)}"
    for name, values in (("RFC", case.rfc), ("origin", case.origin), ("needs", sorted(case.needs))):
        if values:
            yield f"{name:<8} {', '.join(values)}"
    if case.twin is not None:
        yield f"twin     {case.twin}"
    yield ""
    yield from _script(case)
    yield "client"
    for op in case.ops:
        yield f"  {op.id:<14} {op.text}"
    for index, outcome in enumerate(case.outcomes):
        yield ""
        yield from _outcome(index, outcome)


def _script(case: Case) -> Iterator[str]:
    if not case.script.connections:
        yield "server   no connection is expected"
    for number, connection in enumerate(case.script.connections, 1):
        yield f"server, connection {number}"
        for step in connection.steps:
            yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    octets: bytes | None = getattr(step, step.primary or "", None) if step.primary else None
    if isinstance(octets, bytes):
        yield f"  {step.step_name}"
        for line in lines(octets):
            yield f"    {line}"
        return
    given = {name: getattr(step, name) for name in step.__dataclass_fields__}
    details = ", ".join(f"{name}={value!r}" for name, value in given.items())
    yield f"  {step.step_name}  {details}".rstrip()


def _outcome(index: int, outcome: Outcome) -> Iterator[str]:
    grade = f"tolerated, {outcome.basis}" if outcome.grade == "tolerated" else outcome.grade
    limits = "".join(f", {key} {' or '.join(values)}" for key, values in outcome.when.items())
    yield f"{'outcome' if index == 0 else 'or'} ({grade}{limits})"
    for name, expectation in outcome.ops.items():
        yield f"  {name:<14} {expectation_text(expectation)}"
    yield from _wire(outcome.wire)


def _wire(wire: WireExpectation) -> Iterator[str]:
    for key in ("connections", "after", "left", "source"):
        value = getattr(wire, key)
        if value is not None:
            told = str(value) if isinstance(value, int) else ", ".join(map(str, value))
            yield f"  wire.{key:<9} {told}"
    for key in ("request", "received"):
        for item in getattr(wire, key) or ():
            yield f"  wire.{key}"
            for line in lines(_with_address(item)):
                yield f"    {line}"


def _with_address(parts: Pieces) -> bytes:
    return b"".join(
        f"<{part.part}>".encode() if isinstance(part, AddressHole) else part for part in parts
    )
