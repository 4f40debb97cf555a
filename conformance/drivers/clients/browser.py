"""The driver of a browser: a page in it fetches each case with `fetch`, and reports what it saw.

The input is a command that starts a browser, or a visitor who has opened one; the output is traces.
The page comes from the origin of the case, so that the browser hides nothing of a response as that
of another origin.  `page` returns it, and the lane serves it there before the case.  A `Channel`
gives it its orders.

A browser that is started gets a new directory as its profile; first-run pages and connections of
its own are off.  Nothing else is changed: its retries, its pool and its limits are judged.
"""

import os
import re
import secrets
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from conformance.drivers.base import (
    FETCH,
    Driver,
    DriverDied,
    DriverError,
    Identity,
    Message,
    NotInstalled,
    NotShown,
    Trace,
)
from conformance.drivers.clients.channel import Channel, PageLeft, Report
from conformance.drivers.environment import child_environment
from conformance.drivers.program import MARK, end_with_children
from conformance.drivers.protocol import NotTheProtocol, checked_trace

HIDDEN = "fetch() shows a page nothing of a redirect that it does not follow"
_DOCUMENT = Path(__file__).with_name("browser.html")
_PATIENCE = 60.0
"""Seconds without a sign of the page, within which a browser must also start."""
_ABORT = 5
"""Deadlines after which the page ends a fetch: the kit has reset its connection long before."""
_START = 2.0
_CHROMIUM = (
    *("--headless", "--no-first-run", "--no-default-browser-check", "--no-proxy-server"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage"),
)
_FIREFOX = """\
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.region.network.url", "");
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.proxy.type", 0);
user_pref("services.settings.server", "data:,");
"""


class Opener(Protocol):
    """Opens the page in a browser."""

    def open(self, url: str) -> None:
        """Open the page at *url*; called again after `end`."""

    def end(self) -> None:
        """End the browser, which does not answer."""

    def stop(self) -> None:
        """End everything."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that starts a browser.

    Args:
        written: as the user wrote it.
        words: the program and its arguments.
        version: what it answers to ``--version``.
    """

    written: str
    words: tuple[str, ...]
    version: str

    @property
    def name(self) -> str:
        """The name of the program."""
        return Path(self.words[0]).name

    def with_url(self, url: str, profile: Path) -> list[str]:
        """Return the command that opens *url* with the new directory *profile*."""
        said = self.version.lower()
        options: Sequence[str] = ()
        if "chrom" in said or "edge" in said:
            options = (*_CHROMIUM, f"--user-data-dir={profile}")
            options += ("--no-sandbox",) if os.geteuid() == 0 else ()
        elif "firefox" in said:
            options = ("--headless", "--no-remote", "--profile", str(profile))
            (profile / "user.js").write_text(_FIREFOX, encoding="utf-8")
        return [*self.words, *options, url]


class Launched:
    """Starts a browser by a command, and ends it with all its children and its profile.

    Args:
        command: the command.
        channel: closed when everything is ended.
    """

    def __init__(self, command: Command, channel: Channel) -> None:
        self._command = command
        self._channel = channel
        self._mark = secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        self._place: tempfile.TemporaryDirectory[str] | None = None

    def open(self, url: str) -> None:
        """Start it.

        Raises:
            DriverError: it cannot be started.
        """
        self._channel.renew()
        # A process that is being ended can still write into its profile.
        self._place = tempfile.TemporaryDirectory(
            prefix="httplib-kit-browser-", ignore_cleanup_errors=True
        )
        profile = Path(self._place.name, "profile")
        profile.mkdir()
        try:
            self._process = subprocess.Popen(
                self._command.with_url(url, profile),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**child_environment(), "HOME": self._place.name, MARK: self._mark},
                start_new_session=True,
            )
            self._watch = threading.Thread(target=self._await, args=(self._process,), daemon=True)
            self._watch.start()
        except OSError as error:
            problem = f"cannot start {self._command.words[0]}: {error.strerror}"
            raise DriverError(f"{self._command.written}: {problem}") from None

    def _await(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until *process* ends; one that succeeds may have handed over to another."""
        code = process.wait()
        if code and self._process is process:
            self._channel.give_up(f"{self._command.name} ended with status {code}")

    def end(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            end_with_children(process, self._mark)
            self._watch.join()
        if self._place is not None:
            self._place.cleanup()

    def stop(self) -> None:
        """End it, and close the channel."""
        self.end()
        self._channel.close()


class Browser(Driver):
    """Performs `fetch` in a page of a browser.

    Args:
        identity: the browser.
        channel: to the page.
        opener: opens the page.
        host: the address at which the browser reaches the servers; empty for that of the case.
    """

    def __init__(
        self, identity: Identity, channel: Channel, opener: Opener, host: str = ""
    ) -> None:
        self.host = host
        self._identity = identity
        self._channel = channel
        self._opener = opener
        self._is_open = False
        self._is_moving = False

    @property
    def identity(self) -> Identity:
        """The browser."""
        return self._identity

    @property
    def start_cost(self) -> float:
        """Seconds of work that count as one: a browser does more than one fetch at a time."""
        return _START

    @property
    def busy(self) -> bool:
        """Whether the browser starts or ends, or an order or a report is on its way."""
        return self._is_moving or self._channel.busy

    def page(self, origin: str) -> bytes:
        """Return the page to serve at *origin*; empty if the browser has it open there."""
        if self._is_open and self._channel.origin == origin:
            return b""
        text, channel = _DOCUMENT.read_text(encoding="utf-8"), self._channel.url
        holes = {
            "NONCE": secrets.token_hex(16),
            "CHANNEL": channel,
            # The grammar of a Content-Security-Policy has no IPv6 address.
            "REACHED": "http:" if "[" in channel else channel,
        }
        for hole, value in holes.items():
            text = text.replace(f"{{{hole}}}", value)
        return text.encode()

    def load(self, origin: str) -> None:
        """Open the page at *origin*, which serves it now.

        Raises:
            DriverError: it did not report.
        """
        self._is_moving = True
        try:
            if not self._is_open:
                self._opener.open(f"{origin}/")
                self._is_open = True
            self._channel.await_origin(origin)
        except PageLeft as left:
            self._end()
            raise DriverError(f"{self._identity.written}: {left}") from None
        finally:
            self._is_moving = False

    def run(self, message: Message) -> Trace:
        """Fetch the URL of *message* for each of its ops."""
        entries = [self._entry(message, op) for op in message["ops"]]
        try:
            return checked_trace(message["ops"], {"serial": 1, "trace": entries})
        except NotTheProtocol as error:
            raise DriverError(f"{self._identity.written}: {error}") from None

    def _entry(self, message: Message, op: Message) -> dict[str, Any]:
        if op.get("call") != FETCH:
            return {"id": op["id"], "unsupported": True}
        name = str(message.get("name", message["id"]))
        order = {"url": message["url"], "seconds": _ABORT * message["deadline"], "name": name}
        try:
            report = self._channel.ask(order)
        except PageLeft as left:
            self._end()
            raise DriverDied(f"the browser was given up: {left}") from None
        return {"id": op["id"], **_facts(report)}

    def release(self) -> None:
        """Do nothing: the page keeps nothing of a response."""

    def kill(self) -> bool:
        """Give the page up; a `run` that waits for it raises `DriverDied`."""
        self._channel.interrupt("it did not report in time")
        return True

    def stop(self) -> None:
        """End the browser, if it was started here."""
        self._opener.stop()

    def _end(self) -> None:
        self._is_moving, self._is_open = True, False
        self._opener.end()
        self._is_moving = False


def _facts(report: Report) -> dict[str, Any]:
    """Return what *report* says in the form of the protocol."""
    if report.hidden:
        raise NotShown(HIDDEN)
    if report.error is not None:
        one = report.error
        facts = {"class": one.kind, "message": one.message, "category": one.category}
        return {"error": {"bases": [], "attributes": {}, **facts}}
    value = {
        "type": "response",
        "status": report.status,
        "reason": report.reason,
        "headers": [list(pair) for pair in report.headers or ()],
        "body": None if report.bodiless else report.content.decode("latin-1"),
    }
    return {"value": value}


def launched(written: str, words: Sequence[str]) -> Browser:
    """Return the driver of the browser that the command *words* starts.

    Raises:
        NotInstalled: the command does not run.
    """
    try:
        said = subprocess.run(
            [*words, "--version"], capture_output=True, timeout=_PATIENCE, check=False, text=True
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(f"{words[0]} --version does not answer: {error}") from None
    found = re.search(r"\d+(\.\d+)+", said)
    command = Command(written, tuple(words), said)
    channel = Channel("127.0.0.1", _PATIENCE)
    return Browser(
        browser_identity(written, command.name, found[0] if found else ""),
        channel,
        Launched(command, channel),
    )


def browser_identity(written: str, name: str, version: str) -> Identity:
    """Return the identity of a browser."""
    return Identity(written, name, version, frozenset(), frozenset({FETCH}))
