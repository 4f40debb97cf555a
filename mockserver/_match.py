"""Which requests a route is for, and in which way a request differs from that.

In come the arguments of a route, out come conditions. Each compares one part of a request, and says
in one sentence how the part differs, so that a request without a route is explained by the same
code that compared it. An argument that no request can ever meet is refused when the script is made.
Text is compared with text, bytes with the same bytes as Latin-1, a compiled pattern with the whole
part; any other object by `==`, which lets `unittest.mock.ANY` in.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from mockserver._request import Request
from mockserver._step import ScriptError

Expected = str | bytes | re.Pattern[str] | re.Pattern[bytes]
"""What a part of a request is compared with."""
ANYTHING: Any = ...
"""In place of JSON: any content will do; None is JSON's null."""


class Condition(NamedTuple):
    """What one part of a request must be.

    Attributes:
        needs_body: Whether the body has to be read before it can be answered.
        fits: Whether a request is so.
        difference: How a request differs that does not fit, in a sentence. It is apart from `fits`
            because a sentence takes longer than the comparison, and few are read.
    """

    needs_body: bool
    fits: Callable[[Request], bool]
    difference: Callable[[Request], str]

    def differs(self, request: Request) -> str | None:
        """How a request differs, in a sentence; None where it does not."""
        return None if self.fits(request) else self.difference(request)


def conditions(
    *,
    method: Expected | None = None,
    target: Expected | None = None,
    path: Expected | None = None,
    prefix: str | bytes | None = None,
    pattern: Expected | None = None,
    query: Mapping[Any, Any] | None = None,
    headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None = None,
    json: Any = ANYTHING,
) -> tuple[Condition, ...]:
    """The conditions that the arguments of a route mean, each as `Route` explains it.

    Raises:
        ScriptError: One of them can never be met.
    """
    given = {"target": target, "path": path, "prefix": prefix, "pattern": pattern}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        _refuse(named[1], given[named[1]], f"stands next to {named[0]}; give one of them")
    if target is not None and query is not None:
        _refuse("query", query, "cannot be given with target, which is compared whole; use path")
    found: list[Condition] = []
    if method is not None:
        found.append(_method(method))
    if target is not None:
        expected = _checked_target(target, method)
        found.append(_part("target", target, expected, lambda request: request.target))
    if path is not None:
        found.append(_path(path))
    if prefix is not None:
        found.append(_prefix(prefix))
    if pattern is not None:
        found.append(_pattern(pattern))
    if query is not None:
        found.append(_query(query))
    found += [_field(name, value) for name, value in _pairs("headers", headers or ())]
    if json is not ANYTHING:
        found.append(json_condition(json))
    return tuple(found)


def shown(value: object) -> str:
    """A value for a message: long ones are cut."""
    text = repr(value.pattern if isinstance(value, re.Pattern) else value)
    return text if len(text) <= 100 else f"{text[:97]}…"


def json_condition(value: Any) -> Condition:
    """The body is this JSON; the order of names and the spaces do not matter."""
    try:
        expected = json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        _refuse("json", value, f"is not JSON: {error}")

    def fits(request: Request) -> bool:
        try:
            return bool(request.json() == expected)
        except ValueError:
            return False

    def difference(request: Request) -> str:
        try:
            return _differs("JSON body", request.json(), expected)
        except ValueError as error:
            return str(error)

    return Condition(True, fits, difference)


def _refuse(name: str, value: object, reason: str) -> Any:
    raise ScriptError(f"route: {name}={shown(value)} {reason}")


def _differs(what: str, seen: object, expected: object) -> str:
    return f"the {what} is {shown(seen)}, expected {shown(expected)}"


def _text(name: str, value: Any) -> Any:
    """An argument in the form in which it is compared."""
    if isinstance(value, bool | int | float | list | tuple | dict | set):
        _refuse(name, value, "must be text, bytes, or a pattern such as re.compile('a|b')")
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str) and not value.isascii() and name not in ("path", "query"):
        _refuse(name, value, "is not ASCII; write it as it is sent, or as bytes")
    return value


def _equal(seen: str, expected: Any) -> bool:
    if isinstance(expected, re.Pattern):
        data: Any = seen.encode("latin-1") if isinstance(expected.pattern, bytes) else seen
        return expected.fullmatch(data) is not None
    return bool(expected == seen)


def _part(what: str, given: Expected, expected: Any, part: Callable[[Request], str]) -> Condition:
    def fits(request: Request) -> bool:
        seen = part(request)
        return bool(seen == expected) or _equal(seen, expected)

    return Condition(False, fits, lambda request: _differs(what, part(request), given))


def _method(method: Expected) -> Condition:
    expected = _text("method", method)
    if isinstance(expected, str):
        if not re.fullmatch(r"[!#-\[\]^-z|~]+", expected):
            _refuse("method", method, "is not the name of a method, such as 'GET'")
        name = expected.upper()
        return Condition(
            False,
            lambda request: request.method == name or request.method.upper() == name,
            lambda request: _differs("method", request.method, method),
        )
    return _part("method", method, expected, lambda request: request.method)


