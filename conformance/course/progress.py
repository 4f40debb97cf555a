"""The student's own file: the client, and the stages that it has passed."""

from pathlib import Path
from typing import Self

import msgspec

from conformance.report import Refused, WholeFile

PROGRESS = "httplib-course.json"


class CourseError(ValueError):
    """What the student can correct; the message is one line with place and remedy."""


class Progress(msgspec.Struct, forbid_unknown_fields=True):
    """The content of the file.

    Args:
        client: the client, as it is written for `check`; empty if none was given yet.
        passed: the numbers of the stages that it has passed, in order.
        unmasked: the numbers of the liars that the student has unmasked, in order.
    """

    client: str = ""
    passed: list[int] = []
    unmasked: list[int] = []

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the content of the file at *path*; without a file, that of a new student.

        Raises:
            CourseError: it is not such a file.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise CourseError(f"{path}: cannot be read: {error.strerror}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            how = "mend it, or delete it to begin again"
            raise CourseError(f"{path}: not a file of the course: {error}; {how}") from None

    def write(self, path: Path) -> None:
        """Replace the file at *path*, as a whole.

        Raises:
            CourseError: it cannot be written.
        """
        try:
            WholeFile(path).write(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
        except (Refused, OSError) as error:
            text = str(error) if isinstance(error, Refused) else f"{path}: {error.strerror}"
            raise CourseError(text) from None

    def settle(self, number: int, *, passes: bool) -> None:
        """Note whether the stage *number* passes."""
        self.passed = sorted({*self.passed, number} if passes else {*self.passed} - {number})
