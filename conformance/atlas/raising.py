"""What an implementation raises, and the line of code that catches it and nothing more.

The input is a fault of the tables and the column that has it.  The output is the class, its bases,
and the line in the language of the implementation: Python, Java, JavaScript or a shell.
"""

from collections.abc import Sequence
from typing import NamedTuple

from conformance.atlas.facts import Column
from conformance.atlas.tables import Fault

_PLAIN = ("builtins.", "exceptions.", "__builtin__.")
_ROOTS = frozenset({"object", "BaseException", "Exception", "StandardError"})


class Catching(NamedTuple):
    """A row of the table of exceptions.

    Args:
        fault: what went wrong: a category of the client profile, or an exception of the page.
        name: the class.
        bases: its bases, without those that every exception has.
        message: the text of one of them; empty if it is not recorded.
        line: the line that catches it.
        also: other recorded classes that the same line catches.
        cases: the number of cases.
        example: the id of one of them.
    """

    fault: str
    name: str
    bases: list[str]
    message: str
    line: str
    also: list[str]
    cases: int
    example: str


def catching(one: Fault, column: Column, faults: Sequence[Fault]) -> Catching:
    """Return the row of *one*, among all *faults* of the implementation in *column*."""
    name = short_class(one.name)
    bases = [short for short in map(short_class, one.bases) if short not in _ROOTS]
    caught = (other.name for other in faults if one.name in other.bases)
    also = list(dict.fromkeys(map(short_class, caught)))
    line = catch_line(name, is_client=column.is_client, is_python=bool(one.bases))
    return Catching(one.fault, name, bases, one.message, line, also, one.count, one.example)


def short_class(name: str) -> str:
    """Return a qualified name as it is written in code: built-in names without their module."""
    for module in _PLAIN:
        name = name.removeprefix(module)
    return name


def catch_line(name: str, *, is_client: bool, is_python: bool) -> str:
    """Return the line that catches the class called *name*.

    >>> catch_line("exit-56", is_client=True, is_python=False)
    '[ $? -eq 56 ]'
    """
    if name.startswith("exit-"):
        return f"[ $? -eq {name.removeprefix('exit-')} ]"
    if is_python or not is_client:
        return f"except {name}:"
    if name.startswith(("java.", "javax.")):
        return f"catch ({name} error)"
    return f'catch (error) {{ if (error.name !== "{name}") throw error; }}'
