#!/usr/bin/env python3
"""A driver: it answers the messages of httplib-kit with what a client in Python does.

It makes sessions too: one connection object lives until `release`. Replace `made` and `released`
by what your client does; the protocol is in `main`.
"""

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

NAME = "http.client"
VERSION = ".".join(map(str, sys.version_info[:3]))
conn = None


def made(message, op):
    """Make the request of *op* on the connection of the case; return status, reason and so on."""
    global conn
    conn = conn or HTTPConnection(*message["address"])
    asked = {"target": urlsplit(message["url"]).path, **op["kwargs"]}
    body = asked["body"]["value"].encode("latin-1") if "body" in asked else None
    fields = dict(asked["fields"]["value"]) if "fields" in asked else {}
    try:
        conn.request(asked.get("method", "GET"), asked["target"], body, fields)
        answer = conn.getresponse()
        return answer.status, answer.reason, answer.getheaders(), answer.read()
    except Exception:
        conn.close()
        raise


def released():
    """Close what the client of the case has opened."""
    global conn
    if conn is not None:
        conn.close()
    conn = None


def outcome(message, op):
    """Return the value or the error of *op*."""
    try:
        status, reason, headers, body = made(message, op)
    except Exception as error:  # noqa: BLE001 # whatever escapes is a fact
        bases = [kind.__name__ for kind in type(error).__mro__[1:-1]]
        return {"error": {"class": type(error).__name__, "bases": bases, "message": str(error)}}
    value = {"type": "response", "status": status, "reason": reason, "headers": headers}
    return {"value": {**value, "body": body.decode("latin-1")}}


def main():
    """Answer each message on standard input with one line."""
    for message in map(json.loads, sys.stdin):
        kind, answer = message["type"], {}
        if kind == "stop":
            break
        if kind == "start":
            answer = {"name": NAME, "version": VERSION, "ops": ["fetch", "exchange"]}
        elif kind == "run" and message["ops"][0].get("call") in ("fetch", "exchange"):
            answer = {"trace": [{"id": op["id"], **outcome(message, op)} for op in message["ops"]]}
        elif kind == "run":
            answer = {"trace": [{"id": op["id"], "unsupported": True} for op in message["ops"]]}
        elif kind == "release":
            released()
        else:
            answer = {"unsupported": kind}
        print(json.dumps({**answer, "serial": message["serial"]}), flush=True)


if __name__ == "__main__":
    main()
