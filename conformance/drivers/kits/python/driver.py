#!/usr/bin/env python3
"""Speaks the driver protocol for the client in client.py: the part that you need not change.

The kit writes a message on each line of standard input, and reads an answer on each line of
standard output.  This file decodes the message, calls the client, and encodes what it returned.
What the client prints is in printed.txt, for standard output belongs to the protocol.
"""

import json
import sys
import traceback
from pathlib import Path
from urllib.parse import urlsplit

import client

OPS = ["fetch", "exchange"]
FEATURES = []  # what the client also does, as in docs/driver-protocol.md
PARTS = {"status": int, "reason": str, "headers": list, "body": bytes}
PRINTED = Path("printed.txt")

mine = None
"""The client, from the first request of a case to the message that ends it."""


class Printed:
    """Writes what the client prints to a file."""

    def write(self, text):
        """Write *text*."""
        with PRINTED.open("a", encoding="utf-8") as file:
            return file.write(text)

    def flush(self):
        """Do nothing: each text is in the file already."""


def entry(message, op):
    """Return the entry of the trace for *op*."""
    if op.get("call") not in OPS:
        return {"id": op["id"], "unsupported": True}
    try:
        return {"id": op["id"], "value": made(message, op["kwargs"])}
    except Exception as error:  # noqa: BLE001 # reported, not hidden
        return {"id": op["id"], "error": told(error)}


def made(message, asked):
    """Make the request that is asked for, and return the response."""
    global mine
    mine = mine or client.Client(*message["address"])
    target = asked.get("target") or urlsplit(message["url"]).path
    fields = [tuple(pair) for pair in asked["fields"]["value"]] if "fields" in asked else []
    body = asked["body"]["value"].encode("latin-1") if "body" in asked else None
    got = mine.exchange(asked.get("method", "GET"), target, fields, body)
    parts = {name: getattr(got, name) for name in PARTS}
    for name, part in parts.items():
        if part is not None and not isinstance(part, PARTS[name]):
            raise TypeError(f"{name} is {part!r:.60}: not of the type {PARTS[name].__name__}")
    content = None if parts["body"] is None else parts["body"].decode("latin-1")
    return {"type": "response", **parts, "body": content}


def told(error):
    """Return the facts about an error: one that the client does not raise on purpose is a bug."""
    kinds = [kind.__name__ for kind in type(error).__mro__[:-1]]
    lines = traceback.extract_tb(error.__traceback__)[::-1]
    frames = [
        {"file": one.filename, "line": one.lineno, "function": one.name, "text": one.line}
        for one in lines
        if one.filename != __file__
    ]
    category = {} if isinstance(error, client.REJECTS) else {"category": "leak"}
    facts = {"class": kinds[0], "bases": kinds[1:], "message": str(error), "frames": frames[:5]}
    return {**facts, **category}


def main():
    """Answer each message, until the input ends."""
    global mine
    answers, sys.stdout = sys.stdout, Printed()
    PRINTED.unlink(missing_ok=True)
    for message in map(json.loads, sys.stdin):
        kind, answer = message["type"], {}
        if kind == "stop":
            break
        if kind == "start":
            start = {"name": client.NAME, "version": client.VERSION, "ops": OPS}
            answer = {**start, "features": FEATURES}
        elif kind == "run":
            answer = {"trace": [entry(message, op) for op in message["ops"]]}
        elif kind == "release":
            mine = mine and mine.close()
        else:
            answer = {"unsupported": kind}
        print(json.dumps({**answer, "serial": message["serial"]}), file=answers, flush=True)


if __name__ == "__main__":
    main()
