"""The environment of a driver's process, which must not change the results.

The input is the environment of the kit. The output is that of the program under test, without
variables for proxies, certificate files, and the configuration of Python and of single clients. It
limits the memory of runtimes that cannot run with a limited address space. The variables that
select an interpreter (``PATH``, ``PYENV_VERSION``, ``JAVA_HOME``) are kept.
"""

import os
from collections.abc import Mapping
from pathlib import Path

MEMORY = 2 << 30
"""The most memory for a driver, in bytes: far more than a case needs, less than a machine has."""

_CLEARED = frozenset(
    {"ssl_cert_file", "ssl_cert_dir", "sslkeylogfile", "openssl_conf", "requests_ca_bundle"}
    | {"curl_ca_bundle", "curl_home", "wgetrc", "node_extra_ca_certs", "lc_all", "lang"}
)
_KEPT_OF_PYTHON = frozenset({"PYTHONPATH", "PYTHONUSERBASE"})
_NO_NETRC = Path(__file__).with_name("no-netrc")
"""A path at which nothing is. To most clients NETRC names a file, to Ruby's a directory with a
file; each uses no credentials if there is none, but Ruby's fails if the path is of a file."""
_HEAP = MEMORY >> 21
"""The heap in MiB for a runtime with other large memory areas: half of `MEMORY`."""
_JAVA = f"-Xmx{_HEAP}m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Over a few minutes, more compilation gains nothing; this halves the cost of a case on a JVM."""


def child_environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a driver, made from *given*, by default the kit's own."""
    mine = os.environ if given is None else given
    kept = {name: value for name, value in mine.items() if not _is_cleared(name)}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "NETRC": str(_NO_NETRC),
        "PYTHONHASHSEED": "0",
        # The user's options come last: the last of several options counts, so they can override.
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
