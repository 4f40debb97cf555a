#!/usr/bin/env python3
"""A driver for a client in a language without JSON: it speaks the driver protocol for a program.

    python3 line_driver.py NAME COMMAND [ARGUMENT ...]

The program is started once. Its first line is ``V version``, ``S version``, a tab and the features
of its sessions, or ``N`` and what is not installed. docs/driver-protocol.md, "Lines", has the rest.
"""

import json
import re
import subprocess
import sys
from urllib.parse import urljoin

NONE = {"value": []}
# A client that takes nonsense reports nonsense, such as -200.
RESPONSE = re.compile(rb"R (-|-?\d{1,18}) (-1|\d{1,12}) (-1|\d{1,12})\n")
LOADS = "http://127.0.0.1:1/"
"""No server is there: fetching it makes the program load its client before the first case."""


def octets(data):
    """Return *data* in the form of the protocol: one character for each byte."""
    return data.decode("latin-1")


def request_of(url, asked):
    """Return the line and the bytes that ask a program for an exchange."""
    fields = "".join(f"{name}: {value}\n" for name, value in asked.get("fields", NONE)["value"])
    content = asked["body"]["value"].encode("latin-1") if "body" in asked else None
    options = "streamed" if "streamed" in asked else "expect" if "expect_continue" in asked else "-"
    words = [asked.get("method", "GET"), urljoin(url, asked.get("target", "")), len(fields)]
    words += [-1 if content is None else len(content), asked.get("consume", "read")]
    words += [asked.get("amount", 0), int(1000 * asked.get("timeout", 5)), options]
    line = " ".join(map(str, words)) + "\n" + fields
    return line.encode("latin-1") + (content or b"")


class Child:
    """The program.

    Args:
        name: the name of the client.
        command: the program and its arguments.
    """

    def __init__(self, name, command):
        self.name = name
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._in, self._out = self._process.stdin, self._process.stdout
        kind, _, said = octets(self._out.readline()).rstrip("\n").partition(" ")
        if kind not in ("V", "S", "N"):
            sys.exit(f"{name} began with {kind!r}, where `V version` was due")
        self.is_there, self.makes_sessions = kind != "N", kind == "S"
        self.said, _, features = said.partition("\t")
        self.features = features.split()
        if self.is_there:
            self.exchange(LOADS, {})
            self.release()

    def start(self):
        """Return the answer to ``start``."""
        if not self.is_there:
            return {"error": {"class": "NotInstalled", "message": self.said}}
        ops = ["fetch", "exchange"] if self.makes_sessions else ["fetch"]
        version = self.said or "unknown"
        return {"name": self.name, "version": version, "ops": ops, "features": self.features}

    def release(self):
        """Let the program close what the exchanges of a case have opened."""
        if self.makes_sessions:
            line = self._said(b"release\n")
            if line != b"released\n":
                self._fail(line, "released")

    def _said(self, text):
        """Return the line with which the program answers *text*."""
        self._in.write(text)
        self._in.flush()
        return self._out.readline()

    def _fail(self, line, due):
        """End the driver: *line* is not what is *due*, or the program has ended."""
        if not line:
            sys.exit(f"{self.name} ended: {self._process.wait()}")
        sys.exit(f"{self.name} said {line[:60]!r}, where `{due}` was due")

    def _read(self, size):
        """Return *size* bytes of an answer; None for a negative size."""
        data = None if size < 0 else self._out.read(size)
        if data is not None and len(data) < size:
            sys.exit(f"{self.name} ended after {len(data)} of {size} bytes")
        return data

    def exchange(self, url, asked):
        """Return the value or the error of the exchange that *asked* describes, at *url*."""
        line = self._said(request_of(url, asked) if self.makes_sessions else url.encode() + b"\n")
        kind, _, rest = line.rstrip(b"\n").partition(b" ")
        if kind == b"E":
            name, message, *causes = (*octets(rest).split("\t"), "")
            return {"error": {"class": name, "message": message, "causes": [*filter(None, causes)]}}
        found = RESPONSE.fullmatch(line)
        if not found:
            self._fail(line, "R status head-length content-length")
        status, *sizes = found.groups()
        head, content = (self._read(int(one)) for one in sizes)
        value = {"type": "response", "status": None if status == b"-" else int(status)}
        value.update(reason=None, headers=None, body=None if content is None else octets(content))
        if head is not None:
            reason, *fields = octets(head).split("\n")
            pairs = (field.partition(":") for field in fields)
            value["reason"] = None if reason == "\0" else reason
            value["headers"] = [[one, text.strip(" ")] for one, colon, text in pairs if colon]
        return {"value": value}

    def stop(self):
        """Close the program's input and wait for its end."""
        self._in.close()
        self._process.wait()


def entry(child, message, op):
    """Return the entry of *op*, without its id."""
    call = op.get("call")
    if call != "fetch" and not (call == "exchange" and child.makes_sessions):
        return {"unsupported": True}
    return child.exchange(message["url"], op.get("kwargs", {}))


def main(name, *command):
    """Answer the messages on standard input."""
    child = Child(name, command)
    for message in map(json.loads, sys.stdin):
        kind, answer = message["type"], {}
        if kind == "stop":
            break
        if kind == "start":
            answer = child.start()
        elif kind == "run":
            ops = message["ops"]
            answer["trace"] = [{"id": op["id"], **entry(child, message, op)} for op in ops]
        elif kind == "release":
            child.release()
        else:
            answer = {"unsupported": kind}
        print(json.dumps({**answer, "serial": message["serial"]}), flush=True)
    child.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
