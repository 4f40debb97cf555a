"""From the native exception of an implementation to the names that outcomes use.

In: the error of a trace entry: qualified names of the class and its bases, attributes, text.  Out:
the known names that it goes by, nearest first.  An error map, native name to known name, comes
before these rules.
"""

from collections.abc import Mapping
from typing import Any

from conformance.cases.names import PARENTS, ancestors, is_of_the_module

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
    """Return the known names by which *error* goes, nearest first, each once.

    A class that is called like one of the module's is one only if it is an HTTPException as well;
    where the driver says under which names the module exports it, it is those and no other.
    """
    natives = [str(native) for native in (error["class"], *error.get("bases", ()))]
    exported = error.get("exported")
    of_the_module = exported is None and any(
        native.rpartition(".")[2] == "HTTPException" for native in natives
    )
    names: list[str] = []
    for native in natives:
        if native in error_map:
            # Its own bases may be named in no way that is known here.
            names += [error_map[native], *ancestors(error_map[native])]
        else:
            names.append(_known(native, of_the_module) or "")
    names += filter(is_of_the_module, map(str, exported or ()))
    return tuple(dict.fromkeys(name for name in names if name))


def _known(native: str, of_the_module: bool) -> str | None:
    module, _, name = native.rpartition(".")
    if native in _NATIVE:
        return _NATIVE[native]
    if module in _BUILTIN_MODULES:
        return name if name in PARENTS and not is_of_the_module(name) else None
    return name if of_the_module and name in PARENTS and is_of_the_module(name) else None
