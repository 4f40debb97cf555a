"""What others may depend on, as one line for each name: ``make surface`` records it.

The input is the installed kit, the output `tools/surface.json`: Python names with their parameters,
commands, options, exit codes, verdicts, fixtures and options of pytest, and the fields of each
format.  A test compares; `docs/compatibility.md` says what may change, and how.
"""

import argparse
import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from conformance import EXIT_INTERRUPTED
from conformance.cases import fixtures_directory
from conformance.cli import main as command_line
from conformance.judge import Verdict
from conformance.plugin import pytest_addoption, pytest_plugins
from conformance.report import EXIT_ERROR, EXIT_FAILED, EXIT_NOTHING, EXIT_OK

RECORD = Path(__file__).with_name("surface.json")
PACKAGES = ("certs", "httplib_impl", "mockserver")
_PLUGIN = Path(__file__).parents[1] / "conformance" / "plugin"
_REMEDY = """\
{changed}
Names that are removed or changed break those who depend on them: keep the old form until the next
major version, as docs/compatibility.md says. If the promise allows the change, say so in
CHANGELOG.md, and record it with `make surface`."""


def surface() -> dict[str, str]:
    """Return the names that others may depend on, each with its form."""
    lines = [*_python(), *_commands(click.Context(command_line, info_name="httplib-kit"))]
    lines += [*_words(), *_pytest(), *_formats()]
    return dict(sorted(lines))


def difference(before: dict[str, str], after: dict[str, str], *, added: bool = False) -> str:
    """Return what *after* lacks or has in another form, with the remedy; empty if nothing.

    Args:
        before: the recorded surface.
        after: the present one.
        added: whether names that are new count too.
    """
    lines = [f"- {name}  {form}" for name, form in before.items() if name not in after]
    for name, form in after.items():
        if name not in before and added:
            lines.append(f"+ {name}  {form}")
        elif before.get(name, form) != form:
            lines += [f"- {name}  {before[name]}", f"+ {name}  {form}"]
    return _REMEDY.format(changed="\n".join(lines)) if lines else ""


def recorded() -> dict[str, str]:
    """Return the surface that is recorded."""
    found: dict[str, str] = json.loads(RECORD.read_text(encoding="utf-8"))
    return found


def _python() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        module = importlib.import_module(package)
        # A star import of httplib brings no constants, which belong to it all the same.
        for name in {*module.__all__, *filter(str.isupper, dir(module))}:
            one = getattr(module, name)
            yield f"{package}.{name}", _form(one)
            if inspect.isclass(one) and one.__module__.partition(".")[0] == package:
                yield from _members(f"{package}.{name}", one)


def _members(name: str, kind: type) -> Iterator[tuple[str, str]]:
    for member, value in vars(kind).items():
        if not member.startswith("_") and not inspect.ismemberdescriptor(value):
            yield f"{name}.{member}", _form(getattr(kind, member))


def _form(value: Any) -> str:
    """Return parameters with their defaults; for a value its type.  Annotations may change."""
    if not callable(value):
        return type(value).__name__
    try:
        signature = inspect.signature(value)
    except ValueError:
        return type(value).__name__
    bare = [
        one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()
    ]
    text = str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _commands(ctx: click.Context) -> Iterator[tuple[str, str]]:
    command = ctx.command
    yield f"$ {ctx.command_path}", " ".join(command.collect_usage_pieces(ctx))
    for option in command.params:
        kind = "flag" if getattr(option, "is_flag", False) else option.make_metavar(ctx)
        for name in (*option.opts, *option.secondary_opts):
            if name.startswith("-"):
                yield f"$ {ctx.command_path} {name}", kind
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            if below is not None:
                yield from _commands(click.Context(below, info_name=name, parent=ctx))


def _words() -> Iterator[tuple[str, str]]:
    codes = {"ok": EXIT_OK, "failures": EXIT_FAILED, "error": EXIT_ERROR, "nothing": EXIT_NOTHING}
    for meaning, code in {**codes, "interrupted": EXIT_INTERRUPTED}.items():
        yield f"exit code, {meaning}", str(code)
    for verdict in Verdict:
        yield f"verdict {verdict.value}", "a word"


class _Parser:
    """Records the options that a plugin adds to pytest's parser."""

    def __init__(self) -> None:
        self.lines = list[tuple[str, str]]()

    def getgroup(self, *_: object) -> "_Parser":
        """Return itself: in which group an option is shown says nothing."""
        return self

    def addoption(self, *names: str, **given: Any) -> None:
        """Record an option."""
        self.lines += [(f"pytest {name}", str(given.get("action", "store"))) for name in names]

    def addini(self, name: str, _help: str, **given: Any) -> None:
        """Record an option of the configuration file."""
        self.lines.append((f"pytest.ini {name}", str(given.get("type", "string"))))


def _addoption_of(module: str) -> Any:
    return importlib.import_module(module).pytest_addoption


def _pytest() -> Iterator[tuple[str, str]]:
    parser: Any = _Parser()
    for add in (pytest_addoption, *(_addoption_of(module) for module in pytest_plugins)):
        add(parser)
    yield from parser.lines
    for path in sorted(_PLUGIN.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for scope, name in re.findall(r"^@pytest\.fixture(.*)\ndef (\w+)", text, re.MULTILINE):
            yield f"fixture {name}", scope.strip("()") or 'scope="function"'


def _formats() -> Iterator[tuple[str, str]]:
    for path in sorted(fixtures_directory().glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        for name, one in {"": schema, **schema.get("$defs", {})}.items():
            required = one.get("required", [])
            for field in one.get("properties", {}):
                kind = "required" if field in required else "optional"
                yield f"{path.name} {name}.{field}", kind


def main() -> None:
    """Record the surface, or with ``--check`` compare it whole, as a release does."""
    parser = argparse.ArgumentParser(description="Record what others may depend on.")
    parser.add_argument("--check", action="store_true", help="compare, and record nothing")
    if not parser.parse_args().check:
        RECORD.write_text(json.dumps(surface(), indent=0) + "\n", encoding="utf-8")
    elif found := difference(recorded(), surface(), added=True):
        sys.exit(found)


if __name__ == "__main__":
    main()
