"""Packages whose names are loaded when they are first asked for.

In: a package, and the module of each of its names.  Out: its ``__getattr__``.  A command that needs
one name of a package, or one module in it, does not wait for all others.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def loader(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return what gives *package* its *names*.

    Args:
        package: its ``__name__``.
        names: the module inside it in which each is defined; none is called like a module of it.
    """

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{names[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
