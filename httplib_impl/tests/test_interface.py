"""The names of the documentation page, the layering, and the examples in the docstrings."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import httplib_impl
from httplib_impl._state import State
from httplib_impl.tests import diagram
from httplib_impl.tests.diagram import TABLE

PACKAGE = Path(httplib_impl.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("_[a-z]*.py"))

BASES = {
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
}

CODES = {
    "CONTINUE": 100,
    "SWITCHING_PROTOCOLS": 101,
    "PROCESSING": 102,
    "OK": 200,
    "CREATED": 201,
    "ACCEPTED": 202,
    "NON_AUTHORITATIVE_INFORMATION": 203,
    "NO_CONTENT": 204,
    "RESET_CONTENT": 205,
    "PARTIAL_CONTENT": 206,
    "MULTI_STATUS": 207,
    "IM_USED": 226,
    "MULTIPLE_CHOICES": 300,
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "NOT_MODIFIED": 304,
    "USE_PROXY": 305,
    "TEMPORARY_REDIRECT": 307,
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "PAYMENT_REQUIRED": 402,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "PROXY_AUTHENTICATION_REQUIRED": 407,
    "REQUEST_TIMEOUT": 408,
    "CONFLICT": 409,
    "GONE": 410,
    "LENGTH_REQUIRED": 411,
    "PRECONDITION_FAILED": 412,
    "REQUEST_ENTITY_TOO_LARGE": 413,
    "REQUEST_URI_TOO_LONG": 414,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "REQUESTED_RANGE_NOT_SATISFIABLE": 416,
    "EXPECTATION_FAILED": 417,
    "UNPROCESSABLE_ENTITY": 422,
    "LOCKED": 423,
    "FAILED_DEPENDENCY": 424,
    "UPGRADE_REQUIRED": 426,
    "INTERNAL_SERVER_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "BAD_GATEWAY": 502,
    "SERVICE_UNAVAILABLE": 503,
    "GATEWAY_TIMEOUT": 504,
    "HTTP_VERSION_NOT_SUPPORTED": 505,
    "INSUFFICIENT_STORAGE": 507,
    "NOT_EXTENDED": 510,
}

ARGUMENTS = {
    "HTTPConnection": ["host", "port", "strict", "timeout", "source_address"],
    "HTTPSConnection": [
        *["host", "port", "key_file", "cert_file", "strict", "timeout", "source_address"],
        "context",
    ],
    "HTTPResponse": ["sock", "debuglevel", "strict", "method", "buffering"],
    "HTTPConnection.request": ["self", "method", "url", "body", "headers"],
    "HTTPConnection.getresponse": ["self", "buffering"],
    "HTTPConnection.set_debuglevel": ["self", "level"],
    "HTTPConnection.set_tunnel": ["self", "host", "port", "headers"],
    "HTTPConnection.connect": ["self"],
    "HTTPConnection.close": ["self"],
    "HTTPConnection.putrequest": ["self", "method", "url", "skip_host", "skip_accept_encoding"],
    "HTTPConnection.putheader": ["self", "header", "values"],
    "HTTPConnection.endheaders": ["self", "message_body"],
    "HTTPConnection.send": ["self", "data"],
    "HTTPResponse.read": ["self", "amt"],
    "HTTPResponse.getheader": ["self", "name", "default"],
    "HTTPResponse.getheaders": ["self"],
}


@pytest.mark.parametrize(("name", "base"), BASES.items())
def test_an_exception_has_its_documented_base(name: str, base: str) -> None:
    assert [cls.__name__ for cls in getattr(httplib_impl, name).__bases__] == [base]


def test_error_is_the_base_of_all_exceptions() -> None:
    assert httplib_impl.error is httplib_impl.HTTPException


def test_there_are_49_status_codes_and_all_are_plain_integers() -> None:
    assert len(CODES) == 49
    assert {name: getattr(httplib_impl, name) for name in CODES} == CODES
    assert {type(getattr(httplib_impl, name)) for name in CODES} == {int}
    assert (httplib_impl.HTTP_PORT, httplib_impl.HTTPS_PORT) == (80, 443)


def test_responses_is_the_table_of_2_7() -> None:
    assert httplib_impl.responses[httplib_impl.NOT_FOUND] == "Not Found"
    assert httplib_impl.responses[306] == "(Unused)"
    absent = {102, 207, 226, 422, 423, 424, 426, 507, 510}
    assert set(httplib_impl.responses) == (set(CODES.values()) | {306}) - absent


@pytest.mark.parametrize(("name", "arguments"), ARGUMENTS.items())
def test_arguments_have_their_documented_names_and_positions(
    name: str, arguments: list[str]
) -> None:
    owner: object = httplib_impl
    for part in name.split("."):
        owner = getattr(owner, part)
    assert callable(owner)
    assert list(inspect.signature(owner).parameters) == arguments


def test_the_texts_and_attributes_of_exceptions() -> None:
    incomplete = httplib_impl.IncompleteRead(b"abc", 5)
    assert str(incomplete) == repr(incomplete) == "IncompleteRead(3 bytes read, 5 more expected)"
    assert (incomplete.args, incomplete.partial, incomplete.expected) == ((b"abc",), b"abc", 5)
    assert str(httplib_impl.IncompleteRead(b"")) == "IncompleteRead(0 bytes read)"
    assert httplib_impl.BadStatusLine("").line == "''"
    assert httplib_impl.UnknownProtocol("HTTP/2.0").args == ("HTTP/2.0",)


def test_every_public_name_is_there_and_listed_once() -> None:
    assert len(set(httplib_impl.__all__)) == len(httplib_impl.__all__) == 18
    further = {*BASES, *CODES, "HTTPS", "HTTPMessage", "HTTP_PORT", "HTTPS_PORT", "socket", "ssl"}
    assert all(hasattr(httplib_impl, name) for name in {*httplib_impl.__all__, *further})
    assert not hasattr(httplib_impl, "absent")


@pytest.mark.parametrize("name", ["__init__", *MODULES])
def test_a_module_imports_the_standard_library_and_its_own_package_only(name: str) -> None:
    tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots = [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            roots = [(node.module or "").partition(".")[0]]
        else:
            continue
        assert set(roots) <= sys.stdlib_module_names


def test_the_import_is_light() -> None:
    code = "import sys, httplib_impl; print(*sys.modules)"
    command = [sys.executable, "-S", "-c", code]
    run = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    heavy = {"email", "http", "urllib", "ssl", "typing", "dataclasses", "inspect", "json"}
    assert heavy & set(run.stdout.split()) == set()


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    module = importlib.import_module(f"httplib_impl.{name}")
    assert doctest.testmod(module, raise_on_error=False).failed == 0


@pytest.mark.parametrize("function", ["parse_status_line", "parse_address", "field_line"])
def test_the_examples_are_found(function: str) -> None:
    found = {
        test.name.rpartition(".")[2]
        for name in MODULES
        for test in doctest.DocTestFinder().find(importlib.import_module(f"httplib_impl.{name}"))
        if test.examples
    }
    assert function in found


def test_every_state_can_be_left_and_every_call_is_somewhere_in_turn() -> None:
    assert {state for row in TABLE.values() for state in row} == set(State)
    assert {state for row in TABLE.values() for state in row.values()} == set(State)
    assert all(TABLE.values())


def test_the_diagram_in_the_documents_is_that_of_the_table() -> None:
    written = diagram.DOCUMENT.read_text(encoding="utf-8")
    assert written == diagram.document(), "run python -m httplib_impl.tests.diagram"
