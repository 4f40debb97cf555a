"""``httplib-kit hunt``: responses over which implementations disagree, drawn and shrunk.

The input is implementations, a seed and bounds.  The output, at the end of the hunt, is a block of
lines for each kind of difference, a last line with the totals, and, if requested, a case file each.
"""

import contextlib
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console

from conformance.cases import law_of, load_corpus, load_requirements, sections_of
from conformance.cli.ending import Ending
from conformance.cli.options import deadline_option, name_options
from conformance.cli.progress import Hunting
from conformance.drivers import targets
from conformance.hunt import Finding, Hunter, short_responses
from conformance.report import (
    EXIT_ERROR,
    EXIT_FAILED,
    EXIT_NOTHING,
    EXIT_OK,
    Refused,
    WholeFile,
    octet_lines,
    visible_text,
)
from conformance.run import Trials, compared, trial_text
from conformance.wording import counted, wrapped

SECONDS = 60.0
_ENDS = {"fin": "then FIN", "rst": "then a reset", "open": "and the connection stays open"}


@click.command()
@click.argument("implementations", nargs=-1, metavar="IMPL IMPL...")
@name_options
@click.option("--seed", type=int, metavar="N", help="Draw the same responses as another hunt did.")
@click.option("--draws", type=click.IntRange(min=1), metavar="N", help="Draw N responses at most.")
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help=f"End after this time; by default after {SECONDS:g} seconds, or with --draws never.",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write a case file for each difference into DIR; no file is replaced.",
)
@deadline_option
@click.pass_context
def hunt(
    ctx: click.Context,
    implementations: tuple[str, ...],
    names: tuple[str, ...],
    versions: tuple[str, ...],
    seed: int | None,
    draws: int | None,
    seconds: float | None,
    save: Path | None,
    deadline: float,
) -> None:
    """Draw responses until two IMPL disagree; show the shortest.

    Each IMPL is written as for check; all are modules with the interface of httplib, or all are
    clients. A response comes from a grammar of usual and odd parts, or is a changed one of the
    corpus. The search goes on after a difference: each kind is shown once, at the end, with the
    rules of RFC 9110 and 9112 that its shortest response breaks and what they let a client do.
    Exit codes: 0 no difference was found, 1 some were, 2 an error of the kit, of a driver or in
    the usage, 3 nothing was run.
    """
    found = targets(*implementations, names=names, versions=versions)
    if len(found) < 2:
        raise click.UsageError("hunt needs two or more implementations")
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    if seconds is None and draws is None:
        seconds = SECONDS
    with contextlib.ExitStack() as stack:
        ending = stack.enter_context(Ending())
        benches = [stack.enter_context(Trials(one, deadline)) for one in found]
        if len({bench.identity.is_client for bench in benches}) > 1:
            raise click.UsageError(
                "some are clients and some have httplib's interface; as a client, such a module "
                "is written client:httplib:MODULE"
            )
        hunter = Hunter(benches, short_responses(load_corpus(), seed), seed, draws, seconds)
        code = _hunted(hunter, ending, save)
    ctx.exit(code)


def _hunted(hunter: Hunter, ending: Ending, save: Path | None) -> int:
    """Show what *hunter* finds; return the exit code."""
    console = Console(file=sys.stdout)
    width = console.width if console.is_terminal else None
    names = " · ".join(bench.label for bench in hunter.benches)
    with Hunting(hunter) as shown:

        def stopped() -> bool:
            shown.tick()
            return bool(ending.reason)

        hunter.stopped = stopped
        shown.write(wrapped(f"{visible_text(names)} · seed {hunter.seed}", width, ""))
        for _ in hunter.findings():
            shown.tick()
        for number, (kind, finding) in enumerate(hunter.kinds.items(), 1):
            saved = None if save is None else _saved(save, finding)
            count = hunter.counts[kind]
            shown.write(["", *finding_lines(number, finding, count, saved, width)])
        shown.write(["", *wrapped(_totals(hunter, ending), width, "")])
    if hunter.problem:
        click.echo(f"httplib-kit: {visible_text(hunter.problem)}", err=True)
        return EXIT_NOTHING if hunter.is_absent else EXIT_ERROR
    if ending.reason:
        return EXIT_ERROR
    if not hunter.played:
        return EXIT_NOTHING
    return EXIT_FAILED if hunter.found else EXIT_OK


