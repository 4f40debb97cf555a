#!/usr/bin/env python3
"""A driver for `http.client`: every line of standard input is a message, every answer a line."""

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

for message in map(json.loads, sys.stdin):
    kind, answer = message["type"], {}
    if kind == "start":
        answer = {"name": "my-client", "version": "1.0", "ops": ["fetch"]}
    elif kind == "run" and message["ops"][0].get("call") == "fetch":
        try:
            conn = HTTPConnection(*message["address"])
            conn.request("GET", urlsplit(message["url"]).path)
            got = conn.getresponse()
            fact = {"value": {"type": "response", "status": got.status, "reason": got.reason}}
            fact["value"] |= {"headers": got.getheaders(), "body": got.read().decode("latin-1")}
        except Exception as error:  # noqa: BLE001 # whatever escapes is a fact
            fact = {"error": {"class": type(error).__name__, "message": str(error)}}
        answer = {"trace": [{"id": "fetch", **fact}]}
    elif kind == "run":
        answer = {"trace": [{"id": op["id"], "unsupported": True} for op in message["ops"]]}
    elif kind not in ("release", "stop"):
        answer = {"unsupported": kind}
    if kind != "stop":
        print(json.dumps({**answer, "serial": message["serial"]}), flush=True)
