"""The man pages of the commands, from their help: ``make man``, and the build of a wheel.

The input is the commands, the output a page for each, as roff.  They are made with each wheel,
so that no page says what its command does not.
"""

import argparse
import inspect
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    BuildHook = object
else:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as BuildHook


class ManPages(BuildHook):
    """Adds the pages to a wheel, from which pip installs them in ``share/man/man1``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages; an editable installation has none."""
        hook: Any = self
        self._directory = tempfile.TemporaryDirectory()
        if version != "editable":
            sys.path.insert(0, hook.root)
            for path in write(Path(self._directory.name), hook.metadata.version):
                build_data["shared_data"][str(path)] = f"share/man/man1/{path.name}"

    def finalize(self, *_: object) -> None:
        """Remove the files, whose content is in the wheel now."""
        self._directory.cleanup()


def write(directory: Path, version: str) -> list[Path]:
    """Write the pages for the *version* of the kit into *directory*, and return their paths."""
    from conformance.cli import main

    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for title, text in _pages(click.Context(main, info_name="httplib-kit"), version):
        paths.append(directory / f"{title}.1")
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def _pages(ctx: click.Context, version: str) -> Iterator[tuple[str, str]]:
    """Yield title and text of the page of a command, and of those of its own commands."""
    command, title = ctx.command, ctx.command_path.replace(" ", "-")
    help_ = inspect.cleandoc(command.help or "").split("\n\n")
    usage = " ".join(command.collect_usage_pieces(ctx))
    lines = [f'.TH "{title.upper()}" "1" "" "httplib-kit {version}" "httplib-kit"']
    lines += [".SH NAME", f"{_plain(title)} \\- {_plain(' '.join(help_[0].split()))}"]
    lines += [".SH SYNOPSIS", f"{_bold(ctx.command_path)} {_plain(usage)}"]
    lines += [".SH DESCRIPTION", *_paragraphs(help_), ".SH OPTIONS"]
    records = [one.get_help_record(ctx) for one in command.get_params(ctx)]
    for names, meaning in filter(None, records):
        if not names.startswith("-"):
            continue  # an argument, which the synopsis has
        lines += [".TP", _bold(names), _plain(meaning)]
    below = {}
    if isinstance(command, click.Group):
        below = {name: command.get_command(ctx, name) for name in command.list_commands(ctx)}
        lines += [".SH COMMANDS"]
    for name, one in below.items():
        if one is not None:
            lines += [".TP", _bold(name), _plain(one.get_short_help_str(200))]
            yield from _pages(click.Context(one, info_name=name, parent=ctx), version)
    root = ctx.find_root().command
    lines += [".SH EXIT STATUS", _plain(root.epilog or "")]
    if command is not root:
        lines += [".SH SEE ALSO", f"{_bold('httplib-kit')}(1)"]
    yield title, "\n".join(lines) + "\n"


def _paragraphs(text: list[str]) -> Iterator[str]:
    for part in text:
        if part.startswith("\b\n"):  # click keeps its lines as they are
            yield from (".PP", ".nf", _plain(part.removeprefix("\b\n")), ".fi")
        else:
            yield from (".PP", _plain(" ".join(part.split())))


def _bold(text: str) -> str:
    return f"\\fB{_plain(text)}\\fR"


def _plain(text: str) -> str:
    """Return *text* so that roff reads neither a request nor an escape in it."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", escaped, flags=re.MULTILINE)


if __name__ == "__main__":
    from importlib.metadata import version as version_of

    parser = argparse.ArgumentParser(description="Write the man pages.")
    parser.add_argument("directory", type=Path)
    write(parser.parse_args().directory, version_of("httplib-kit"))
