# -*- coding: utf-8 -*-
"""The agent: the one interpreter of ops, in one file, for Python 2.7 and every later Python.

The arguments are an implementation's import name and options; the input is messages, the output facts. The agent
never receives an expectation and judges nothing. The in-process driver imports `Agent`. A worker runs this file with
the import name as its argument: each line on standard input is a message in JSON and gets one line on standard output.

    {"type": "start"}                     -> name, version, python, runtime, features
    {"type": "run", "ops": [...], ...}    -> {"trace": [...]}, one entry for each op
    {"type": "release"}                   -> {}; the objects of the run are closed and dropped
    {"type": "stop"}                      -> nothing; the process ends

An answer repeats the `serial` of its message, so that it cannot be mistaken for the answer to another message.

On a second descriptor, whose number is in the environment, a thread answers each byte with a line: the trace so far and
the frames at which the run is now, ``{"serial", "trace", "frames"}``.  So the kit can say where an implementation hangs.

An op is ``{"id", "on", "call", "args", "kwargs", "as"}``, with ``get``, ``set`` and ``value``, or ``item`` in place of
``call``.  A trace entry is ``{"id", "value"}``, ``{"id", "error"}`` or ``{"id", "skipped": true}``.

The `frames` of an error are the innermost lines of the implementation, the innermost first, each as ``{"file", "line",
"function", "text"}``.

A value that JSON can express is sent unchanged; all others are ``{"type": ...}``: ``bytes`` and ``text`` (bytes as
Latin-1), ``tuple``, ``mapping`` (pairs), ``class`` and ``object`` (names of the class and its bases), and ``int``, in
hexadecimal, for a whole number beyond 64 bits.

The objects of a run are kept until `release`, so that the server can observe the state of its connections first.
"""

from __future__ import print_function

import array
import inspect
import io
import json
import linecache
import os
import platform
import shutil
import socket
import sys
import tempfile

try:
    import _thread
    import builtins
except ImportError:  # Python 2
    import __builtin__ as builtins
    import thread as _thread

get_ident = _thread.get_ident  # that of the real thread, also after `patch`
PYTHON_3 = sys.version_info[0] >= 3
if PYTHON_3:
    # An implementation may replace a builtin; this file keeps the original ones.
    __builtins__ = dict(vars(builtins))
TEXT = str if PYTHON_3 else type(u"")
LARGE = 1 << 63
EXCEPTIONS = (
    "HTTPException NotConnected InvalidURL UnknownProtocol UnknownTransferEncoding UnimplementedFileMode "
    "IncompleteRead ImproperConnectionState CannotSendRequest CannotSendHeader ResponseNotReady BadStatusLine LineTooLong"
).split()
INTEGERS = (int,) if PYTHON_3 else (int, long)  # noqa: F821
DEPTH = 20  # a value nested more deeply is reported as its class
ITEMS = 100000  # one reported value contains at most this many items


