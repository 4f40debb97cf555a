"""The package can be read in an hour, and stays so."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

import httplib_impl

MODULES = sorted(Path(httplib_impl.__file__).parent.glob("*.py"))

NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}


def docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None:
                lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def code_lines(source: str) -> set[int]:
    """The numbers of the lines that hold code: no blanks, no comments, no docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - docstring_lines(ast.parse(source))


def test_code_is_told_from_what_is_none() -> None:
    source = '"""Two\nlines."""\n\n# none\nx = [\n    1,\n]  # three\n\n\n'
    source += 'def f():\n    "doc"\n    return 1\n'
    assert code_lines(source) == {5, 6, 7, 10, 12}


def test_the_package_has_at_most_1900_lines_of_code() -> None:
    total = sum(len(code_lines(path.read_text(encoding="utf-8"))) for path in MODULES)
    assert 1000 < total <= 1900


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_function_has_more_than_50_lines(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    code = code_lines(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            own = code & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            assert len(own) <= 50, node.name
