"""The group of commands, and how an error becomes one line and exit code 2.

A command's module is imported when the command is run; `--help` imports none of them.
"""

import codecs
import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, cast

import click
from click.shell_completion import CompletionItem

from conformance import EXIT_INTERRUPTED

_NAMED = "httplib-kit-named"
"""The error handler for characters that an output's encoding lacks: it shows their names."""
_ASK_THE_DRIVER = "; `httplib-kit driver-check` shows what it answers"
EXIT_ERROR = 2
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "atlas": (
        "atlas",
        "atlas",
        "Write the atlas: every case and recorded client, as a site.",
    ),
    "changes": (
        "changes",
        "changes",
        "List what changed between the sets OLD and NEW, with the reasons.",
    ),
    "check": ("check", "check", "Judge each IMPL, by default httplib_impl."),
    "clients": (
        "clients",
        "clients",
        "List clients: language, engine, version, how to get others.",
    ),
    "collect": (
        "statement",
        "collect",
        "Show many STATEMENTs on one page, with a badge for each level of each client.",
    ),
    "completion": (
        "completion",
        "completion",
        "Print what makes SHELL complete commands, cases and clients.",
    ),
    "course": (
        "course",
        "course",
        "Build your own HTTP client, in stages that are checked.",
    ),
    "diff": ("diff", "diff", "Compare the results A and B, and list the cases that differ."),
    "driver-check": (
        "driver_check",
        "driver_check",
        "Check the driver CMD against the driver protocol.",
    ),
    "explain": (
        "explain",
        "explain",
        "Explain WHAT: what it means, what clients do, what to catch.",
    ),
    "export": (
        "export",
        "export",
        "Write cases as one JSON document, for a runner in any language.",
    ),
    "hunt": ("hunt", "hunt", "Draw responses until two IMPL disagree; show the shortest."),
    "lesson": (
        "lesson",
        "lesson",
        "Show lesson N: bytes to predict, a play, and a question.",
    ),
    "lint": ("lint", "lint", "Check FILEs: cases of your own, and baselines."),
    "list": (
        "listing",
        "list_cases",
        "List cases; without a terminal, only ids, one on each line.",
    ),
    "matrix": (
        "matrix",
        "show_matrix",
        "Show recorded clients and results side by side.",
    ),
    "new-driver": (
        "new_driver",
        "new_driver",
        "Write a driver in a language to DIR, and say how to use it.",
    ),
    "record": (
        "record",
        "record",
        "Record what each IMPL does, or compare it with its record.",
    ),
    "report": (
        "report",
        "report",
        "Write reports from RESULTS, the files of `check --results`.",
    ),
    "serve": (
        "serve",
        "serve",
        "Serve every case at /c/CASE, or only CASE on every path.",
    ),
    "show": (
        "show",
        "show",
        "Show one case: bytes, calls, outcomes, reason, records.",
    ),
    "statement": (
        "statement",
        "statement",
        "State what RESULTS, the files of `check --results`, say about one client.",
    ),
    "try": (
        "try_",
        "try_octets",
        "Send the bytes of FILE to each IMPL; compare what they do.",
    ),
}
"""The module, the function and the first sentence of each command."""


class _Commands(click.Group):
    """A group whose commands are imported when they are run.

    It reports every error of a user with one line and exit code 2.
    """

    def invoke(self, ctx: click.Context) -> Any:
        _open_what_is_closed()
        _show_all_that_is_written()
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            _say(error.format_message())
            ctx.exit(EXIT_ERROR)
        except (KeyboardInterrupt, click.Abort) as error:  # a question was not answered
            asked = "\n" * isinstance(error, click.Abort)
            click.echo(f"{asked}httplib-kit: interrupted", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # The reader of the output has closed it; what Python still buffers goes to the null
            # device.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(EXIT_ERROR)
        except OSError as error:
            _say(str(error))
            ctx.exit(EXIT_ERROR)
        except Exception as error:
            if not _is_of_the_user(error):
                raise
            _say(_with_hint(str(error)))
            ctx.exit(EXIT_ERROR)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command called *cmd_name*, imported when first needed."""
        if cmd_name not in COMMANDS:
            raise click.UsageError(f"no command is called {cmd_name!r}{_near(cmd_name)}")
        module, function, _ = COMMANDS[cmd_name]
        found = getattr(importlib.import_module(f"conformance.cli.{module}"), function)
        return cast("click.Command", found)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, or the options, that begin with *incomplete*; imports none."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=text)
            for name, (_, _, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands with their first sentences."""
        room = formatter.width - 6 - max(map(len, COMMANDS))
        rows = [
            (name, click.Command(name, help=text).get_short_help_str(room))
            for name, (_, _, text) in COMMANDS.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _near(name: str) -> str:
    from conformance.wording import near_clause

    return near_clause(name, COMMANDS, f"; there are {', '.join(COMMANDS)}")


def _say(problem: str) -> None:
    from conformance.report import visible_text

    click.echo(f"httplib-kit: {visible_text(problem)}", err=True)


def _is_of_the_user(error: Exception) -> bool:
    """Return whether *error* describes in one line what the user can correct."""
    from conformance.cases import CaseError
    from conformance.drivers import DriverError, UnknownImplementation
    from conformance.results.golden import BookError

    return isinstance(error, BookError | CaseError | UnknownImplementation | DriverError)


def _with_hint(problem: str) -> str:
    from conformance.drivers import EXEC

    return f"{problem}{_ASK_THE_DRIVER}" if problem.startswith(EXEC) else problem


def _named(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return the names of characters that an encoding lacks."""
    from conformance.report import unencodable

    return unencodable(error)


codecs.register_error(_NAMED, _named)


def _open_what_is_closed() -> None:
    """Replace each closed standard stream, for which Python has None, by the null device."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _show_all_that_is_written() -> None:
    """Make every output accept all characters, whatever the locale."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAMED)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 failures, 2 an error of the kit, of a driver or in the usage, "
    "3 nothing was run.",
)
@click.version_option(package_name="httplib-kit", prog_name="httplib-kit")
def main() -> None:
    """Judge HTTP/1.x clients by what they do on scripted connections."""
    # SIGTERM stops what a run has started, as Ctrl-C does.
    with contextlib.suppress(ValueError):  # not in the main thread: the caller decides
        signal.signal(signal.SIGTERM, signal.default_int_handler)