class Agent(object):
    """Executes ops against the implementation with the import name *name*."""

    def __init__(self, name, patched_by=None):
        self.name = "%s.%s" % (patched_by, name) if patched_by else name
        if patched_by:
            patch(patched_by)
        __import__(name)
        self.module = sys.modules[name]
        if not hasattr(self.module, "HTTPConnection"):
            raise ImportError(
                "it has no HTTPConnection, so it cannot be judged as httplib; "
                "a client with another interface is written client:NAME or client:cmd:COMMAND"
            )
        self.files = Files()
        self.objects = {}
        self.names = {}
        self.printed = None
        self.usual = None
        self.frames = frames_of(self.module)
        self.serial, self.trace, self.thread = None, [], None
        self.default_timeout = socket.getdefaulttimeout()

    def start(self):
        """Return the name and version of this implementation, and its optional features."""
        package = sys.modules[self.name.partition(".")[0]]
        version = getattr(self.module, "__version__", getattr(package, "__version__", None))
        return {
            "name": self.name,
            "version": as_text(version) if isinstance(version, (str, TEXT)) else python_version(),
            "python": python_version(),
            "ops": ["*"],
            "runtime": as_text(platform.python_implementation()),
            "features": sorted(features(self.module)),
        }

    def run(self, message):
        """Execute the ops of *message* and return their trace; objects are kept until `release`."""
        self.objects.update({"module": self.module, "builtins": BUILTINS, "agent": self})
        arguments = Arguments(message, self.objects, self.files)
        ops = message["ops"]
        self.serial, self.trace, self.thread = message.get("serial"), [], get_ident()
        if any(op["on"] == "agent" and op.get("call") == "stdout" for op in ops):
            self.usual = sys.stdout
            self.printed = sys.stdout = io.StringIO() if PYTHON_3 else io.BytesIO()
        try:
            for op in ops:
                self.trace.append(self.step(op, arguments))
            return {"trace": self.trace}
        finally:
            self.serial, self.trace, self.thread = None, [], None  # the next case may be located before its run
            self.restore()

    def step(self, op, arguments):
        """Execute one op and return its trace entry."""
        receiver = op["on"]
        if receiver not in self.objects:
            return {"id": op["id"], "skipped": True}
        try:
            result = execute(self.objects[receiver], op, arguments)
        except NoSuchObject:
            return {"id": op["id"], "skipped": True}
        except NoSuchOp:
            return {"id": op["id"], "unsupported": True}
        except:  # every exception is a fact to report; in Python 2 it may be of an old-style class
            # Later ops on this name must be skipped, and not use an object that an earlier op stored under it.
            self.objects.pop(op.get("as"), None)
            return {"id": op["id"], "error": self.caught()}
        if op.get("as"):
            self.objects[op["as"]] = result
        return {"id": op["id"], "value": readable(value_facts, result)}

    def position(self):
        """Return the trace so far of the run, and the frames at which it is now; called in another thread."""
        stack = stack_at(sys._current_frames().get(self.thread), execute.__code__)
        return {"serial": self.serial, "trace": self.trace[:], "frames": self.frames.of(stack)}

    def caught(self):
        """Return the facts of the exception that is being handled.

        No frame of its traceback may refer to it: such a cycle keeps every object of the failed call alive until the
        garbage collector runs, and with them the sockets that the implementation has dropped.  This frame does not
        belong to the traceback.
        """
        error, traceback = sys.exc_info()[1:]
        facts = readable(error_facts, error, self.exported(error))
        frames = self.frames.of(stack_of(traceback))
        return dict(facts, frames=frames) if frames else facts

    def exported(self, error):
        """Return the names under which a caller can catch *error*: those that the module exports.

        A class that only has the same name as an exported one cannot be caught by that name.
        """
        kind = class_of(error)
        names = self.names.get(kind)
        if names is None:
            bases = bases_of(kind)
            mine = [(name, getattr(self.module, name, None)) for name in EXCEPTIONS]
            names = [name for name, one in mine if any(one is base for base in bases)]
            if len(self.names) < ITEMS:
                self.names[kind] = names
        return names

    def stdout(self):
        """Return what the calls of this run have printed so far."""
        return self.printed.getvalue()

    def setdefaulttimeout(self, seconds):
        """Set the default timeout of all sockets that are made before the end of the run."""
        socket.setdefaulttimeout(seconds)

    def restore(self):
        """Restore standard output and the default timeout of sockets to their values before the run."""
        if self.usual is not None:
            sys.stdout, self.usual = self.usual, None
        socket.setdefaulttimeout(self.default_timeout)

    def keep(self, value):
        """Return *value*: with `as`, an argument becomes an object that later ops can use."""
        return value

    def release(self):
        """Close and drop the objects of the runs since the last `release`."""
        objects, self.objects = self.objects, {}
        for name in ("module", "builtins", "agent"):
            objects.pop(name, None)
        for held in objects.values():
            try:
                if hasattr(held, "close"):
                    held.close()
            except:  # the run is over: an error of this close does not belong to any op
                pass
        self.files.clear()


def execute(receiver, op, arguments):
    """Return the result of the call, attribute access or item access of *op* on *receiver*."""
    if "call" in op:
        function = receiver[op["call"]] if receiver is BUILTINS else getattr(receiver, op["call"])
        if "repeat" in op:
            return read_repeatedly(function, op["repeat"])
        args = [arguments.decode(item) for item in op["args"]]
        if not op["kwargs"]:
            return function(*args)
        kwargs = dict((str(key), arguments.decode(item)) for key, item in op["kwargs"].items())
        return function(*args, **kwargs)
    if "get" in op:
        return getattr(receiver, op["get"])
    if "set" in op:
        return setattr(receiver, op["set"], arguments.decode(op["value"]))
    if "item" in op:
        return receiver[arguments.decode(op["item"])]
    raise NoSuchOp()


