#!/usr/bin/env python3
"""A driver for a client in a language without JSON: it speaks the driver protocol for a program.

    python3 line_driver.py NAME COMMAND [ARGUMENT ...]

The program is started once. Its first line is ``V version``, or ``N`` and what is not installed.
Then each line that it gets is a URL, and it answers with one of::

    R status head-length content-length <line end> head content
    E class <tab> message [<tab> class: message of an error that caused it ...] <line end>

The head is the reason phrase and, each after a line end, the fields as ``name: value``. A status
``-`` or a length -1 means that the client does not report it; a reason phrase that is a single NUL
means the same. No tab or line end may be inside a part; a program writes a space instead.
"""

import json
import subprocess
import sys

LOADS = b"http://127.0.0.1:1/"
"""No server is there: fetching it makes the program load its client before the first case."""


def octets(data):
    """Return *data* in the form of the protocol: one character for each byte."""
    return data.decode("latin-1")


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
        kind, _, self.said = octets(self._out.readline()).rstrip("\n").partition(" ")
        if kind not in ("V", "N"):
            sys.exit(f"{name} began with {kind!r}, where `V version` was due")
        self.is_there = kind == "V"
        if self.is_there:
            self.fetch(LOADS)

    def start(self):
        """Return the answer to ``start``."""
        if self.is_there:
            return {"name": self.name, "version": self.said or "unknown", "ops": ["fetch"]}
        return {"error": {"class": "NotInstalled", "message": self.said}}

    def fetch(self, url):
        """Return the value or the error of a fetch of *url*."""
        self._in.write(url + b"\n")
        self._in.flush()
        line = self._out.readline()
        kind, _, rest = line.rstrip(b"\n").partition(b" ")
        if kind == b"E":
            name, message, *causes = (*octets(rest).split("\t"), "")
            return {"error": {"class": name, "message": message, "causes": [*filter(None, causes)]}}
        if kind != b"R" or len(rest.split()) != 3:
            code = self._process.poll() if line else self._process.wait()
            sys.exit(f"{self.name} said {line[:60]!r}" if line else f"{self.name} ended: {code}")
        status, *lengths = rest.split()
        head, content = (None if int(one) < 0 else self._out.read(int(one)) for one in lengths)
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
            url = message["url"].encode()
            answer["trace"] = [
                {
                    "id": op["id"],
                    **(child.fetch(url) if op.get("call") == "fetch" else {"unsupported": True}),
                }
                for op in message["ops"]
            ]
        elif kind != "release":
            answer = {"unsupported": kind}
        print(json.dumps({**answer, "serial": message["serial"]}), flush=True)
    child.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
