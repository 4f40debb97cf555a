"""The files of a report: each written whole or not at all.

In: where a file or a site is to be, known before the run, and what is in it, known behind it.  Out:
files.  A place that cannot be written is found out before anything is run.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

SIGN = '<meta name="generator" content="httplib-kit">'
"""What the index of a site of ours contains; no other directory is ever replaced."""


class Refused(ValueError):
    """Nothing can be written there; the message is one line that names the place."""


class WholeFile:
    """A file that is replaced at the end; what is no regular file, such as a pipe, is written to.

    Args:
        path: where it is to be; a link is followed.

    Raises:
        Refused: nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        self._replaces = path.is_file() or not path.exists()
        # What is no file, such as /dev/stdout where that is a pipe, may have no path of its own.
        self._path = path.resolve() if self._replaces else path
        name = f".{self._path.name}.partial"
        self._target = self._path.with_name(name) if self._replaces else self._path
        try:
            self._file = self._target.open("wb")
        except OSError as error:
            raise Refused(f"cannot write {path}: {error.strerror}") from None

    def write(self, content: bytes) -> None:
        """Write *content*, which is everything, and put the file in its place."""
        with self._file:
            self._file.write(content)
        if self._replaces:
            self._target.replace(self._path)

    def close(self) -> None:
        """Leave nothing behind that is not whole."""
        self._file.close()
        if self._replaces:
            self._target.unlink(missing_ok=True)


class WholeSite:
    """A directory of files that is replaced as a whole.

    Args:
        path: where it is to be: nothing, an empty directory, or an earlier site.

    Raises:
        Refused: something else is there, or nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._target = self._path.with_name(f".{self._path.name}.partial")
        if self._path.exists() and not _is_ours(self._path):
            raise Refused(f"cannot write {path}: it is there and is no report of this kit")
        try:
            shutil.rmtree(self._target, ignore_errors=True)
            self._target.mkdir()
        except OSError as error:
            raise Refused(f"cannot write {path}: {error.strerror}") from None

    def write(self, files: Iterable[tuple[str, str]]) -> None:
        """Write *files*, by their names, and put the site in its place."""
        for name, text in files:
            file = self._target / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")
        if self._path.exists():
            shutil.rmtree(self._path)
        self._target.replace(self._path)

    def close(self) -> None:
        """Leave nothing behind that is not whole."""
        shutil.rmtree(self._target, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    if not path.is_dir():
        return False
    index = path / "index.html"
    return not any(path.iterdir()) or (
        index.is_file() and SIGN in index.read_text(encoding="utf-8", errors="replace")
    )
