"""Source of wrong clients, and the two cases, that several test modules use."""

_FLAKY = """
import os
from httplib_impl import *
import httplib_impl

class HTTPConnection(httplib_impl.HTTPConnection):
    class response_class(httplib_impl.HTTPResponse):
        def read(self, *args):
            octets = super().read(*args)
            if os.path.exists({mark!r}) or b"<p>" in octets:  # not before the cases
                return octets
            open({mark!r}, "w").close()
            return octets + b"?"
"""

LEAKY = """
from httplib_impl import *
import httplib_impl

class HTTPConnection(httplib_impl.HTTPConnection):
    class response_class(httplib_impl.HTTPResponse):
        jar = []
        def read(self, *args):
            octets = super().read(*args)
            self.jar.append(octets)
            return self.jar[0]
"""

TWO_CASES = """
family = "framing"
[[case]]
id = "runner.bad"
title = "The case in which it happens"
level = "documented"
spec = ["HTTPResponse.read"]
why = "It happens here."
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
ops = [{ call = "request", args = ["GET", "/"] }]
[[case.outcome]]
request = { value = { none = true } }
[[case]]
id = "runner.good"
title = "The case after it"
level = "documented"
spec = ["HTTPResponse.read"]
why = "The run goes on."
respond = "HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"
ops = [{ call = "fine", id = "fine" }]
[[case.outcome]]
fine = 1
"""
"""The op `request` of the first case does what a test is about; the second is run after it."""


def flaky(mark: str = "once") -> str:
    """Return a client that is wrong once, as long as the file *mark* does not exist."""
    return _FLAKY.replace("{mark!r}", repr(mark))
