"""The files of a report, each written completely or not at all.

A path is checked before the run, so that one that cannot be written is reported before anything
runs.  The content is written after the run.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

SIGN = '<meta name="generator" content="httplib-kit">'
"""A text in the index of every site that the kit writes; a directory without it is never replaced.
"""


class Refused(ValueError):
    """The path cannot be written; the message is one line that names it."""


class WholeFile:
    """A file that is replaced at the end; if it is not a regular file, it is written to.

    Args:
        path: the path of the file; a link is followed.

    Raises:
        Refused: the path cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._replaces = path.is_file() or not path.exists()
        # Only a regular file is resolved: /dev/stdout, if it is a pipe, may resolve to no path.
        self._path = path.resolve() if self._replaces else path
        name = f".{self._path.name}.partial"
        self._target = self._path.with_name(name) if self._replaces else self._path
        try:
            self._file = self._target.open("wb")
        except OSError as error:
            raise Refused(f"cannot write {path}: {error.strerror}") from None

    def write(self, content: bytes | Iterable[bytes]) -> None:
        """Write *content*, which is complete as a whole or in parts, and replace the file."""
        with self._file:
            self._file.writelines((content,) if isinstance(content, bytes) else content)
        if self._replaces:
            self._target.replace(self._path)

    def close(self) -> None:
        """Remove what is incomplete."""
        self._file.close()
        if self._replaces:
            self._target.unlink(missing_ok=True)


class WholeSite:
    """A directory of files that is replaced as a whole.

    Args:
        path: a path at which there is nothing, an empty directory, or an earlier site.

    Raises:
        Refused: there is something else, or the path cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._target = self._path.with_name(f".{self._path.name}.partial")
        if self._path.exists() and not _is_ours(self._path):
            raise Refused(f"cannot write {path}: it exists and is not a report of this kit")
        try:
            shutil.rmtree(self._target, ignore_errors=True)
            self._target.mkdir()
        except OSError as error:
            raise Refused(f"cannot write {path}: {error.strerror}") from None

    def write(self, files: Iterable[tuple[str, str]]) -> None:
        """Write *files*, by their names, and replace the site."""
        made = {""}
        for name, text in files:
            parent = name.rpartition("/")[0]
            if parent not in made:
                (self._target / parent).mkdir()
                made.add(parent)
            (self._target / name).write_bytes(text.encode())
        if self._path.exists():
            shutil.rmtree(self._path)
        self._target.replace(self._path)

    def close(self) -> None:
        """Remove what is incomplete."""
        shutil.rmtree(self._target, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    if not path.is_dir():
        return False
    index = path / "index.html"
    return not any(path.iterdir()) or (
        index.is_file() and SIGN in index.read_text(encoding="utf-8", errors="replace")
    )
