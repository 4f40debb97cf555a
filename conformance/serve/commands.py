"""Commands to type against a running server.

In: an entry of the catalogue, and ports.  Out: a `curl` command as a shell takes it.
"""

import shlex

from conformance.serve.catalogue import Entry, Ports, handshake

_GOOD = frozenset({"server", "names"})
"""Certificates that a client which knows the authority has no reason to refuse."""


def curl(entry: Entry, ports: Ports) -> str:
    """Return the command that has the case of *entry*; empty where it cannot be had."""
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
    """Return the option for certificates: the authority's where the certificate is what counts.

    Where a good certificate is shown for another name than the URL's, it is not looked at.
    """
    first = handshake(entry.case)
    if first is None:
        return ""
    if first.cert in _GOOD and entry.how != "tls":
        return "--insecure"
    return f"--cacert <(curl -s http://{ports.at(ports.http)}/_/ca.pem)"