def read_repeatedly(read, amount):
    """Call ``read(amount)`` until it returns nothing; return everything joined.

    When an error is raised, the data read before it is kept with the error: prefixed to the bytes of
    its `partial`, or as `before` if it has no `partial`.
    """
    blocks = []
    try:
        while True:
            block = read(amount)
            if not block:
                return b"".join(blocks)
            blocks.append(block)
    except Exception as error:
        came = b"".join(blocks)
        if isinstance(getattr(error, "partial", None), bytes):
            error.partial = came + error.partial
        else:
            error.before = came
        raise


class NoSuchObject(Exception):
    """An argument refers to an object that no earlier op has made."""


class NoSuchOp(Exception):
    """This agent does not implement the op, or the kind of an argument."""


class Arguments(object):
    """Converts the arguments of a message to objects of this Python."""

    def __init__(self, message, objects, files):
        self.host, self.port = message.get("address", ("127.0.0.1", 0))
        self.certificates = message.get("certificates", {})
        self.objects = objects
        self.files = files

    def decode(self, item):
        """Return the object that *item* describes."""
        if isinstance(item, dict):
            make = getattr(self, "make_" + item["type"], None)
            if make is None:
                raise NoSuchOp()
            return make(item)
        if isinstance(item, list):
            return [self.decode(part) for part in item]
        return native(item) if isinstance(item, TEXT) else item

    def make_none(self, item):
        return None

    def make_text(self, item):
        return item["value"]

    def make_bytes(self, item):
        return as_bytes(item["value"])

    def make_memoryview(self, item):
        return memoryview(self.make_array(item))

    def make_bytearray(self, item):
        return bytearray(as_bytes(item["value"]))

    def make_array(self, item):
        data = array.array(str(item.get("typecode", "B")))
        getattr(data, "frombytes" if PYTHON_3 else "fromstring")(as_bytes(item["value"]))
        return data

    def make_tuple(self, item):
        return tuple(self.decode(part) for part in item["value"])

    def make_generator(self, item):
        return (part for part in [self.decode(part) for part in item["value"]])

    def make_mapping(self, item):
        return OrderedMapping([(self.decode(key), self.decode(value)) for key, value in item["value"]])

    def make_open(self, item):
        opened = self.files.open(as_bytes(item["value"]), str(item.get("mode", "rb")))
        if item.get("seek"):
            opened.seek(item["seek"])
        return opened

    def make_filelike(self, item):
        return file_like(as_bytes(item["value"]), item)

    def make_socketlike(self, item):
        return SocketLike(as_bytes(item["value"]))

    def make_address(self, item):
        part = item["value"]
        if part == "port":
            return self.port
        if part == "port-text":
            return str(self.port)
        if part == "host":
            return str(self.host)
        return str("[%s]:%d" if ":" in self.host else "%s:%d") % (self.host, self.port)

    def make_ref(self, item):
        first, _, rest = item["value"].partition(".")
        if first not in self.objects:
            raise NoSuchObject(first)
        value = self.objects[first]
        if value is BUILTINS:
            return BUILTINS.get(rest) or getattr(builtins, rest)
        for name in rest.split(".") if rest else ():
            value = getattr(value, name)
        return value

    def make_cert(self, item):
        return str(self.certificates[item["value"]][item.get("part", "chain")])

    def make_context(self, item):
        import ssl

        context = ssl.create_default_context(cafile=str(self.certificates["ca"]["chain"]))
        if item["value"] != "verify":
            context.check_hostname = False
        if item["value"] == "unverified":
            context.verify_mode = ssl.CERT_NONE
        return context


class OrderedMapping(object):
    """A mapping that is not a dict; it keeps its pairs in the order in which it received them."""

    def __init__(self, pairs):
        self.pairs = pairs

    def keys(self):
        return [key for key, _ in self.pairs]

    def items(self):
        return list(self.pairs)

    iteritems = items

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self.pairs)

    def __setitem__(self, name, value):
        self.pairs = [pair for pair in self.pairs if pair[0] != name] + [(name, value)]

    def __getitem__(self, name):
        for key, value in self.pairs:
            if key == name:
                return value
        raise KeyError(name)

    def __contains__(self, name):
        return name in self.keys()

    def get(self, name, default=None):
        return self[name] if name in self else default


