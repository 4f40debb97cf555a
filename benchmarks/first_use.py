"""The cost of whole commands: their processor time, and the memory of a whole check.

Each command runs in a process of its own. Its time is that of the process and its children, user
and system; the median of several rounds is reported. For `serve`, the time ends when the first
answer has arrived; for a whole `check`, when the first case is played.

Run ``python -m benchmarks.first_use [--rounds N]``.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

ONE = "chunked.two-chunks"
FILES = [str(path) for path in sorted(Path("conformance").resolve().glob("test_*.py"))]
"""The tests of the plugin only, without the others of the package."""
KIT = (sys.executable, "-m", "conformance")
_FIRST_CASE = """\
import os, resource, sys
from conformance.run.lane import Lane

def run_case(lane, case):
    used = resource.getrusage(resource.RUSAGE_SELF)
    os.write(1, str(used.ru_utime + used.ru_stime).encode())
    os._exit(0)

Lane.run_case = run_case
from conformance.__main__ import run
sys.argv = ["httplib-kit", "check"]
run()
"""


def command(*arguments: str) -> float:
    """Return the seconds of processor time that the kit uses with *arguments*."""
    return _spent((*KIT, *arguments))


def collection() -> float:
    """Return the seconds that pytest takes to collect all cases."""
    with tempfile.TemporaryDirectory() as empty:
        options = ("-q", "-p", "no:cacheprovider", "--collect-only", *FILES)
        return _spent((sys.executable, "-m", "pytest", *options), Path(empty))


def first_answer() -> float:
    """Return the seconds that `serve` uses until its first answer has arrived."""
    with subprocess.Popen((*KIT, "serve", "--port", "0"), stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            port = json.loads(server.stdout.readline())["http"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/c/{ONE}", timeout=30) as answer:
                answer.read()
            fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
            return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
        finally:
            server.terminate()


def first_case() -> float:
    """Return the seconds that a whole `check` uses until it plays its first case."""
    words = (sys.executable, "-c", _FIRST_CASE)
    done = subprocess.run(words, capture_output=True, check=True)
    return float(done.stdout)


def memory() -> float:
    """Return the peak memory of a whole `check`, in megabytes."""
    with subprocess.Popen((*KIT, "check", "-q"), stdout=subprocess.DEVNULL) as process:
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return used.ru_maxrss / 1024


def _spent(words: Sequence[str], directory: Path | None = None) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True, cwd=directory)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


ROWS: Sequence[tuple[str, float, Callable[[], float]]] = (
    ("--help", 0.25, lambda: command("--help")),
    ("list", 0.5, lambda: command("list")),
    (f"show {ONE}", 0.4, lambda: command("show", ONE)),
    ("serve, until its first answer", 0.7, first_answer),
    (f"check --select {ONE}", 0.6, lambda: command("check", "--select", ONE)),
    ("check, until its first case", 0.7, first_case),
    ("pytest, collection", 2.0, collection),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{'seconds of processor time':<36}  median    goal")
    for name, goal, measured in ROWS:
        median = statistics.median(measured() for _ in range(rounds))
        print(f"{name:<36}  {median:>6.2f}  {goal:>6.2f}", flush=True)
    print(f"{'megabytes of a whole check':<36}  {memory():>6.0f}  {150:>6}")


if __name__ == "__main__":
    main()
