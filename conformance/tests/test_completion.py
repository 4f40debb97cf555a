"""A shell completes commands, options, ids of cases and names of clients."""

import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.cli.completion import SHELLS


def completed(*words: str) -> list[str]:
    """Return what bash is told to offer for the last of *words*."""
    asked = {"COMP_WORDS": " ".join(("httplib-kit", *words)), "COMP_CWORD": str(len(words))}
    done = subprocess.run(
        [sys.executable, "-c", "from conformance.cli import main; main(prog_name='httplib-kit')"],
        env={**os.environ, **asked, "_HTTPLIB_KIT_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("sho",), ["show"]),
        (("show", "chunked.two-"), ["chunked.two-chunks"]),
        (("serve", "chunked.two-"), ["chunked.two-chunks"]),
        (("check", "--select", "chunked.two-"), ["chunked.two-chunks"]),
        (("check", "--selec"), ["--select"]),
        (("check", "client:geventh"), ["client:geventhttpclient"]),
        (("completion", "z"), ["zsh"]),
    ],
)
def test_what_is_typed_is_completed(words: tuple[str, ...], offered: list[str]) -> None:
    assert sorted(completed(*words)) == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_one_that_the_shell_reads(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert "_HTTPLIB_KIT_COMPLETE" in done.output
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here to read it")
    subprocess.run([shell, "-n"], input=done.output, text=True, check=True)