class Files(object):
    """The real files that a case's arguments require.

    Each is deleted as soon as it is open, so that a process that is killed leaves none.
    """

    def __init__(self):
        self.opened = []

    def open(self, data, mode):
        """Return a file with the content *data*, opened in *mode*."""
        directory = tempfile.mkdtemp(prefix="httplib-kit-")
        path = os.path.join(directory, str(len(self.opened)))
        try:
            with open(path, "wb") as made:
                made.write(data)
            if PYTHON_3 and "b" not in mode:
                opened = open(path, mode, encoding="latin-1", newline="")
            else:
                opened = open(path, mode)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        self.opened.append(opened)
        return opened

    def clear(self):
        """Close all of them."""
        for opened in self.opened:
            opened.close()
        self.opened = []


class FileLike(object):
    """An object with a `read` method and no other part of the interface of a file."""

    def __init__(self, data, position, greedy, fails):
        self.data = data
        self.position = position
        self.greedy = greedy
        self.fails = fails

    def read(self, amount=-1):
        if self.position == self.fails:
            raise IOError("the file fails after %d bytes, as the case asks" % self.fails)
        whole = self.greedy or amount is None or amount < 0
        end = len(self.data) if whole else self.position + amount
        if self.fails is not None:
            end = min(end, self.fails)
        block = self.data[self.position : end]
        self.position = max(self.position, min(end, len(self.data)))
        return block


def seek(self, offset, whence=0):
    start = (0, self.position, len(self.data))[whence]
    self.position = start + offset
    return self.position


def file_like(data, item):
    """Return a `FileLike` with exactly the further methods that *item* names."""
    methods = {}
    if item.get("seekable"):
        methods.update(seek=seek, tell=lambda self: self.position)
    if "len" in item:
        methods.update(__len__=lambda self: item["len"])
    made = type(str("FileLike"), (FileLike,), methods)
    content = data.decode("latin-1") if item.get("kind") == "text" else data
    return made(content, item.get("seek", 0), item.get("greedy", False), item.get("fails"))


class SocketLike(object):
    """An object with only these parts of the interface of a socket: `sendall`, `close` and `makefile`."""

    def __init__(self, data):
        self.data = data
        self.sends = []  # the bytes of each call of sendall

    @property
    def sent(self):
        return b"".join(self.sends)

    def sendall(self, data):
        self.sends.append(bytes(data))

    def makefile(self, mode="rb", *buffering):
        return io.BytesIO(self.data)

    def close(self):
        self.data = b""


BUILTINS = dict(
    (function.__name__, function)
    for function in (
        bool, callable, getattr, hasattr, int, isinstance, issubclass, iter, len, list, next, repr, sorted, str, tuple, type
    )
)
BUILTINS["contains"] = lambda container, item: item in container
BUILTINS["same"] = lambda one, other: one is other
BUILTINS["call"] = lambda function, *args, **kwargs: function(*args, **kwargs)


def features(module):
    """Return the names of the optional features that *module* has.

    A feature whose keyword is in a signature is reported, so that a fault in it is judged; other features are tried.
    """
    found = set(["python3"] if PYTHON_3 else [])
    plain, secure = getattr(module, "HTTPConnection", None), getattr(module, "HTTPSConnection", None)
    found.update(name for name in ("strict", "source_address") if accepts(plain, name, KEYWORDS[name]))
    found.update(name for name in ("key_file", "cert_file", "context") if accepts(secure, name, None))
    if "skip_accept_encoding" in parameters(plain, "putrequest") or works(skips_accept_encoding, plain, True):
        found.add("skip_accept_encoding")
    found.update(name for name in ("HTTP", "HTTPS", "HTTPSConnection") if getattr(module, name, None) is not None)
    if sys.platform.startswith("java"):
        # Jython's sockets read ahead of the program, and are closed in the background after the peer's FIN.
        found.add("reads-ahead")
    if hasattr(plain, "set_tunnel") or works(lambda: callable(plain("127.0.0.1", 1).set_tunnel)):
        found.add("set_tunnel")
    found.update(probed(plain, getattr(module, "HTTPResponse", None)))
    return found


KEYWORDS = {"strict": 1, "source_address": ("127.0.0.1", 0)}


