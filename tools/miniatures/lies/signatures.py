"""Lies about signatures: the names of keywords, what may be left out, what is returned."""

from tools.miniatures.miniature import overrides

_C = "_connection.HTTPConnection."


def _positional(name: str, about: str, path: str) -> None:
    """Enter a client in which one method takes no keywords."""
    overrides(name, about, path, lambda true: lambda self, *args: true(self, *args))


_positional("sends-without-keywords", "HTTPConnection.send", _C + "send")
