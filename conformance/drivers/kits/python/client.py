"""The client that the driver drives: put yours here, with these names.  It makes sessions, too."""

import sys
from collections import namedtuple
from http.client import HTTPConnection, HTTPException

NAME = "http.client"
VERSION = ".".join(map(str, sys.version_info[:3]))
REJECTS = (HTTPException, OSError)
"""The errors by which the client rejects a response; any other is a bug in it."""

Response = namedtuple("Response", "status reason headers body")
"""What the client has read; None for a part that it does not offer to its users."""


class Client:
    """A client of one server: it lives as long as one case, which can have several requests."""

    def __init__(self, host, port):
        self.conn = HTTPConnection(host, port)

    def exchange(self, method, target, fields, body):
        """Send a request and return the response to it.

        method and target are str, fields is a list of pairs of str, body is bytes or None.
        """
        try:
            self.conn.request(method, target, body, dict(fields))
            answer = self.conn.getresponse()
            return Response(answer.status, answer.reason, answer.getheaders(), answer.read())
        except Exception:
            self.conn.close()
            raise

    def close(self):
        """End the connections that are still open."""
        self.conn.close()