def accepts(kind, keyword, value):
    """Return whether objects of *kind* can be made with *keyword*, which the signature need not name."""
    if kind is None or keyword in parameters(kind, "__init__"):
        return kind is not None
    return is_no_type_error(lambda: kind("127.0.0.1", 1, **{keyword: value}))


def is_no_type_error(call):
    """Return whether *call* accepts its arguments: only a TypeError means no, since other errors depend on values."""
    try:
        call()
    except TypeError:
        return False
    except Exception:
        pass
    return True


def parameters(owner, method):
    """Return the names of the parameters of *method* of the class *owner*."""
    function = getattr(owner, method, None)
    if function is None:
        return set()
    try:
        if PYTHON_3:
            return set(inspect.signature(function).parameters)
        return set(inspect.getargspec(function).args)
    except (TypeError, ValueError):  # a callable without a readable signature
        return set()


def works(probe, *args):
    """Return whether *probe* returns something true without an error."""
    try:
        return bool(probe(*args))
    except Exception:  # any failure of a probe means that the feature is absent
        return False


def skips_accept_encoding(plain, skip):
    conn = plain("127.0.0.1", 1)
    return is_no_type_error(lambda: conn.putrequest("GET", "/", skip_accept_encoding=skip))


def probed(plain, response_class):
    """Return the features that a response made from a few bytes shows, in the first of three ways that makes one."""
    found = set()
    if response_class is None:
        return found
    if hasattr(response_class, "isclosed"):
        found.add("isclosed")

    def by_hand(octets):
        response = response_class(SocketLike(octets))
        response.begin()
        return response

    def by_socket_like(octets):
        conn = plain("127.0.0.1", 1)
        conn.sock = SocketLike(octets)
        return asked(conn)

    def by_server(octets):
        with_server = Answering(octets)
        try:
            return asked(plain("127.0.0.1", with_server.port))
        finally:
            with_server.end()

    if works(by_hand, PLAIN_RESPONSE):
        found.add("response-class")
    for make in (by_hand, by_socket_like, by_server):
        if works(make, PLAIN_RESPONSE):
            found.update(name for name, octets, shows in PROBES if works(lambda: shows(make(octets))))
            break
    return found


def asked(conn):
    conn.request("GET", "/")
    return conn.getresponse()


class Answering(object):
    """A server for one request, for an implementation that accepts no other object in the place of a socket."""

    def __init__(self, octets):
        import socket  # only here, after `patch` has replaced parts of it
        import threading

        self.octets = octets
        self.socket = socket
        self.listener = socket.socket()
        self.listener.settimeout(PROBE_TIME)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1)
        self.port = self.listener.getsockname()[1]
        self.usual = socket.getdefaulttimeout()
        socket.setdefaulttimeout(PROBE_TIME)
        thread = threading.Thread(target=self.answer)
        thread.daemon = True
        thread.start()

    def answer(self):
        try:
            peer = self.listener.accept()[0]
            peer.settimeout(PROBE_TIME)
            peer.recv(65536)
            peer.sendall(self.octets)
            peer.shutdown(self.socket.SHUT_WR)
            peer.recv(65536)
            peer.close()
        except self.socket.error:  # no request, or no close, in time: this does not change the result of the probe
            pass

    def end(self):
        self.socket.setdefaulttimeout(self.usual)
        self.listener.close()


PROBE_TIME = 2.0
PLAIN_RESPONSE = b"HTTP/1.1 200 OK\r\nX-Probe: 1\r\nContent-Length: 0\r\n\r\n"
MIMETOOLS = ("getrawheader", "getheaders", "getplist", "getdate", "getaddrlist", "setdefault", "isheader", "__delitem__")
PROBES = (
    ("isclosed", PLAIN_RESPONSE, lambda response: response.isclosed() is not None),
    ("lowercase-names", PLAIN_RESPONSE, lambda response: "x-probe" in dict(response.getheaders())),
    ("mimetools", PLAIN_RESPONSE, lambda response: all(hasattr(response.msg, name) for name in MIMETOOLS)),
    ("http09", b"hello\r\n", lambda response: response.version == 9),
)


def readable(facts, value, *more):
    """Return the *facts* of *value*, or that it is unreadable: inspecting an object may run its own code."""
    try:
        return facts(value, *more)
    except:
        return dict(UNREADABLE)


