"""Commands to type for a running server.

The input is an entry of the catalogue, and ports.  The output is a `curl` command for a shell.
"""

import shlex

from conformance.serve.catalogue import Entry, Ports, handshake

_GOOD = frozenset({"server", "names"})
"""Certificates that a client which trusts the authority has no reason to reject."""


def curl(entry: Entry, ports: Ports) -> str:
    """Return the command that requests the case of *entry*; empty if the case is not served."""
    if entry.how == "none":
        return ""
    words = ["curl", "-i", "--http1.1", "--noproxy", "*"]
    if entry.how == "proxy":
        words[3:] = ["--proxytunnel", "--noproxy", "", "--proxy", f"http://{ports.at(ports.proxy)}"]
    if entry.server_name and entry.how != "proxy":
        address = f"{entry.server_name}:{ports.tls}:{ports.host}"
        words += ["--resolve", address]
    trust = _trust(entry, ports)
    return " ".join(filter(None, (shlex.join(words), trust, shlex.quote(entry.url(ports)))))


def _trust(entry: Entry, ports: Ports) -> str:
    """Return the option for certificates: the authority's if the case is about the certificate.

    If a valid certificate is for another name than the URL's, it is not verified.
    """
    first = handshake(entry.case)
    if first is None:
        return ""
    if first.cert in _GOOD and entry.how != "tls":
        return "--insecure"
    return f"--cacert <(curl -s http://{ports.at(ports.http)}/_/ca.pem)"
