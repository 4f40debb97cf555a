"""The text of the records of one case, and the observations in it.

The input is the observation of each implementation, or a verdict.  The output is an array, in which
each distinct observation is stored once::

    ["5f0c21aa",
     ["py2.7 py3.10..py3.13",{"read":"hello","isclosed":true}],
     ["*",{"fetch":{"response":[200,"OK",null,"hello"]}}],
     ["py3.9","HANG"],
     {"jython2.7":{"wire":{"0":{"after":null}}}}]

The first element is the digest of what is played in the case.  Each observation follows the keys of
the implementations that made it; two dots abbreviate a range in the order of the file of
implementations, and an asterisk stands for every client that no other part of the array names.
``null`` in place of an observation states that there is none.  An implementation that hung, died or
lacks what the case needs has a verdict instead.

The last element, an object, gives observations by their difference from the first observation of an
implementation of the same profile, where that is shorter: an object has the members that differ, by
name or index, and under ``""`` the names of those that are absent.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

REST = "*"
_PARTS = ("calls", "wire", "further")
"""The names of the parts of an observation, in differences."""
_NOTHING: tuple[Any, ...] = ({}, [{}], {})
"""The parts that are omitted at the end of an observation: all is as predicted (`Codec`)."""
_ABSENT = ""


def case_text(
    played: str, by_key: Mapping[str, Any], keys: Sequence[str], clients: Collection[str]
) -> str:
    """Return the text of the records of one case.

    Args:
        played: the digest of what is played.
        by_key: the observations, by key.
        keys: all implementations of the book, in order.
        clients: those of them that are clients.
    """
    whole, differing = [line(played)], dict[str, Any]()
    for are_clients in (False, True):
        of_profile = [key for key in keys if (key in clients) == are_clients]
        groups: dict[str, list[str]] = {}
        for key in of_profile:
            if key in by_key:
                groups.setdefault(_text(by_key[key]), []).append(key)
        missing = _short_names([key for key in of_profile if key not in by_key], keys)
        unseen = f'["{missing}",null]' if missing else ""
        base = None
        for text, by in sorted(groups.items(), key=lambda group: -len(group[1])):
            names, seen = _short_names(by, keys), by_key[by[0]]
            if are_clients and by is max(groups.values(), key=len) and len(unseen) < len(names):
                names = REST
                whole += [unseen] if unseen else []
            change = None
            if isinstance(seen, list):
                base = base or _parts(seen)
                change = difference(base, _parts(seen))
            if change and len(line(change)) < len(text):
                differing[names] = change
            else:
                whole.append(f"[{line(names)},{text}]")
    joined = ",\n ".join([*whole, *([line(differing)] if differing else ())])
    return f"[{joined}]"


def observations(
    record: Sequence[Any], keys: Sequence[str], clients: list[str]
) -> tuple[str, dict[str, Any]]:
    """Return the digest of what is played, and the observations by key; reads `case_text`.

    Args:
        record: the array.
        keys: all implementations of the book, in order.
        clients: those of them that are clients, in order.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: it is not valid.
    """
    played, *groups = record
    if not isinstance(played, str):
        raise TypeError(f"{played!r} is not the digest of what is played")
    found, rest = dict[str, Any](), None
    bases: dict[bool, Any] = {}
    for group in groups:
        if isinstance(group, dict):
            for names, change in group.items():
                by = _full_names(names, keys)
                one = _whole(applied(bases[by[0] in clients], change))
                found.update(dict.fromkeys(by, one))
            continue
        names, *encoded = group
        seen = encoded[0] if encoded[0] is None or isinstance(encoded[0], str) else encoded
        by = clients if names == REST else _full_names(names, keys)
        if isinstance(seen, list):
            bases.setdefault(by[0] in clients, _parts(seen))
        if names == REST:
            rest = seen
        else:
            found.update(dict.fromkeys(by, seen))
    if rest is not None:
        found = {**dict.fromkeys(clients, rest), **found}
    return played, {key: one for key, one in found.items() if one is not None}


def line(value: Any) -> str:
    """Return *value* as JSON in one line."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _text(encoded: Any) -> str:
    """Return an observation, or a verdict, without the brackets."""
    return line(encoded) if isinstance(encoded, str) else ",".join(map(line, encoded))


# Differences.


def _parts(encoded: Sequence[Any]) -> dict[str, Any]:
    """Return an observation with all its parts, by name."""
    return dict(zip(_PARTS, (*encoded, *_NOTHING[len(encoded) :]), strict=True))


def _whole(parts: Mapping[str, Any]) -> list[Any]:
    """Return the observation that has these *parts*."""
    encoded = [parts[name] for name in _PARTS]
    while len(encoded) > 1 and encoded[-1] == _NOTHING[len(encoded) - 1]:
        encoded.pop()
    return encoded


def _members(value: Any) -> dict[str, Any] | None:
    """Return the members of an object, or of an array by index; None for another value."""
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return value if isinstance(value, dict) else None


def difference(base: Any, other: Any) -> dict[str, Any] | None:
    """Return the difference of *other* from *base*; None if it has to be written as a whole."""
    ours, theirs = _members(base), _members(other)
    if ours is None or theirs is None or type(base) is not type(other):
        return None
    if isinstance(base, list) and len(base) != len(other):
        return None
    made: dict[str, Any] = {}
    absent = [name for name in ours if name not in theirs]
    if absent:
        made[_ABSENT] = absent
    for name, value in theirs.items():
        if name not in ours:
            made[name] = value
        elif ours[name] != value or type(ours[name]) is not type(value):
            change = difference(ours[name], value)
            if change is None and isinstance(value, dict) and _members(ours[name]) is not None:
                return None  # it would be read as a difference
            made[name] = value if change is None else change
    return made


def applied(base: Any, change: Mapping[str, Any]) -> Any:
    """Return the value of which *change* is the difference from *base*."""
    members = _members(base)
    if members is None:
        raise TypeError(f"{base!r} has no members")
    absent = change.get(_ABSENT, ())
    made = {name: value for name, value in members.items() if name not in absent}
    for name, value in change.items():
        if name == _ABSENT:
            continue
        is_change = isinstance(value, dict) and _members(members.get(name)) is not None
        made[name] = applied(members[name], value) if is_change else value
    return list(made.values()) if isinstance(base, list) else made


# Names.


def _full_names(names: str, keys: Sequence[str]) -> list[str]:
    """Return the keys that *names* abbreviates."""
    found: list[str] = []
    for name in names.split():
        first, dots, last = name.partition("..")
        found += keys[keys.index(first) : keys.index(last if dots else first) + 1]
    return found


def _short_names(by: Sequence[str], keys: Sequence[str]) -> str:
    """Return *by*, some of *keys* in their order, with two dots for a range of three or more."""
    runs: list[list[str]] = []
    places = {key: place for place, key in enumerate(keys)}
    for key in by:
        if runs and places[key] == places[runs[-1][-1]] + 1:
            runs[-1].append(key)
        else:
            runs.append([key])
    return " ".join(f"{run[0]}..{run[-1]}" if len(run) > 2 else " ".join(run) for run in runs)
