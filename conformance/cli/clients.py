"""``httplib-kit clients``: list the clients that the kit can drive, and install them elsewhere."""

import json
from pathlib import Path
from typing import Any

import click

from conformance.drivers.clients import PREFIX, Installer, lacking, registry, remedy, versions
from conformance.report import visible_text
from conformance.wording import counted


@click.command()
@click.argument("patterns", nargs=-1, metavar="[CLIENT]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each client.")
@click.option("--present", is_flag=True, help="List only clients that are installed.")
@click.option(
    "--install",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Install the clients in a directory of their own; as root on Debian, also its packages.",
)
def clients(
    patterns: tuple[str, ...], as_json: bool, present: bool, directory: Path | None
) -> None:
    """List clients: language, engine, version, how to get others.

    CLIENT is a name or a glob, or selects by `language=`, `engine=` or `driver=`; by default all
    are listed. `check` and `record` take the same after `client:`.

    With `--install DIR`, nothing outside of DIR changes. `DIR/run COMMAND` runs a command in which
    these clients are found, as in `DIR/run httplib-kit record client:all`.
    """
    wanted = [one.removeprefix(PREFIX) for one in patterns] or ["all"]
    names = [*dict.fromkeys(name for one in wanted for name in registry().chosen(one))]
    if directory is not None:
        _install(names, directory)
        return
    found = versions(names)
    if present:
        names = [name for name in names if name in found]
    rows = [_facts(name, found.get(name)) for name in names]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    widths = [max((len(row[key]) for row in rows), default=0) for key in _COLUMNS]
    for row in rows:
        cells = [row[key].ljust(width) for key, width in zip(_COLUMNS, widths, strict=True)]
        click.echo("  ".join([*cells, row["version"] or f"- {row['how']}"]).rstrip())
    click.echo(f"{counted(len(names), 'client')}, of which {len(found)} are installed")


_COLUMNS = ("name", "language", "engine")


def _facts(name: str, version: str | None) -> dict[str, Any]:
    one = registry().client[name]
    return {
        "name": name,
        "language": registry().language(name),
        "engine": one.engine,
        "present": version is not None,
        "version": version,
        "how": "" if version else remedy(name),
        "missing": "" if version else lacking(name),
        "about": one.about,
        "traps": one.traps,
    }


def _install(names: list[str], directory: Path) -> None:
    installer = Installer(directory, lambda line: click.echo(visible_text(line)))
    installer.install(names)
    for package, why in installer.failed.items():
        click.echo(visible_text(f"not installed: {package}: {why}"))
    click.echo(f"{directory / 'run'} COMMAND runs a command with these clients")