UNREADABLE = {"type": "object", "class": "(unreadable)", "bases": [], "attributes": {}, "message": ""}


def value_facts(value, depth=0, room=None):
    """Return *value* in a form that JSON can express; of a large collection, at most ITEMS items in total."""
    room = [ITEMS] if room is None else room
    # One limit for the whole value, shared by all levels: a huge collection, or one that contains itself, is cut off.
    room[0] -= 1
    if room[0] < 0:
        return {"type": "object", "class": "(too large)", "bases": []}
    if value is None or value is True or value is False:
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else {"type": "float", "value": as_text(str(value))}
    if isinstance(value, INTEGERS):
        # The built-in addition returns a plain number, whatever methods a subclass overrides.
        whole = [kind for kind in INTEGERS if isinstance(value, kind)][0]
        return whole_facts(whole.__add__(value, 0))
    kind = type(value)
    if kind is bytes:
        return {"type": "bytes", "value": value.decode("latin-1")}
    if kind is TEXT:
        return {"type": "text", "value": value}
    if isinstance(value, (bytes, bytearray)):
        # A subclass may override any method; a memoryview gives its real bytes.
        octets = memoryview(value).tobytes()
        return {"type": "bytes", "value": octets.decode("latin-1"), "class": qualified(kind)}
    if isinstance(value, TEXT):
        return {"type": "text", "value": TEXT.__getitem__(value, slice(None)), "class": qualified(kind)}
    if depth < DEPTH:
        if isinstance(value, list):
            return items_facts(value, depth, room)
        if isinstance(value, tuple):
            return {"type": "tuple", "value": items_facts(value, depth, room)}
        if isinstance(value, dict):
            return {"type": "mapping", "value": [items_facts(pair, depth, room) for pair in value.items()]}
    if inspect.isclass(value):
        return class_facts("class", value)
    # The type of an instance of an old-style class is `instance`; only `__class__` gives its class.
    return class_facts("object", getattr(value, "__class__", type(value)))


def items_facts(items, depth, room):
    return [value_facts(item, depth + 1, room) for item in items[: max(room[0], 0) + 1]]


def whole_facts(value):
    """Return a whole number in a form that every JSON parser reads exactly."""
    return value if -LARGE < value < LARGE else {"type": "int", "value": as_text("%x" % value)}


def class_facts(what, kind, known={}):
    """Return the qualified names of the class *kind* and of its bases, nearest first.

    The result is cached: most results of calls are objects of a few classes.
    """
    facts = known.get((what, kind))
    if facts is None:
        names = [qualified(base) for base in bases_of(kind)]
        facts = known[what, kind] = {"type": what, "class": names[0], "bases": names[1:]}
    return facts


def class_of(value):
    """Return the real class of *value*, even if `__class__` is overridden; an old-style instance has only that."""
    kind = type(value)
    return value.__class__ if kind.__name__ == "instance" and not PYTHON_3 else kind


def bases_of(kind):
    """Return *kind* and its bases, nearest first, even if its metaclass overrides `mro`."""
    return type.mro(kind) if isinstance(kind, type) else list(inspect.getmro(kind))  # an old-style class is not a type


def qualified(kind):
    """Return the name of the class *kind* with its module; a class with a false claim to be built in is marked."""
    module, name = kind.__module__, kind.__name__
    if module == builtins.__name__ and getattr(builtins, name, kind) is not kind:
        module = "not-" + module
    return as_text("%s.%s" % (module, name))


def error_facts(error, exported):
    """Return class, bases, attributes and text of an exception, and the names by which it can be caught."""
    attributes = {}
    for name in ("args", "partial", "before", "expected", "line", "version", "errno"):
        try:
            if hasattr(error, name):
                value, args = getattr(error, name), attributes.get("args", {})
                if args.get("type") == "tuple" and len(error.args) == 1 and error.args[0] is value:
                    # The bytes of a large body, which `args` and `partial` both have, are made once.
                    attributes[name] = args["value"][0]
                else:
                    attributes[name] = readable(value_facts, value)
        except Exception:  # an attribute that cannot be read is reported as absent
            pass
    try:
        message = as_text(str(error))
    except:  # an error in `__str__` is reported, too
        message = "(no text)"
    facts = class_facts("error", class_of(error))
    return dict(facts, attributes=attributes, message=message, exported=exported)


