"""Mutants: the source of a module with one small change.

The input is a file, the output is mutants, each a description and, when needed, the complete
changed source.  The operators are mutmut's, which do not depend on files and tests, and two that it
lacks: a condition is negated, and a call is omitted.  Changes that no run can detect are not made:
annotations, docstrings, code for type checkers only, the labels of enumerations, the text of
messages, and the letter case of codec names.
"""

import ast
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

_CODEC = re.compile("'(?:latin-1|ascii|idna|replace|backslashreplace)'", re.IGNORECASE)
Operator = Callable[[Any], Iterable[cst.CSTNode]]


def turned_round(node: cst.If | cst.While | cst.IfExp) -> Iterator[cst.CSTNode]:
    """Take the other branch."""
    inner = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    yield node.with_changes(test=cst.UnaryOperation(cst.Not(), inner))


def left_out(node: cst.SimpleStatementLine) -> Iterator[cst.CSTNode]:
    """Do nothing instead of a call."""
    if len(node.body) == 1 and isinstance(node.body[0], cst.Expr):
        yield node.with_changes(body=[cst.Pass()])


OPERATORS: Sequence[tuple[Any, Operator]] = (
    *mutation_operators,
    ((cst.If, cst.While, cst.IfExp), turned_round),
    (cst.SimpleStatementLine, left_out),
)


@dataclass(frozen=True)
class Mutant:
    """One changed module.

    Args:
        module: the file's name without ``.py``.
        function: the qualified name of the function or class that was changed; empty at the top
            level.
        operator: the name of the operator that changed it.
        lines: the lines of the original that contain the change.
        before: the original lines, stripped, joined by one blank.
        after: the same lines of the mutant.
    """

    module: str
    function: str
    operator: str
    lines: range
    before: str
    after: str
    source: str = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The place of the change, and the change."""
        place = f"{self.module}.{self.function}" if self.function else self.module
        return f"{place}: {self.before}  ->  {self.after}"


def mutants_of(path: Path) -> list[Mutant]:
    """Return every mutant of a file that can be compiled to something else, in source order."""
    text = path.read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(text))
    finder = _Finder()
    wrapper.visit(finder)
    seen = {_meaning(text)}
    found = []
    for function, operator, lines, old, new in finder.changes:
        source = wrapper.module.deep_replace(old, new).code
        meaning = _meaning(source)
        if meaning is None or meaning in seen:
            continue
        seen.add(meaning)
        before, after = _difference(text, source)
        found.append(Mutant(path.stem, function, operator, lines, before, after, source))
    return found


class _Finder(cst.CSTVisitor):
    """Collects the changes: where, by which operator, and which node becomes which."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[tuple[str, str, range, cst.CSTNode, cst.CSTNode]] = []
        self._names: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self._names.append(node.name.value)
        if isinstance(node, (cst.Annotation, cst.Import, cst.ImportFrom)) or _is_for_types(node):
            return False
        if _is_docstring(node) or _is_wording(node):
            return False
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                for new in operator(node):
                    self._found(operator.__name__, node, new)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, (cst.FunctionDef, cst.ClassDef)):
            self._names.pop()

    def _found(self, operator: str, old: cst.CSTNode, new: cst.CSTNode) -> None:
        position = self.get_metadata(PositionProvider, old)
        lines = range(position.start.line, position.end.line + 1)
        self.changes.append((".".join(self._names), operator, lines, old, new))


def _is_docstring(node: cst.CSTNode) -> bool:
    return (
        isinstance(node, cst.SimpleStatementLine)
        and len(node.body) == 1
        and isinstance(node.body[0], cst.Expr)
        and isinstance(node.body[0].value, (cst.SimpleString, cst.ConcatenatedString))
    )


def _is_wording(node: cst.CSTNode) -> bool:
    """Return whether only people read this: a constant message, or an enumeration of labels.

    A message that is composed at run time contains facts of the case, and is changed.
    """
    if isinstance(node, cst.Raise) and isinstance(node.exc, cst.Call):
        return any(isinstance(item.value, cst.SimpleString) for item in node.exc.args)
    return isinstance(node, cst.ClassDef) and any(
        isinstance(base.value, cst.Name) and base.value.value == "Enum" for base in node.bases
    )


def _is_for_types(node: cst.CSTNode) -> bool:
    """Return whether only a type checker reads this: ``TYPE_CHECKING`` and the code under it."""
    if isinstance(node, cst.If):
        return isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING"
    if isinstance(node, cst.Assign):
        target = node.targets[0].target
        return isinstance(target, cst.Name) and target.value == "TYPE_CHECKING"
    return False


def _meaning(source: str) -> str | None:
    """The syntax tree without positions, for comparing two sources; None if it does not parse."""
    try:
        return _CODEC.sub(lambda name: name.group().lower(), ast.dump(ast.parse(source)))
    except SyntaxError:
        return None


def _difference(before: str, after: str) -> tuple[str, str]:
    """Return the lines that differ."""
    removed, added = [], []
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""):
        if line.startswith("-") and not line.startswith("---"):
            removed.append(line[1:].strip())
        elif line.startswith("+") and not line.startswith("+++"):
            added.append(line[1:].strip())
    return " ".join(removed), " ".join(added)
