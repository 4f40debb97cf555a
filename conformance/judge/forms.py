"""What was seen, in the form in which outcomes are written.

The input is the error of a trace entry: the qualified names of the class and of its bases, the
attributes, the text. The output is a tuple of names that outcomes use, nearest first. An error map,
from native to such names, is applied before the rules of this module.

Requests are compared as far as the documentation page describes them. It names the request line,
the fields that are sent and their text, and the body; it does not define the order of fields, the
value of an automatic ``Accept-Encoding``, the version of CONNECT, or whether CONNECT has a
``Host``.
"""

import re
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


_AUTOMATIC = b"Accept-Encoding: identity"
_ACCEPT_ENCODING = re.compile(rb"(?i)(accept-encoding):.*", re.DOTALL)
_LENGTH = re.compile(rb"(?i)content-length:[ \t]*([0-9]{1,18})[ \t]*")
_LINE = re.compile(rb"\r\n(?![ \t])")


def page_forms(wanted: list[bytes], seen: list[bytes]) -> tuple[list[Any], list[Any]]:
    """Return *wanted* and *seen*, the requests of all connections, as two values to compare.

    The values are equal if the requests agree in everything that the page says, which does not
    include the connection that carried each. Otherwise both lists are returned unchanged.
    """
    whole, other = b"".join(wanted), b"".join(seen)
    automatic = _AUTOMATIC in whole
    same = _requests(whole, automatic=automatic) == _requests(other, automatic=automatic)
    return (wanted, wanted) if same else (wanted, seen)


def _requests(octets: bytes, *, automatic: bool) -> list[Any]:
    forms: list[Any] = []
    while octets:
        head, end, rest = octets.partition(b"\r\n\r\n")
        if not end:
            return [*forms, octets]
        line, *fields = _LINE.split(head)
        if line.startswith(b"CONNECT "):
            line = line.rpartition(b" ")[0]
            fields = [field for field in fields if not field.lower().startswith(b"host:")]
        elif automatic:
            fields = [_ACCEPT_ENCODING.sub(rb"\1", field) for field in fields]
        lengths = [int(found[1]) for field in fields if (found := _LENGTH.fullmatch(field))]
        body, octets = (rest[: lengths[0]], rest[lengths[0] :]) if lengths else (b"", rest)
        forms.append((line, sorted(fields), body))
    return forms
