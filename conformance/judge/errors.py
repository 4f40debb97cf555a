"""From the native exception of an implementation to the names that outcomes use.

In: the error of a trace entry: qualified names of the class and its bases, attributes, text.  Out:
the known names that it goes by, nearest first.  An error map, native name to known name, comes
before these rules.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cases.names import PARENTS

_BUILTIN_MODULES = frozenset({"builtins", "exceptions", "__builtin__"})
_NATIVE: Mapping[str, str] = {
    "socket.timeout": "TimeoutError",
    "socket.error": "OSError",
    "exceptions.IOError": "OSError",
    "ssl.SSLError": "SSLError",
    "_ssl.SSLError": "SSLError",
    "ssl.CertificateError": "SSLError",
}


def error_names(error: Mapping[str, Any], error_map: Mapping[str, str]) -> tuple[str, ...]:
    """Return the known names by which *error* goes, nearest first, each once."""
    return tuple(dict.fromkeys(_names(error, error_map)))


def _names(error: Mapping[str, Any], error_map: Mapping[str, str]) -> Iterator[str]:
    for native in (error["class"], *error.get("bases", ())):
        module, _, name = str(native).rpartition(".")
        known = error_map.get(native) or _NATIVE.get(native)
        if known is not None:
            yield known
        elif name in PARENTS and (module in _BUILTIN_MODULES) == (name not in _OF_THE_MODULE):
            yield name


def _is_of_the_module(name: str) -> bool:
    while name in PARENTS and name != "HTTPException":
        name = PARENTS[name]
    return name == "HTTPException"


_OF_THE_MODULE = frozenset(name for name in PARENTS if _is_of_the_module(name))
