"""Asks a message object everything; runs unchanged on Python 2.7 and on 3.

Run with the name of a module that has `HTTPMessage`: reads header blocks as JSON from standard
input, and writes what came of every question about each of them as JSON.
"""

import io
import json
import sys

NAMES = [
    "a",
    "A",
    "b",
    " a",
    "date",
    "from",
    "to",
    "content-type",
    "Content-Transfer-Encoding",
    "x",
]
LINES = ["A: b", " A: b", ":x", "no colon", "", "\r\n", "\n", "\r", "From x: y", "\t: x"]
NAMED = (
    "getheader getheaders getrawheader getallmatchingheaders getfirstmatchingheader get has_key "
    "getaddr getaddrlist getdate getdate_tz getparam __contains__ __getitem__ setdefault "
    "__delitem__"
).split()
BARE = (
    "getplist getparamnames getencoding gettype getmaintype getsubtype __str__ __len__ rewindbody"
).split()
ATTRIBUTES = (
    "headers dict type maintype subtype plist plisttext status unixfrom typeheader encodingheader "
    "seekable"
).split()
WRITES = [
    ("__setitem__", ("a", "v")),
    ("__setitem__", ("A", "v\n w")),
    ("__setitem__", ("new", "")),
    ("__setitem__", ("Content-Type", "x/y; z=1")),
    ("__delitem__", ("A",)),
    ("setdefault", ("a", "d")),
    ("setdefault", ("New", "d\ne")),
    ("addheader", ("a", "more")),
    ("addheader", ("new", "more")),
    ("addcontinue", ("a", "more")),
]


def outcome(call, *args):
    """What a call came to: a value, or the name of an error."""
    try:
        value = call(*args)
    except Exception as error:
        name = type(error).__name__
        return ["raised", {"IOError": "OSError"}.get(name, name)]
    return sorted(value.items()) if isinstance(value, dict) else value


def everything(message_class, block):
    """What every question about a block came to; those that change it each of a fresh object."""

    def fresh():
        return message_class(io.BytesIO(block.encode("latin-1")))

    found = {}
    message = fresh()
    for name in ATTRIBUTES:
        found[name] = outcome(getattr, message, name)
    for name in BARE:
        found[name] = outcome(getattr(message, name))
    for name in ("keys", "values", "items"):
        found[name] = sorted(getattr(message, name)())
    found["iter"] = sorted(message)
    for line in LINES:
        for name in ("isheader", "islast", "iscomment"):
            found[name + repr(line)] = outcome(getattr(message, name), line)
    for method in NAMED:
        for name in NAMES:
            asked = fresh()
            came = outcome(getattr(asked, method), name)
            found["%s %s" % (method, name)] = [came, outcome(lambda m=asked: list(m.headers))]
    for number, (method, args) in enumerate(WRITES):
        for name in (None, "a", "new", "Content-Type"):
            changed = fresh()
            found["write %d %s" % (number, name)] = [
                outcome(getattr(changed, method), *args),
                list(changed.headers),
                sorted(changed.dict.items()),
                changed.gettype(),
                name and [changed.getheader(name), changed.getheaders(name)],
            ]
    found["rest"] = message.fp.read().decode("latin-1")
    return found


if __name__ == "__main__":
    module = __import__(sys.argv[1], fromlist=["HTTPMessage"])
    blocks = json.loads(sys.stdin.read())
    answers = [everything(module.HTTPMessage, block) for block in blocks]
    text = (
        json.dumps(answers, encoding="latin-1") if sys.version_info[0] == 2 else json.dumps(answers)
    )
    sys.stdout.write(text)
