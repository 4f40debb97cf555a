"""The exception names that an outcome may use, and their class hierarchy.

One small tree contains the twelve documented exceptions, the further ones that 2.7 raises, and the
few built-in classes that cases name. 2.7's ``socket.error`` and ``socket.timeout`` are called
``OSError`` and ``TimeoutError``, as in Python 3.
"""

from collections.abc import Iterable, Mapping

PARENTS: Mapping[str, str] = {
    "HTTPException": "Exception",
    "NotConnected": "HTTPException",
    "InvalidURL": "HTTPException",
    "UnknownProtocol": "HTTPException",
    "UnknownTransferEncoding": "HTTPException",
    "UnimplementedFileMode": "HTTPException",
    "IncompleteRead": "HTTPException",
    "ImproperConnectionState": "HTTPException",
    "CannotSendRequest": "ImproperConnectionState",
    "CannotSendHeader": "ImproperConnectionState",
    "ResponseNotReady": "ImproperConnectionState",
    "BadStatusLine": "HTTPException",
    "LineTooLong": "HTTPException",
    "OSError": "Exception",
    "TimeoutError": "OSError",
    "SSLError": "OSError",
    "ValueError": "Exception",
    "UnicodeEncodeError": "ValueError",
    "UnicodeDecodeError": "ValueError",
    "TypeError": "Exception",
    "RuntimeError": "Exception",
    "KeyError": "Exception",
    "IndexError": "Exception",
    "AttributeError": "Exception",
    "AssertionError": "Exception",
    "NotImplementedError": "RuntimeError",
    "OverflowError": "Exception",
    "MemoryError": "Exception",
    "StopIteration": "Exception",
}
UNDOCUMENTED = frozenset({"LineTooLong"})
ERROR_KINDS = frozenset({"HTTPException", "OSError", "SSLError"})
"""Exceptions that are not a LEAK even if no outcome names them: httplib's, sockets', TLS's."""


def ancestors(name: str) -> Iterable[str]:
    """Yield the names of the base classes of *name*, nearest first."""
    while name in PARENTS:
        name = PARENTS[name]
        yield name


def met_by(wanted: str, names: Iterable[str]) -> bool:
    """Return whether an exception with the names *names* counts as the expected one, *wanted*.

    It does if *wanted* is one of *names*, with two exceptions. A subclass with a documented meaning
    of its own does not count as its base class (an undocumented subclass does), and one of the
    module's own exceptions does not count as a built-in class.
    """
    given = frozenset(names)
    if wanted not in given or (not is_of_the_module(wanted) and any(map(is_of_the_module, given))):
        return False
    return not any(wanted in ancestors(name) for name in given - UNDOCUMENTED)


def is_of_the_module(name: str) -> bool:
    """Return whether *name* is HTTPException or a subclass of it."""
    return name == "HTTPException" or "HTTPException" in ancestors(name)


DOCUMENTED = tuple(name for name in PARENTS if is_of_the_module(name) and name not in UNDOCUMENTED)
"""The twelve exceptions of the documentation page."""
