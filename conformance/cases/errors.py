"""The one error of this package: a case file that cannot be taken as it stands."""


class CaseError(ValueError):
    """A case file, or a case in it, is not what the format allows.

    Args:
        problem: what is wrong, in one line.
        file: the file's name.
        case: the id of the case, or its position where it has none.
        field: the path of the field inside the case, such as ``outcome[0].read``.
    """

    def __init__(self, problem: str, *, file: str = "", case: str = "", field: str = "") -> None:
        self.problem = " ".join(problem.split())
        self.file = file
        self.case = case
        self.field = field
        super().__init__(": ".join(part for part in (file, case, field, self.problem) if part))

    def within(self, *, file: str = "", case: str = "", field: str = "") -> "CaseError":
        """Return the same complaint with the outer part of its place filled in."""
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