def _checked_target(target: Expected, method: Expected | None) -> Any:
    expected = _text("target", target)
    if isinstance(expected, str):
        connects = isinstance(method, str | bytes) and _text("method", method).upper() == "CONNECT"
        if not (expected.startswith("/") or "://" in expected or expected == "*" or connects):
            _refuse("target", target, f"does not begin with a slash; write {'/' + expected!r}")
        if "#" in expected:
            _refuse("target", target, "has a fragment, which no client sends")
        if re.search(r"\s", expected):
            _refuse("target", target, "has a space, which ends a target; write %20")
    return expected


def _checked_path(name: str, path: str | bytes) -> str:
    expected = str(_text("path", path))
    if "://" in expected:
        _refuse(name, path, f"is a whole URL; write {urlsplit(expected).path or '/'!r}")
    if not expected.startswith("/"):
        _refuse(name, path, f"does not begin with a slash; write {'/' + expected!r}")
    if "?" in expected:
        _refuse(name, path, "has a query, which is not part of a path; use target or query")
    if "#" in expected:
        _refuse(name, path, "has a fragment, which no client sends")
    if _PATTERN.search(expected):
        _refuse(name, path, "is compared as it is; for any of several write pattern=r'/a/[^/]+'")
    return unquote(expected)


_PATTERN = re.compile(r"\{\w*\}|<(\w+:)?\w+>|\.[*+]|\\[dws]|\[\^/|/\*+\Z")
"""What stands in patterns, templates and globs, and in no path that clients send unencoded."""


def _path(path: Expected) -> Condition:
    expected = _checked_path("path", path) if isinstance(path, str | bytes) else _text("path", path)
    return _part("path", path, expected, lambda request: request.path)


def _prefix(prefix: Any) -> Condition:
    if not isinstance(prefix, str | bytes):
        _refuse("prefix", prefix, "must be text or bytes; for a pattern use pattern")
    expected = _checked_path("prefix", prefix)

    def difference(request: Request) -> str:
        return f"the path is {shown(request.path)}, expected one that begins with {shown(prefix)}"

    return Condition(False, lambda request: request.path.startswith(expected), difference)


def _pattern(pattern: Expected) -> Condition:
    expected: Any = pattern
    if isinstance(pattern, str | bytes):
        try:
            expected = re.compile(pattern)
        except re.error as error:
            _refuse("pattern", pattern, f"is not a regular expression: {error}")
    if not isinstance(expected, re.Pattern):
        _refuse("pattern", pattern, "must be a regular expression, as text or compiled")
    if r"\?" in str(_text("pattern", expected.pattern)):
        _refuse("pattern", pattern, "has a query, which is not part of a path; use query={...}")
    if re.match(r"\^?\w+(?![\w*?{|])", _text("path", expected.pattern)) and "|" not in str(
        expected
    ):
        _refuse("pattern", pattern, "does not begin with a slash, as every path does")
    return _part("path", pattern, expected, lambda request: request.path)


def _query(query: Any) -> Condition:
    if not isinstance(query, Mapping):
        _refuse("query", query, "must be a mapping, such as {'page': '2'}")
    expected = {
        _text("query", name): [_value(one) for one in value]
        if isinstance(value, list | tuple)
        else [_value(value)]
        for name, value in query.items()
    }

    def of(request: Request) -> dict[str, list[str]]:
        return {name: request.query.get_all(name) for name in request.query}

    def fits(request: Request) -> bool:
        seen = of(request)
        return seen.keys() == expected.keys() and all(
            len(seen[name]) == len(values) and all(map(_equal, seen[name], values))
            for name, values in expected.items()
        )

    def difference(request: Request) -> str:
        return _differs("query", _short(of(request)), _short(query))

    return Condition(False, fits, difference)


def _value(value: Any) -> Any:
    """A value of a query: numbers are written as text."""
    if isinstance(value, bool) or value is None:
        _refuse("query", value, "is not sent as such; write the text that the client sends")
    return str(value) if isinstance(value, int | float) else _text("query", value)


def _short(query: Mapping[Any, Any]) -> dict[Any, Any]:
    """A query for a message: a list of one is that one."""
    return {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in query.items()
    }


def _pairs(name: str, given: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        _refuse(name, given, "must be a mapping, such as {'Accept': 'text/html'}")
    yield from given.items() if isinstance(given, Mapping) else given


def _field(name: Any, value: Any) -> Condition:
    title = _text("headers", name)
    if not isinstance(title, str) or not re.fullmatch(r"[!#-'*+\-.0-9A-Z^-z|~]+", title):
        _refuse("headers", name, "is not the name of a field")
    expected = _text("headers", value)
    if isinstance(expected, str) and (expected != expected.strip() or "\n" in expected):
        _refuse("headers", value, "has outer blanks, which are not part of a value")

    def fits(request: Request) -> bool:
        values = request.headers.get_all(title)
        if expected is None or not values:
            return expected is None and not values
        return any(_equal(one, expected) for one in (*values, ", ".join(values)))

    def difference(request: Request) -> str:
        values = request.headers.get_all(title)
        if expected is None:
            return f"the field {title} is there, expected none"
        if not values:
            return f"the field {title} is missing, expected {shown(value)}"
        return _differs(f"field {title}", ", ".join(values), value)

    return Condition(False, fits, difference)
