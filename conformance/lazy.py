"""Packages whose names are imported on first use.

The input is a package, and the module of each of its names.  The output is its ``__getattr__``.  A
command that needs one name of a package, or one module in it, does not import all others.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def loader(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` that provides *names* in *package*.

    Args:
        package: its ``__name__``.
        names: maps each name to the module that defines it; no name equals that of a module in the
            package.
    """

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{names[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
