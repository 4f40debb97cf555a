"""The roster: the implementations that have golden records, as a user writes them.

An implementation that is installed is recorded again; of one that is not, the records are kept.
"""

from conformance.drivers.clients import BUILT_IN, PREFIX

ROSTER = (
    "python2.7:httplib",
    "jython:httplib",
    *(f"python3.{minor}:http.client" for minor in range(8, 14)),
    "pypy3:http.client",
    "eventlet.green.http.client",
    "future.backports.http.client",
    *(f"{PREFIX}{name}" for name in BUILT_IN),
)
