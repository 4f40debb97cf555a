"""What a program wrote before it ended is one line: the message, and the line of its source."""

from pathlib import Path

import pytest

from conformance.drivers.last_words import decisive

NODE = """\
{file}:2
  throw new Error("boom");
  ^

Error: boom
    at f ({file}:2:9)
    at Object.<anonymous> ({file}:5:1)
    at node:internal/main/run_main_module:28:49

Node.js v20.20.2"""
NODE_SYNTAX = """\
{file}:2
const ;
      ^
SyntaxError: Unexpected token ';'
    at wrapSafe (node:internal/modules/cjs/loader:1464:18)

Node.js v20.20.2"""
NODE_MODULE = """\
node:internal/modules/cjs/loader:1210
  throw err;
  ^

Error: Cannot find module './nope'
Require stack:
- {file}
    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15)
    at Object.<anonymous> ({file}:2:11) {{
  code: 'MODULE_NOT_FOUND',
}}

Node.js v20.20.2"""
JVM = """\
Exception in thread "main" java.lang.RuntimeException: outer
\tat Driver.main(Driver.java:9)
Caused by: java.lang.IllegalStateException: boom
\tat java.base/java.util.Objects.requireNonNull(Objects.java:208)
\tat Driver.start({file}:2)
\tat Driver.main(Driver.java:7)"""
GO = """\
panic: assignment to entry in nil map

goroutine 1 [running]:
runtime.mapassign()
\t/usr/lib/go-1.19/src/runtime/map.go:580 +0x1
main.start(...)
\t{file}:2
main.main()
\t/x/main.go:4 +0x2e"""
PYTHON = """\
Traceback (most recent call last):
  File "{file}", line 2, in <module>
    start()
  File "/usr/lib/python3.11/json/decoder.py", line 353, in raw_decode
    obj, end = self.scan_once(s, idx)
json.decoder.JSONDecodeError: Expecting value"""
PYTHON_SYNTAX = """\
  File "{file}", line 2
    def f(:
          ^
SyntaxError: invalid syntax"""
SIGNAL = """\
Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "{file}", line 2 in connect
  File "/x/agent.py", line 9 in execute

Extension modules: _cffi_backend (total: 1)"""
RUBY = "{file}:2:in `start': boom (RuntimeError)\n\tfrom {file}:5:in `<main>'"
COMPILER = "{file}:2: error: illegal start of expression\n  int x = ;\n1 error\nerror: it failed"
PHP = (
    "PHP Fatal error:  Uncaught Exception: boom in {file}:2\n"
    "Stack trace:\n#0 {{main}}\n  thrown in {file} on line 2"
)
REPORTS = {
    "node": (NODE, "Error: boom"),
    "node, syntax": (NODE_SYNTAX, "SyntaxError: Unexpected token ';'"),
    "node, module": (NODE_MODULE, "Error: Cannot find module './nope'"),
    "jvm": (JVM, "java.lang.IllegalStateException: boom"),
    "go": (GO, "panic: assignment to entry in nil map"),
    "python": (PYTHON, "json.decoder.JSONDecodeError: Expecting value"),
    "python, syntax": (PYTHON_SYNTAX, "SyntaxError: invalid syntax"),
    "python, signal": (SIGNAL, "Segmentation fault"),
    "ruby": (RUBY, "{file}:2:in `start': boom (RuntimeError)"),
    "compiler": (COMPILER, "{file}:2: error: illegal start of expression"),
    "php": (PHP, "PHP Fatal error:  Uncaught Exception: boom in {file}:2"),
}


@pytest.mark.parametrize(("report", "message"), REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("before", ["", "a log line: 3\n"])
def test_the_message_and_the_line_of_the_program_are_named(
    tmp_path: Path, report: str, message: str, before: str
) -> None:
    file = tmp_path / "driver.go"
    file.write_text("one\n  two\n")
    lines = [line for line in report.format(file=file).split("\n") if line]
    if report != NODE_SYNTAX:  # its first line has the place
        lines = [*filter(None, before.split("\n")), *lines]
    assert decisive(lines) == f"{message.format(file=file)}; at {file}:2: two"


@pytest.mark.parametrize("text", ["no configuration", "warning\nfatal: no such host: a:80"])
def test_of_other_text_the_last_line_is_decisive(text: str) -> None:
    lines = text.split("\n")
    assert decisive(lines) == lines[-1]


def test_a_line_that_cannot_be_read_is_named_without_its_text() -> None:
    assert decisive(PYTHON.format(file="/missing.py").split("\n")).endswith("; at /missing.py:2")
