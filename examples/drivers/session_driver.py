#!/usr/bin/env python3
"""A driver for `http.client` that makes sessions too: one connection object until `release`."""

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

conn = None


def made(message, op):
    """Make the request of *op* on the connection of the case, and return what came of it."""
    global conn
    conn = conn or HTTPConnection(*message["address"])
    asked = {"target": urlsplit(message["url"]).path, **op["kwargs"]}
    body = asked["body"]["value"].encode("latin-1") if "body" in asked else None
    fields = dict(asked["fields"]["value"]) if "fields" in asked else {}
    try:
        conn.request(asked.get("method", "GET"), asked["target"], body, fields)
        got = conn.getresponse()
        fact = {"type": "response", "status": got.status, "reason": got.reason}
        return {
            "value": {**fact, "headers": got.getheaders(), "body": got.read().decode("latin-1")}
        }
    except Exception as error:  # noqa: BLE001 # whatever escapes is a fact
        conn.close()
        return {"error": {"class": type(error).__name__, "message": str(error)}}


for message in map(json.loads, sys.stdin):
    kind, answer = message["type"], {}
    if kind == "start":
        answer = {"name": "my-client", "version": "1.0", "ops": ["fetch", "exchange"]}
    elif kind == "run" and message["ops"][0].get("call") in ("fetch", "exchange"):
        answer = {"trace": [{"id": op["id"], **made(message, op)} for op in message["ops"]]}
    elif kind == "run":
        answer = {"trace": [{"id": op["id"], "unsupported": True} for op in message["ops"]]}
    elif kind == "release":
        conn = conn and conn.close()
    elif kind != "stop":
        answer = {"unsupported": kind}
    if kind != "stop":
        print(json.dumps({**answer, "serial": message["serial"]}), flush=True)
