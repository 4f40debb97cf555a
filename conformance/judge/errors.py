"""From the native exception of an implementation to the names that outcomes use.

The input is the error of a trace entry: the qualified names of the class and of its bases, the
attributes, the text. The output is a tuple of names that outcomes use, nearest first. An error map,
from native to such names, is applied before the rules of this module.
"""

from collections.abc import Mapping
from typing import Any

from conformance.cases import PARENTS, ancestors, is_of_the_module

_BUILTIN_MODULES = frozenset({"builtins", "exceptions", "__builtin__"})
_NATIVE: Mapping[str, str] = {
    "socket.timeout": "TimeoutError",
    "socket.error": "OSError",
    "_socket.timeout": "TimeoutError",  # Jython's
    "_socket.error": "OSError",
    "exceptions.IOError": "OSError",
    "ssl.SSLError": "SSLError",
    "_ssl.SSLError": "SSLError",
    "_cffi_ssl._stdssl.error.SSLError": "SSLError",  # PyPy's name for it
    "ssl.CertificateError": "SSLError",
}


def error_names(error: Mapping[str, Any], error_map: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of *error* that outcomes use, nearest first, each once.

    A class with the name of one of the module's exceptions counts as that exception only if it is
    an HTTPException too. Where the driver reports under which names the module exports the class,
    only these names count.
    """
    natives = [str(native) for native in (error["class"], *error.get("bases", ()))]
    exported = error.get("exported")
    of_the_module = exported is None and any(
        native.rpartition(".")[2] == "HTTPException" for native in natives
    )
    names: list[str] = []
    for native in natives:
        if native in error_map:
            # The error's bases may have names that no rule here covers; the mapped class has these.
            names += [error_map[native], *ancestors(error_map[native])]
        else:
            names.append(_known(native, of_the_module) or "")
    # A driver may report these names in any order.
    mine = filter(is_of_the_module, map(str, exported or ()))
    names += sorted(mine, key=lambda name: -len(tuple(ancestors(name))))
    return tuple(dict.fromkeys(name for name in names if name))


def _known(native: str, of_the_module: bool) -> str | None:
    module, _, name = native.rpartition(".")
    if native in _NATIVE:
        return _NATIVE[native]
    if module in _BUILTIN_MODULES:
        return name if name in PARENTS and not is_of_the_module(name) else None
    return name if of_the_module and name in PARENTS and is_of_the_module(name) else None
