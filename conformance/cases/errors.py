"""The only exception of this package: a case file that is not valid."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class CaseError(ValueError):
    """A case file, or a case in it, does not conform to the format; always one printable line.

    Args:
        problem: what is wrong.
        file: the file's name.
        case: the id of the case, or its position if it has no id.
        field: the path of the field in the case, such as ``outcome[0].read``.
    """

    def __init__(self, problem: str, *, file: str = "", case: str = "", field: str = "") -> None:
        self.problem = _line(problem)
        self.file = _line(file)
        self.case = _line(case)
        self.field = _line(field)
        parts = (self.file, self.case, self.field, self.problem)
        super().__init__(": ".join(part for part in parts if part))

    def within(self, *, file: str = "", case: str = "", field: str = "") -> "CaseError":
        """Return the same error with the missing outer parts of its place filled in."""
        inner = self.field
        if field and inner:
            glue = "" if inner.startswith("[") else "."
            field = f"{field}{glue}{inner}"
        return CaseError(
            self.problem,
            file=self.file or file,
            case=self.case or case,
            field=field or inner,
        )


def within(field: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call *function*, and prefix *field* to the place of a `CaseError` that it raises."""
    try:
        return function(*args, **kwargs)
    except CaseError as error:
        raise error.within(field=field) from None


def _line(text: str) -> str:
    """Return *text* in one line, with escapes for characters that are not printable."""
    words = " ".join(text.split())
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in words
    )
