"""What an implementation raises, and the line of code that catches it and nothing more.

The input is a fault of the tables and the column that has it.  The output is the class, its bases,
and the line in the language in which the implementation is called; empty where that has none for
the class, or none is known.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from conformance.atlas.facts import Column
from conformance.atlas.tables import Fault
from conformance.drivers.clients import registry
from conformance.judge import NO_ANSWER

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
    line = line_of(one.name, column.written)
    return Catching(one.fault, name, bases, one.message, line, also, one.count, one.example)


def short_class(name: str) -> str:
    """Return a qualified name as it is written in code: built-in names without their module."""
    for module in _PLAIN:
        name = name.removeprefix(module)
    return name


def line_of(name: str, written: str) -> str:
    """Return the line that catches the class called *name* of the implementation *written*.

    It is empty where the client does not raise it, but its adapter does.
    """
    client = written.removeprefix("client:")
    if name == NO_ANSWER:
        return ""
    if client not in registry().client:
        # In a browser, a page catches; a command raises nothing.
        is_page = client.startswith("browser:")
        return catch_line(short_class(name), "JavaScript" if is_page else "Python")
    if name in registry().client[client].reported_as:
        return ""
    return catch_line(short_class(name), registry().way(client).language)


def catch_line(name: str, language: str) -> str:
    """Return the line that catches the class called *name* and nothing else; empty without one.

    >>> catch_line("exit-56", "")
    '[ $? -eq 56 ]'
    >>> catch_line("EOFError", "Ruby")
    'rescue EOFError'
    >>> catch_line("die", "Perl")
    ''
    """
    if name.startswith("exit-"):
        return f"[ $? -eq {name.removeprefix('exit-')} ]"
    for wanted, pattern, line in _LINES:
        if language == wanted and re.fullmatch(pattern, name):
            return line.format(name=name)
    return ""


_LINES = (
    ("Python", r"[\w.]+", "except {name}:"),
    ("Java", r"[\w.$]+", "catch ({name} error)"),
    ("C#", r"[\w.]+", "catch ({name} error)"),
    ("JavaScript", r"\w+", 'catch (error) {{ if (error.name !== "{name}") throw error; }}'),
    ("Ruby", r"[A-Z][\w:]*", "rescue {name}"),
    ("PHP", r"[A-Z][\w\\]*", "catch (\\{name} $error)"),
    ("Perl", r"[A-Z]\w*(::\w+)*", 'if (ref $@ && $@->isa("{name}"))'),
    ("Go", r"\*?\w+\.[A-Z]\w*", "if target := *new({name}); errors.As(err, &target)"),
)
"""For each language, which names are classes in it, and the line. A Perl script can die of a text,
and a class of Go that is not exported cannot be written by others."""
