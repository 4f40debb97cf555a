"""The scripts of ``docs/porting.md``, each run as a program of its own against a local server."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

from httplib_impl.tests.support import listener, read_head

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "porting.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL))


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPTS[script], *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_every_script_of_the_page_is_run_here() -> None:
    assert set(SCRIPTS) == {"install", "fetch", "form", "upload"}
    assert DOCUMENT.count("\n```python2\n") == 3


def test_the_old_name_is_found() -> None:
    done = run("install")
    assert done.returncode == 0, done.stderr


def test_a_page_is_fetched() -> None:
    def serve(peer: socket.socket) -> None:
        head = read_head(peer)
        assert head.startswith(b"GET /index.html HTTP/1.1\r\n")
        assert b"\r\nUser-Agent: fetch/1.0\r\n" in head
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n")
        peer.sendall(b"Content-Length: 6\r\n\r\nhello\n")

    with listener(serve) as (host, port):
        done = run("fetch", f"{host}:{port}")
    assert (done.returncode, done.stdout) == (0, "200 OK\ntext/plain\nhello\n"), done.stderr


def test_a_failure_is_told() -> None:
    def serve(peer: socket.socket) -> None:
        read_head(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")

    with listener(serve) as (host, port):
        done = run("fetch", f"{host}:{port}")
    failed = "failed: IncompleteRead(5 bytes read, 4 more expected)\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", failed)


def test_a_form_is_posted_and_its_redirect_followed() -> None:
    def serve(peer: socket.socket) -> None:
        head = read_head(peer)
        assert head.startswith(b"POST /cgi-bin/query HTTP/1.1\r\n")
        assert b"\r\nContent-Length: 13\r\n" in head
        assert read_bytes(peer, 13) == b"spam=1&eggs=2"
        peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://h/done\r\nContent-Length: 0\r\n\r\n")
        assert read_head(peer).startswith(b"GET /done HTTP/1.1\r\n")
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\none\r\ntwo")

    with listener(serve) as (host, port):
        done = run("form", f"{host}:{port}")
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n"), done.stderr


def read_bytes(peer: socket.socket, amount: int) -> bytes:
    """Return *amount* bytes; MSG_WAITALL does not wait for them on a socket with a timeout."""
    with peer.makefile("rb", buffering=0) as stream:
        data = b""
        while len(data) < amount and (block := stream.read(amount - len(data))):
            data += block
    return data


def test_a_file_is_uploaded_step_by_step(tmp_path: Path) -> None:
    path = tmp_path / "upload.bin"
    path.write_bytes(bytes(range(256)) * 100)

    def serve(peer: socket.socket) -> None:
        head = read_head(peer)
        assert head.startswith(b"PUT /files/upload.bin HTTP/1.1\r\n")
        assert b"\r\nContent-Length: 25600\r\n" in head
        assert read_bytes(peer, 25600) == path.read_bytes()
        peer.sendall(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.sendall(b"5\r\nsaved\r\n0\r\n\r\n")

    with listener(serve) as (host, port):
        done = run("upload", f"{host}:{port}", str(path))
    told = "sending Host\nsending Accept-Encoding\nsending Content-Length\n201 5 True\n"
    assert (done.returncode, done.stdout) == (0, told), done.stderr