def _totals(hunter: Hunter, ending: Ending) -> str:
    what = counted(hunter.found, "kind of difference", "kinds of differences")
    text = f"{what} in {counted(hunter.drawn, 'draw')}"
    if not hunter.found:
        text = f"nothing differed in {counted(hunter.drawn, 'draw')}"
    text += f", {counted(hunter.played, 'response')} played; "
    text += f"--seed {hunter.seed} --draws {hunter.drawn} does it again"
    if hunter.wavering:
        text += f"; {counted(hunter.wavering, 'difference')} seen once and not again"
    return f"{text}; {ending.reason}" if ending.reason else text


def finding_lines(
    number: int, finding: Finding, count: int, saved: Path | None, width: int | None
) -> Iterator[str]:
    """Yield the lines about *finding*.

    Args:
        number: its number.
        finding: a kind of difference.
        count: how many of the drawn responses differ so.
        saved: its case file; None if there is none.
        width: characters of a line at most; None for any number.
    """
    octets, end = finding.drawn
    yield from wrapped(f"{number}  {law_text(finding.signature.rules)}", width, "   ")
    yield from (f"     {line}" for line in octet_lines(octets, (width or 101) - 5))
    near = f"; see also {finding.near}" if finding.near else ""
    part = f"; differs by: {finding.kind.part}" if finding.kind.part else ""
    size = f"{counted(len(octets), 'byte')}; {counted(count, 'draw')}{part}"
    yield from wrapped(f"   {_ENDS[end]}; {size}{near}", width, "     ")
    label = max(len(one.label) for one in finding.trials)
    for call, texts in _rows(finding):
        yield f"   {call}{page_text(call)}"
        for one, text in zip(finding.trials, texts, strict=True):
            line = f"     {visible_text(one.label):<{label}}  {visible_text(text)}"
            yield from wrapped(line, width, " " * 7)
    if saved is not None:
        yield from wrapped(f"   saved as {saved}", width, "   ")


def _rows(finding: Finding) -> list[tuple[str, list[str]]]:
    """Return the call in which the implementations differ first, with what each did."""
    call = finding.signature.call
    if call == "headers":  # the text of a client's result leaves them out
        fields = [() if one is None else one.detail for one in finding.done]
        return [(call, [", ".join(f"{n!r}: {v!r}" for n, v in one) or "none" for one in fields])]
    wanted = {call, "fetch", "outcome"}
    return [row for row in compared(finding.case, finding.trials) if row[0] in wanted]


def law_text(rules: Sequence[str]) -> str:
    """Return the rules that a response breaks, where they stand, and what a client may do.

    >>> law_text(["content-length.invalid"])
    'content-length.invalid: RFC 9112, 6.3: must reject'
    >>> law_text(["range.not-asked-for"])
    'range.not-asked-for: RFC 9110, 15.3.7: none says what a client does'
    """
    names = ", ".join(rules) or "well-formed"
    found: dict[str, dict[str, None]] = {}
    for rule in rules or ["well-formed"]:
        rfc, _, section = sections_of(rule)[0].partition("#")
        found.setdefault(rfc, {})[section] = None
    places = "; ".join(f"RFC {rfc}, {' and '.join(sections)}" for rfc, sections in found.items())
    law = law_of(list(rules))
    if law is None:
        return f"{names}: {places}: none says what a client does"
    strength, results = law
    return f"{names}: {places}: {strength} {' or '.join(sorted(results))}"


def page_text(call: str) -> str:
    """Return the entry of the page about *call* of httplib's interface; empty for a client's part.

    >>> page_text("response.read()"), page_text("response.isclosed()"), page_text("fetch")
    ('; page: HTTPResponse.read', '; not on the page', '')
    """
    owner, dot, name = call.partition(".")
    if not dot:
        return ""
    entry = f"{_CLASSES.get(owner, owner)}.{name.partition('(')[0]}"
    return f"; page: {entry}" if entry in load_requirements() else "; not on the page"


_CLASSES = {"conn": "HTTPConnection", "response": "HTTPResponse"}


def _saved(directory: Path, finding: Finding) -> Path:
    """Write the case of *finding*, under a name that is free; return its path."""
    signature = finding.signature
    words = "-".join(signature.rules) or "well-formed"
    stem = "-".join("".join(c if c.isalnum() else " " for c in words).split())
    number = 1
    while (path := directory / f"{stem}-{number}.toml").exists():
        number += 1
    notes = [law_text(signature.rules)]
    for call, texts in _rows(finding):
        labelled = zip(finding.trials, texts, strict=True)
        notes += [f"{call}{page_text(call)}", *(f"  {one.label}: {text}" for one, text in labelled)]
    octets, end = finding.drawn
    try:
        directory.mkdir(parents=True, exist_ok=True)
        WholeFile(path).write(trial_text(octets, path.stem, "GET", end, notes).encode())
    except (Refused, OSError) as error:
        raise click.UsageError(f"--save: {error}") from None
    return path
