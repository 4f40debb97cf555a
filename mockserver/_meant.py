"""What people mean who write the names of another mock server, or of this one wrongly.

In comes a name that is not there, out comes one line with the remedy: the word that does it here,
or a near one, or those that there are.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class ScriptError(ValueError):
    """A step, or the order of steps, that cannot be played; raised before any socket exists."""


_ARGUMENTS = {
    **dict.fromkeys(("status_code", "code"), "status=..."),
    **dict.fromkeys(("content_type", "mimetype"), "headers={'Content-Type': ...}"),
    **dict.fromkeys(("content", "data", "response_data", "payload"), "body=... or text=..."),
    **dict.fromkeys(("json_data", "response_json", "json_body"), "json=..."),
    **dict.fromkeys(("url", "uri", "url_path"), "path=..."),
    **dict.fromkeys(("query_string", "params", "query_params"), "query={...}"),
    **dict.fromkeys(("handler", "callback", "side_effect"), "respond=..."),
    **dict.fromkeys(("response", "reply"), "the Reply(...) as the first argument"),
    **dict.fromkeys(("ssl_context", "certfile", "cert"), "a Starttls() before the other steps"),
    **dict.fromkeys(("count", "repeat"), "times=..."),
    "timeout": "patience=... for the server, or a Pause",
    "port": "nothing: the system gives a free one, which server.url has",
}
_ATTRIBUTES = {
    **dict.fromkeys(
        ("expect_request", "expect_oneshot_request", "enqueue", "stub", "stubFor", "route"),
        "server.add(route(Reply(...), path=...))",
    ),
    "expect_ordered_request": "mock_server(Reply(...), Reply(...))",
    **dict.fromkeys(("get", "post", "put", "delete"), "server.add(route(..., method=...))"),
    **dict.fromkeys(("url_for", "base_url"), "server.url + '/path'"),
    **dict.fromkeys(("log", "calls", "journal"), "server.requests"),
    **dict.fromkeys(("takeRequest", "take_request"), "server.wait_for(1), then server.requests[0]"),
    **dict.fromkeys(("check", "check_assertions", "verify"), "server.clear(), or let the test end"),
    **dict.fromkeys(("reset", "clear_all_handlers"), "server.clear(check=False)"),
    **dict.fromkeys(("host", "port"), "server.address, a pair of both"),
    **dict.fromkeys(("close", "shutdown"), "server.stop()"),
    "wait": "server.wait_for(...)",
}


def no_argument(what: str, name: str, known: Iterable[str]) -> ScriptError:
    """The error about an argument that is not there.

    Args:
        what: What was called.
        name: The argument.
        known: The arguments that there are.
    """
    names = list(known)
    near = _near(name, names)
    meant = _ARGUMENTS.get(name) or (f"{near}=..." if near else None)
    remedy = f"write {meant}" if meant else f"there is {', '.join(names)}"
    return ScriptError(f"{what}: has no argument {name!r}; {remedy}")


def no_attribute(what: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error about an attribute that is not there; the arguments are as for `no_argument`."""
    near = _near(name, [one for one in known if one[:1] != "_"])
    meant = _ATTRIBUTES.get(name) or (f"server.{near}" if near else None)
    return AttributeError(f"{what} has no {name!r}" + (f"; write {meant}" if meant else ""))


def _near(name: str, known: list[str]) -> str | None:
    import difflib  # only a slip needs it

    return next(iter(difflib.get_close_matches(name, known, 1)), None)


def checks_names(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function refuse arguments that it does not have with a remedy."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        known = [name for name in inspect.signature(function).parameters if name != "self"]

        @functools.wraps(function)
        def checked(*args: P.args, **named: P.kwargs) -> R:
            __tracebackhide__ = True
            for name in named:
                if name not in known:
                    raise no_argument(what, name, known)
            return function(*args, **named)

        return checked

    return decorate
