"""The environment of a driver's process: nothing in it may change what is judged.

In: the environment of the kit.  Out: that of a program under test: without proxies, certificate
files, configuration of single clients and of Python; with the memory of runtimes limited that do
not live within an address space.  What selects an interpreter (``PATH``, ``PYENV_VERSION``,
``JAVA_HOME``) stays.
"""

import os
from collections.abc import Mapping

MEMORY = 2 << 30
"""Bytes that a driver may take: far more than a case needs, far less than a machine has."""

_CLEARED = frozenset(
    {"ssl_cert_file", "ssl_cert_dir", "sslkeylogfile", "openssl_conf", "requests_ca_bundle"}
    | {"curl_ca_bundle", "curl_home", "wgetrc", "node_extra_ca_certs", "lc_all", "lang"}
)
_KEPT_OF_PYTHON = frozenset({"PYTHONPATH", "PYTHONUSERBASE"})
_HEAP = MEMORY >> 21
"""Mebibytes for the heap of a runtime that keeps other things beside it: half of it all."""
_JAVA = f"-Xmx{_HEAP}m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""A process that lives for minutes gains nothing from more: this halves what a case costs a JVM."""


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a driver, made from *given*, by default the kit's own."""
    mine = os.environ if given is None else given
    kept = {name: value for name, value in mine.items() if not _is_cleared(name)}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "NETRC": os.devnull,
        "PYTHONHASHSEED": "0",
        # The last of several options counts, so that a user can still give another one.
        "JAVA_TOOL_OPTIONS": _before(_JAVA, kept.get("JAVA_TOOL_OPTIONS")),
        "NODE_OPTIONS": _before(f"--max-old-space-size={_HEAP}", kept.get("NODE_OPTIONS")),
    }


def _is_cleared(name: str) -> bool:
    lower = name.lower()
    return (
        lower in _CLEARED
        or lower.endswith("_proxy")
        or (name.startswith("PYTHON") and name not in _KEPT_OF_PYTHON)
    )


def _before(option: str, given: str | None) -> str:
    return f"{option} {given}" if given else option
