"""Packages whose names are imported on first use.

The input is a package, and its modules with the names that other packages use.  The output is its
``__getattr__``.  A command that needs one name of a package, or one module in it, does not import
all others.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def loader(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` that provides the names of *modules* in *package*.

    Args:
        package: its ``__name__``.
        modules: the names that each module provides, separated by spaces; none of them is that of a
            module in the package.
    """
    home = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{home[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
