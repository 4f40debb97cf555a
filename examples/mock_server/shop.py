"""The client of a shop that the tests next to it are about: it retries, and gives up in time."""

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from typing import Any

BROKEN = (OSError, http.client.HTTPException)
"""What a connection that breaks, stalls or ends too soon raises; an HTTPError is an OSError too."""


class ShopError(Exception):
    """The shop has not answered, or not with what was asked for."""


class Shop:
    """Talks to one shop.

    Args:
        url: Where it is, without a slash at the end.
        timeout: Seconds without a byte after which an attempt has failed.
        limit: Seconds that a whole answer may take.
        context: Whom to trust over TLS; by default the authorities of the system.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 5.0,
        limit: float = 30.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._url, self._timeout, self._limit, self._context = url, timeout, limit, context

    def get(self, path: str, attempts: int = 3) -> bytes:
        """The body at a path; a broken connection and a 503 are tried again."""
        try:
            return self._body(urllib.request.Request(self._url + path))
        except BROKEN as error:
            is_final = False
            if isinstance(error, urllib.error.HTTPError):
                error.close()
                is_final = error.code != 503
            if is_final or attempts == 1:
                raise ShopError(f"{path}: {error!r}") from error
        return self.get(path, attempts - 1)

    def item(self, number: int) -> Any:
        """An item, out of its JSON."""
        return json.loads(self.get(f"/items/{number}"))

    def order(self, item: int, count: int) -> int:
        """The number of a new order; it is sent once, whatever happens."""
        data = json.dumps({"item": item, "count": count}).encode()
        fields = {"Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(f"{self._url}/orders", data, fields, method="POST")
        try:
            return int(json.loads(self._body(request))["order"])
        except BROKEN as error:
            raise ShopError(f"the order may have been taken: {error!r}") from error

    def _body(self, request: urllib.request.Request) -> bytes:
        late = time.monotonic() + self._limit
        with urllib.request.urlopen(request, None, self._timeout, context=self._context) as answer:
            body = bytearray()
            while data := answer.read1(65536):
                body += data
                if time.monotonic() > late:
                    raise TimeoutError(f"the answer takes longer than {self._limit:g} s")
            if answer.length:  # `read1` does not say that something is missing
                raise http.client.IncompleteRead(bytes(body), answer.length)
            return bytes(body)
