"""``httplib-kit new-driver``: write a driver that runs, for a client to be put in."""

import shlex
import shutil
from pathlib import Path

import click

from conformance.drivers.clients import KITS, registry


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--language",
    required=True,
    type=click.Choice([*registry().kit]),
    help="The language of the client.",
)
def new_driver(directory: Path, language: str) -> None:
    """Write a driver in a language to DIR, and say how to use it.

    It drives a client that the language has, or a small one of its own. Replace that by your
    client: the comments say where. No file that exists is overwritten.
    """
    kit = registry().kit[language]
    targets = {KITS / one: directory / Path(one).name for one in kit.files}
    if there := [str(path) for path in targets.values() if path.exists()]:
        raise click.UsageError(f"{there[0]} exists already: give another directory")
    directory.mkdir(parents=True, exist_ok=True)
    for source, path in targets.items():
        shutil.copyfile(source, path)
    run = shlex.join(kit.run)
    steps = [
        f"cd {shlex.quote(str(directory))}",
        *([shlex.join(kit.build)] if kit.build else []),
        f"httplib-kit driver-check {run}",
        f"httplib-kit check {shlex.quote(f'exec:{run}')}",
    ]
    click.echo("\n".join(steps))
