"""The roster: the implementations that golden records are kept of, as a user writes them.

Each is recorded where it is found, and kept as it was where it is not.
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
