"""Lies about what belongs to the caller: files, mappings, arrays, lists."""

from typing import Any

from tools.miniatures.miniature import Liar, lie, overrides

_C = "_connection.HTTPConnection."
_R = "_response.HTTPResponse."
_FILE = "HTTPConnection.request.body-file"
_FIELDS = "HTTPConnection.request.headers"


def _request(change: Any) -> Any:
    """A `request` that *change* carries out with the true one, the body and the fields."""

    def request(true: Any) -> Any:
        def changed(
            self: Any, method: str, url: str, body: Any = None, headers: Any = None
        ) -> None:
            change(self, lambda *args: true(self, method, url, *args), body, headers)

        return changed

    return request


def _requests(name: str, about: str, change: Any) -> None:
    overrides(name, about, _C + "request", _request(change))


def _closing(self: Any, true: Any, body: Any, headers: Any) -> None:
    true(body, headers)
    if hasattr(body, "close"):
        body.close()


def _rewinding(self: Any, true: Any, body: Any, headers: Any) -> None:
    here = body.tell() if hasattr(body, "tell") else 0
    true(body, headers)
    if hasattr(body, "seek"):
        body.seek(here)


def _counting_first(self: Any, true: Any, body: Any, headers: Any) -> None:
    if not hasattr(body, "tell"):
        true(body, headers)
        return
    here = body.tell()
    body.seek(0, 2)
    end = body.tell()
    for name, value in headers.items() if headers else ():
        if "\n" in f"{name}{value}":
            raise ValueError(name)
    body.seek(here)
    assert end >= 0
    true(body, headers)


def _naming(self: Any, true: Any, body: Any, headers: Any) -> None:
    if headers is not None and "Host" not in headers and "host" not in headers:
        headers["Host"] = self._authority_()
        true(body, {name: value for name, value in headers.items() if name != "Host"})
    else:
        true(body, headers)


def _measuring(self: Any, true: Any, body: Any, headers: Any) -> None:
    true(body, headers)
    if headers is not None and body is not None and "Content-Length" not in headers:
        headers["Content-Length"] = str(len(body)) if hasattr(body, "__len__") else "0"


def _emptying(self: Any, true: Any, body: Any, headers: Any) -> None:
    pairs = list(headers.items()) if headers else []
    true(body, headers)
    if isinstance(headers, dict):
        headers.clear()
    elif pairs:
        headers.pairs = []


def _lowering(self: Any, true: Any, body: Any, headers: Any) -> None:
    true(body, headers)
    for name, value in list(headers.items()) if headers else []:
        if name != name.lower():
            headers[name.lower()] = value


def _spending(self: Any, true: Any, body: Any, headers: Any) -> None:
    true(body, headers)
    if isinstance(body, bytearray):
        body.clear()


def _zeroing(self: Any, true: Any, body: Any, headers: Any) -> None:
    true(body, headers)
    if isinstance(body, bytearray):
        body[:] = bytes(len(body))


def _refusing(self: Any, true: Any, body: Any, headers: Any) -> None:
    try:
        true(body, headers)
    except (ValueError, TypeError, OSError):
        if hasattr(body, "close"):
            body.close()
        raise


_requests("closes-the-callers-file", _FILE, _closing)
_requests("closes-the-file-of-a-refused-request", "a call refused by validation", _refusing)
_requests("rewinds-the-callers-file", _FILE, _rewinding)
_requests("leaves-a-refused-file-at-its-end", "a call refused by validation", _counting_first)
_requests("adds-host-to-the-callers-mapping", _FIELDS, _naming)
_requests("adds-a-length-to-the-callers-mapping", _FIELDS, _measuring)
_requests("clears-the-callers-mapping", _FIELDS, _emptying)
_requests("lowers-names-in-the-callers-mapping", _FIELDS, _lowering)
_requests("clears-the-callers-bytearray", "HTTPConnection.request.body-string", _spending)
_requests("overwrites-the-callers-bytearray", "HTTPConnection.request.body-string", _zeroing)


@lie("clears-what-is-sent", "HTTPConnection.send")
def clears_what_is_sent(liar: Liar) -> None:
    """A bytearray given to `send` is empty afterwards."""

    def send(true: Any) -> Any:
        def spending(self: Any, data: Any) -> None:
            true(self, bytes(data) if isinstance(data, bytearray) else data)
            if isinstance(data, bytearray):
                data.clear()

        return spending

    liar.override(_C + "send", send)


@lie("closes-what-is-sent", "HTTPConnection.send")
def closes_what_is_sent(liar: Liar) -> None:
    """A file given to `send` is closed afterwards."""

    def send(true: Any) -> Any:
        def closing(self: Any, data: Any) -> None:
            true(self, data)
            if hasattr(data, "read") and hasattr(data, "close"):
                data.close()

        return closing

    liar.override(_C + "send", send)


@lie("hands-out-its-own-list", "HTTPResponse.getheaders")
def hands_out_its_own_list(liar: Liar) -> None:
    """What the caller does to the list of `getheaders` is in the next one."""

    def getheaders(true: Any) -> Any:
        def same(self: Any) -> Any:
            if not hasattr(self, "handed"):
                self.handed = true(self)
            return self.handed

        return same

    liar.override(_R + "getheaders", getheaders)
