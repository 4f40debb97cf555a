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
DOCUMENTED = tuple(name for name in tuple(PARENTS)[:13] if name not in UNDOCUMENTED)
FAMILIES = frozenset({"HTTPException", "OSError", "SSLError"})
"""What may escape without being named: exceptions of the module, of sockets and of TLS."""


def ancestors(name: str) -> Iterable[str]:
    """Yield the names of which *name* is a kind, nearest first."""
    while name in PARENTS:
        name = PARENTS[name]
        yield name


def met_by(wanted: str, names: Iterable[str]) -> bool:
    """Tell whether an exception that goes by *names* is a *wanted* one.

    It is where *wanted* is one of them, unless another is a narrower class that has a meaning of
    its own: an undocumented subclass is as good as the class, a documented one says something else.
    """
    given = frozenset(names)
    narrower = (name for name in given - UNDOCUMENTED if wanted in ancestors(name))
    return wanted in given and not any(narrower)
