"""The blocks of code in the Markdown of this repository, for tests that run them."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conformance.cases.places import fixtures_directory

ROOT = fixtures_directory().parent
ELLIPSIS = "…"
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Args:
        where: file and line, for a message.
        language: what follows the fence.
        code: its lines, without the indentation of the fence.
    """

    where: str
    language: str
    code: str


def documents() -> list[Path]:
    """Return every Markdown file that a reader is led to."""
    beside = (
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CODE_OF_CONDUCT.md",
        "fixtures/README.md",
        "mockserver/README.md",
    )
    return [*(ROOT / one for one in beside), *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path: Path, language: str | None = None) -> list[Block]:
    """Return the blocks of a document, in order; of one *language* where it is given."""
    text = path.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        code = re.sub(rf"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
        found.append(Block(f"{path.relative_to(ROOT)}:{line}", match["language"], code))
    return [one for one in found if language is None or one.language == language]


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console's block, and the lines that it is said to print."""
    command, printed = "", list[str]()
    for line in block.code.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            if command:
                yield command, printed
            command, printed = line.removeprefix("$ "), []
        else:
            printed.append(line)
    if command:
        yield command, printed


def changed(text: str, block: Block) -> str:
    """Return *text* with the lines behind `-` of a block in `diff` replaced by those behind `+`."""
    lines = block.code.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] == sign) for sign in "-+")
    assert text.count(old) == 1, (block.where, old)
    return text.replace(old, new)


def run(command: str, directory: Path, code: int) -> str:
    """Run a command of this kit, of Python or of pytest in *directory*; return what it prints."""
    name, *arguments = shlex.split(command, comments=True)
    programs = {"httplib-kit": ("-m", "conformance"), "python": (), "pytest": ("-m", "pytest")}
    # A client that is run as `python3` is run once a case: not by what chooses among versions.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, *programs[name], *arguments],
        cwd=directory,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def missing(shown: list[str], printed: str) -> list[str]:
    """Return the first of the lines *shown* that does not follow in *printed*, and those after.

    An ellipsis stands for any lines; within a line, for any characters.
    """
    rest = iter(line.rstrip() for line in printed.splitlines())
    for at, line in enumerate(shown):
        if line.strip() == ELLIPSIS:
            continue
        pattern = ".*".join(map(re.escape, line.rstrip().split(ELLIPSIS)))
        if not any(re.fullmatch(pattern, one) for one in rest):
            return shown[at:]
    return []
