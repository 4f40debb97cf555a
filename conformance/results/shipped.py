"""The shipped baselines: known deviations of widely used implementations.

The input is the identity that a driver reports.  The output is the file among the fixtures that is
about it: the file of the same version, else that of the minor version (``http.client-3.11`` for
3.11.9), else that of the nearest other version of the same minor version.
"""

import re
from pathlib import Path

from conformance.cases import fixtures_directory
from conformance.drivers import Identity
from conformance.results.baseline import BaselineError

_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")


def shipped_directory() -> Path:
    """Return the directory of the shipped baselines."""
    return fixtures_directory() / "baselines"


def shipped_baseline(identity: Identity) -> Path:
    """Return the shipped baseline for the implementation with this *identity*.

    Raises:
        BaselineError: there is none; the message lists those that exist.
    """
    names = sorted(path.stem for path in shipped_directory().glob("*.toml"))
    found = chosen(identity, names)
    if found is None:
        there = ", ".join(names) or "none at all"
        raise BaselineError(f"no baseline is shipped for {identity.label}; there are {there}")
    return shipped_directory() / f"{found}.toml"


def chosen(identity: Identity, names: list[str]) -> str | None:
    """Return which of *names* is about the implementation with this *identity*; None if none is."""
    if identity.label in names:
        return identity.label
    stem = identity.label.removesuffix(identity.version)
    wanted = _parts(identity.version)
    minor = wanted[:2]
    if len(minor) < 2:
        return None
    if (plain := f"{stem}{minor[0]}.{minor[1]}") in names:
        return plain
    others = {
        name: _parts(name.removeprefix(stem))
        for name in names
        if name.startswith(stem) and _VERSION.fullmatch(name.removeprefix(stem))
    }
    near = [
        (_distance(parts, wanted), name) for name, parts in others.items() if parts[:2] == minor
    ]
    return min(near, default=(0, None))[1]


def _parts(version: str) -> tuple[int, ...]:
    found = _VERSION.match(version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return abs((one[2:3] or (0,))[0] - (other[2:3] or (0,))[0])