class Frames(object):
    """Chooses the frames that show where an implementation is: its own, the innermost first.

    Frames of other libraries are left out, unless none is its own, and those of the standard library, unless there are
    no others.  Those of the kit are always left out.
    """

    def __init__(self, name, directories):
        self.here = os.getcwd()
        self.paths = sorted([self.here] + [one for one in sys.path if isinstance(one, str)], key=len, reverse=True)
        self.standard = os.path.dirname(self.full(os.__file__)) + os.sep
        name = self.full(name).replace(".pyc", ".py")
        here = os.path.dirname(name) + os.sep
        self.own = tuple(self.full(one) + os.sep for one in directories)
        # The other files in the directory of a single module belong to it, unless it is a directory of libraries.
        self.is_directory = not self.own and not self.is_library(here)
        self.own = self.own or (here if self.is_directory else name,)

    def of(self, stack):
        """Return the frames of *stack*, which is a list of (file, line, function), the outermost first."""
        found = [(self.full(name), line, function) for name, line, function in stack]
        found = [one for one in found if not one[0].startswith(KIT)]
        for chosen in (self.is_own, lambda name: not self.is_standard(name)):
            found = [one for one in found if chosen(one[0])] or found
        return [self.facts(*one) for one in reversed(found[-FRAMES:])]

    def is_own(self, name):
        return name.startswith(self.own) and not (self.is_directory and self.is_library(name))

    def is_standard(self, name):
        return name.startswith("<frozen") or (name.startswith(self.standard) and PACKAGES not in name)

    def is_library(self, name):
        return PACKAGES in name or self.is_standard(name)

    def full(self, name):
        return name if name[:1] == "<" else os.path.join(self.here, name)

    def facts(self, name, line, function):
        text = linecache.getline(name, line).strip()[:LINE]
        short = next((name[len(path) + 1 :] for path in self.paths if name.startswith(path + os.sep)), name)
        named = {"file": short[-LINE:], "function": function[:LINE], "text": text}
        return dict([(key, decoded(value)) for key, value in named.items()], line=line)


def frames_of(module):
    """Return what chooses the frames of *module*, which is imported."""
    package = sys.modules[module.__name__.partition(".")[0]]
    return Frames(getattr(module, "__file__", None) or "", getattr(package, "__path__", ()))


def frames_of_import(stack):
    """Return the frames of *stack*, which leads into an import that failed or that has not ended.

    The first file that the import executes is that of the implementation.
    """
    name = next((one[0] for one in stack if one[0][:1] != "<" and not os.path.abspath(one[0]).startswith(KIT)), "")
    is_package = os.path.basename(name).startswith("__init__.")
    return Frames(name, [os.path.dirname(name)] if is_package else []).of(stack)


def not_started():
    """Return the answer to `start` if the exception that is being handled ended the import."""
    error, traceback = sys.exc_info()[1:]
    stack = stack_of(traceback)
    if isinstance(error, SyntaxError) and error.filename:
        # The line that cannot be compiled is in no frame, for it is not executed.
        stack.append((error.filename, error.lineno or 0, ""))
    try:
        frames = frames_of_import(stack)
    except Exception:  # what the import has replaced in the standard library
        frames = []
    return {"error": dict(readable(error_facts, error, []), frames=frames)}


FRAMES = 5  # an error is reported with at most this many frames
LINE = 200  # characters of the text of a frame
PACKAGES = "-packages" + os.sep  # part of the name of a directory of installed packages
KIT = os.path.dirname(os.path.abspath(readable.__code__.co_filename)) + os.sep


