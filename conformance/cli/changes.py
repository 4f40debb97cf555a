"""``httplib-kit changes``: which cases were added, changed or retired between two sets."""

from collections import Counter

import click
import msgspec

from conformance.cases import CaseSet, differences, load_corpus, load_set, present_set
from conformance.report import EXIT_FAILED, EXIT_OK, visible_text
from conformance.wording import counted


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="[NEW]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write the list as JSON.")
@click.pass_context
def changes(ctx: click.Context, old: str, new: str | None, as_json: bool) -> None:
    """List what changed between the sets OLD and NEW, with the reasons.

    Each is the name of a release of this kit, or a file; NEW is by default the cases of this kit as
    they are. The exit code is 0 if nothing changed, 1 if something did.
    """
    before = load_set(old)
    after = present_set(load_corpus().every.listed) if new is None else load_set(new)
    found = list(differences(before, after))
    if as_json:
        sides = {"old": before.set, "new": after.set}
        click.echo(msgspec.json.format(msgspec.json.encode({**sides, "changes": found}), indent=1))
    else:
        counts = Counter(one.kind for one in found)
        numbers = ", ".join(f"{counts[kind]} {kind}" for kind in ("changed", "retired", "added"))
        click.echo(f"{_named(before)} -> {_named(after)}: {numbers}")
        for one in found:
            click.echo(visible_text(one.text))
    ctx.exit(EXIT_FAILED if found else EXIT_OK)


def _named(one: CaseSet) -> str:
    return f"{visible_text(one.set) or 'this kit'} ({counted(len(one.cases), 'case')})"
