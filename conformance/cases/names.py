"""The exception names that an outcome may use, and which is a kind of which.

In: nothing.  Out: one small tree, from which everything else follows: the documented twelve, what
2.7 raises beside them, and the few built-in classes that a reading names.  2.7's ``socket.error``
and ``socket.timeout`` are called ``OSError`` and ``TimeoutError``, as Python 3 calls them.
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
FAMILIES = frozenset({"HTTPException", "OSError", "SSLError"})
"""What may escape without being named: exceptions of the module, of sockets and of TLS."""


def ancestors(name: str) -> Iterable[str]:
    """Yield the names of which *name* is a kind, nearest first."""
    while name in PARENTS:
        name = PARENTS[name]
        yield name


def met_by(wanted: str, names: Iterable[str]) -> bool:
    """Tell whether an exception that goes by *names* is a *wanted* one.

    It is where *wanted* is one of them, unless another says something else: a narrower class that
    has a meaning of its own (an undocumented subclass is as good as the class), or one of the
    module's own exceptions where a built-in one is wanted.
    """
    given = frozenset(names)
    if wanted not in given or (not is_of_the_module(wanted) and any(map(is_of_the_module, given))):
        return False
    return not any(wanted in ancestors(name) for name in given - UNDOCUMENTED)


def is_of_the_module(name: str) -> bool:
    """Tell whether *name* is HTTPException or a kind of it."""
    return name == "HTTPException" or "HTTPException" in ancestors(name)


DOCUMENTED = tuple(name for name in PARENTS if is_of_the_module(name) and name not in UNDOCUMENTED)
"""The twelve exceptions of the page."""
