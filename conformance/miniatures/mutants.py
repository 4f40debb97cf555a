"""Mutants: the source of a module with one small change.

A file comes in, mutants go out, each a description and, on demand, the whole changed source. What
can be changed into what is mutmut's table of operators, which know nothing of files and tests, and
two operators that it lacks: a condition is turned round, and a call is left out. What no run can
tell is left alone: annotations, docstrings, what only a type checker reads, the labels of
enumerations, the wording of messages, and the letter case of codec names.
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
        lines: the lines of the original that hold the change.
        before: the changed lines as they were, stripped, joined by one blank.
        after: the same lines as they are in the mutant.
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
        """Where the change is, and what it is."""
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
    """Whether only people read this: a constant message, or an enumeration whose values are labels.

    A message that is put together says something of the case, and is not left alone.
    """
    if isinstance(node, cst.Raise) and isinstance(node.exc, cst.Call):
        return any(isinstance(item.value, cst.SimpleString) for item in node.exc.args)
    return isinstance(node, cst.ClassDef) and any(
        isinstance(base.value, cst.Name) and base.value.value == "Enum" for base in node.bases
    )


def _is_for_types(node: cst.CSTNode) -> bool:
    """Whether only a type checker reads this: ``TYPE_CHECKING`` and what hangs on it."""
    if isinstance(node, cst.If):
        return isinstance(node.test, cst.Name) and node.test.value == "TYPE_CHECKING"
    if isinstance(node, cst.Assign):
        target = node.targets[0].target
        return isinstance(target, cst.Name) and target.value == "TYPE_CHECKING"
    return False


def _meaning(source: str) -> str | None:
    """The syntax tree without places, by which two sources can be told apart; None if broken."""
    try:
        return _CODEC.sub(lambda name: name.group().lower(), ast.dump(ast.parse(source)))
    except SyntaxError:
        return None


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ."""
    removed, added = [], []
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""):
        if line.startswith("-") and not line.startswith("---"):
            removed.append(line[1:].strip())
        elif line.startswith("+") and not line.startswith("+++"):
            added.append(line[1:].strip())
    return " ".join(removed), " ".join(added)
