"""Clients that are wrong about everything. That a case fails one proves only that it looks."""

from typing import Any

from tools.miniatures.miniature import Liar, lie


@lie("knows-no-answer", "HTTPConnection.getresponse", universal=True)
def knows_no_answer(liar: Liar) -> None:
    """`getresponse` raises an unexpected exception, before anything else."""

    def getresponse(true: Any) -> Any:
        def refuse(*args: object, **kwargs: object) -> None:
            raise LookupError("no answer")

        return refuse

    liar.override("_connection.HTTPConnection.getresponse", getresponse)


@lie("makes-no-connection", "module.client-side", "HTTPConnection.transaction", universal=True)
def makes_no_connection(liar: Liar) -> None:
    """The constructors raise an unexpected exception."""

    def init(true: Any) -> Any:
        def refuse(*args: object, **kwargs: object) -> None:
            raise LookupError("no connection")

        return refuse

    liar.override("_connection.HTTPConnection.__init__", init)
    liar.override("_response.HTTPResponse.__init__", init)


@lie("has-no-names", "module.client-side", universal=True)
def has_no_names(liar: Liar) -> None:
    """Every public name of the module is another object."""
    import httplib_impl

    for name in httplib_impl.__all__:
        if name not in ("HTTPConnection", "HTTPResponse"):  # the agent asks for these at its start
            liar.override(f".{name}", lambda true: object())
