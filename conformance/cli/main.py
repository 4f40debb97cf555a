"""The group of commands, and how an error becomes one line and exit code 2."""

import codecs
import contextlib
import io
import os
import signal
import sys
from typing import Any

import click

from conformance.__main__ import EXIT_INTERRUPTED
from conformance.cases import CaseError
from conformance.cli.check import check
from conformance.cli.diff import diff
from conformance.cli.driver_check import driver_check
from conformance.cli.listing import list_cases
from conformance.cli.record import record
from conformance.cli.report import report
from conformance.cli.serve import serve
from conformance.cli.show import show
from conformance.cli.try_ import try_octets
from conformance.drivers import DriverError, UnknownImplementation
from conformance.drivers.factory import EXEC
from conformance.report.octets import named, visible_text
from conformance.report.standing import EXIT_ERROR
from conformance.run.golden import BookError

_NAMED = "httplib-kit-named"
"""What an output's encoding lacks is shown by name."""
_ASK_THE_DRIVER = "; `httplib-kit driver-check` holds it against the protocol"
codecs.register_error(_NAMED, named)


class _OneLineErrors(click.Group):
    """A group whose commands end every error of a user with one line and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        _open_what_is_closed()
        _show_all_that_is_written()
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            click.echo(f"httplib-kit: {visible_text(error.format_message())}", err=True)
            ctx.exit(EXIT_ERROR)
        except (BookError, CaseError, UnknownImplementation, DriverError) as error:
            hint = _ASK_THE_DRIVER if str(error).startswith(EXEC) else ""
            click.echo(f"httplib-kit: {visible_text(str(error))}{hint}", err=True)
            ctx.exit(EXIT_ERROR)
        except KeyboardInterrupt:
            click.echo("httplib-kit: interrupted", err=True)
            ctx.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # Whoever read our output has read enough; what Python still holds for it goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(EXIT_ERROR)
        except OSError as error:
            click.echo(f"httplib-kit: {visible_text(str(error))}", err=True)
            ctx.exit(EXIT_ERROR)


def _open_what_is_closed() -> None:
    """Give what was started without an output one that nobody reads; Python has None for it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))


def _show_all_that_is_written() -> None:
    """Let no output fail, or lose a character, because of the locale that it was opened in."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAMED)


@click.group(
    cls=_OneLineErrors,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 ok, 1 failures, 2 an error of kit, driver or usage, 3 nothing ran.",
)
@click.version_option(package_name="httplib-kit", prog_name="httplib-kit")
def main() -> None:
    """Judge HTTP/1.x clients by cases that are played over real connections."""
    # What a run has started is ended with it: as by Ctrl-C, so by a polite request to end.
    with contextlib.suppress(ValueError):  # not in the main thread: whoever calls us decides
        signal.signal(signal.SIGTERM, signal.default_int_handler)


main.add_command(check)
main.add_command(driver_check)
main.add_command(diff)
main.add_command(list_cases)
main.add_command(record)
main.add_command(report)
main.add_command(serve)
main.add_command(show)
main.add_command(try_octets)