def stack_of(traceback):
    """Return the frames of *traceback* as (file, line, function), the outermost first."""
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        found.append((code.co_filename, traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    return found


def stack_at(frame, outermost):
    """Return the frames from *frame* outwards to one of the code *outermost*, as `stack_of`; empty if it has none."""
    found = []
    while frame is not None and frame.f_code is not outermost:
        found.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return found[::-1] if frame is not None else []


def decoded(text):
    return text if isinstance(text, TEXT) else text.decode("utf-8", "replace")


def as_text(text):
    return text if isinstance(text, TEXT) else text.decode("latin-1")


def as_bytes(text):
    return text.encode("latin-1")


def native(text):
    return text if PYTHON_3 else text.encode("latin-1")


def python_version():
    return as_text(".".join(str(part) for part in sys.version_info[:3]))


ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


def encoded(answer):
    """Return *answer* as JSON in UTF-8; a lone surrogate, which UTF-8 cannot encode, is replaced."""
    text = ENCODER.encode(answer)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")


def protocol_streams():
    """Return standard input and output for the protocol only: an implementation's prints go to standard error."""
    if hasattr(os, "dup2"):
        lines, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        return lines, answers
    java = __import__("org.python.core.util.FileUtil")  # Jython has Java's streams instead of file descriptors
    system, wrap = __import__("java.lang.System").lang.System, java.python.core.util.FileUtil.wrap
    lines, answers = wrap(getattr(system, "in")), wrap(system.out)
    system.setOut(system.err)
    sys.stdout = sys.stderr
    return lines, answers


def answer_where(position):
    """Answer each line on the kit's second descriptor with the result of *position*, in a thread of its own."""
    descriptor = os.environ.pop("HTTPLIB_KIT_WHERE", None)
    if descriptor is not None:
        _thread.start_new_thread(answer_lines, (int(descriptor), position, os.read, os.write))


def answer_lines(descriptor, position, read, write):
    # The functions are arguments because the implementation may replace those of the module.
    while read(descriptor, 1):
        try:
            line = encoded(position())
        except Exception:  # the runtime cannot give it
            line = b""
        line = (line if 0 < len(line) < LONGEST_POSITION else b"{}") + b"\n"
        while line:
            line = line[write(descriptor, line) :]


LONGEST_POSITION = 1 << 20


def limit_memory(octets):
    """Limit the address space of this process, on systems with such a limit."""
    try:
        import resource
    except ImportError:  # Jython: an option of the JVM limits its heap
        return
    given = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = octets if given == resource.RLIM_INFINITY else min(given, octets)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def report_signals():
    """Let a signal such as SIGSEGV, which ends this process, first write the frames to standard error."""
    try:
        import faulthandler

        faulthandler.enable(all_threads=False)
    except Exception:  # Python 2, Jython, or no standard error
        pass


def patch(library):
    """Let *library* replace parts of the standard library with its cooperative ones."""
    module = __import__(library + (".monkey" if library == "gevent" else ""))
    (module.monkey.patch_all if library == "gevent" else module.monkey_patch)()


def serve(name, options):
    """Answer the messages on standard input until it ends or a message is ``stop``."""
    lines, answers = protocol_streams()
    report_signals()
    agent, process, thread, serial = None, os.getpid(), get_ident(), [None]

    def importing():
        return {"serial": serial[0], "frames": frames_of_import(stack_at(sys._current_frames()[thread], serve.__code__))}

    # Before the import: a library that patches threads would make this one a greenlet.
    started = []
    answer_where(lambda: started[0].position() if started else importing())
    while True:
        line = lines.readline()
        message = json.loads(line.decode("utf-8")) if line else {"type": "stop"}
        if message["type"] == "stop":
            return
        if message["type"] == "start":
            serial[0] = message.get("serial")
            try:
                agent = Agent(name, options.get("patch"))
                started.append(agent)
                answer = agent.start()
            except:  # importing runs the implementation's code, which may raise anything
                answer = not_started()
        elif message["type"] == "run" and agent is not None:
            answer = agent.run(message)
        elif message["type"] == "release" and agent is not None:
            agent.release()
            answer = {}
        else:
            answer = {"unsupported": message["type"]}
        if os.getpid() != process:
            os._exit(0)  # a child that the implementation has forked: only the parent answers
        answer["serial"] = message.get("serial")
        answers.write(encoded(answer) + b"\n")
        answers.flush()


if __name__ == "__main__":
    # Modules are found in the current directory, and not in the directory of this file.
    sys.path[0] = os.getcwd()
    given = dict(argument.split("=", 1) for argument in sys.argv[2:])
    sys.path[1:1] = [entry for entry in given.get("path", "").split(os.pathsep) if entry]
    if "memory" in given:
        limit_memory(int(given["memory"]))
    # An implementation that imports `__main__` gets an empty module, and cannot replace what reports on it.
    this_file, sys.modules["__main__"] = sys.modules["__main__"], type(os)("__main__")
    serve(sys.argv[1], given)
