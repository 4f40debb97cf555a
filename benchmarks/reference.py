"""The speed of `httplib_impl`, compared with every installed client and a raw socket.

All clients get the same bytes from one server process. Client and server share one CPU where the
system allows it, rounds are interleaved, and each ratio is the median of the ratios of its rounds,
so that load on the machine slows all of them equally. The table has two lower bounds: the raw
socket parses nothing, and the bare loop does only what is documented for a small GET. A rate is
relative to `http.client`: 2.0 means twice as many exchanges in the same CPU time of the client.

Run ``make bench``, or ``python -m benchmarks.reference [--rounds N] [--only WORK] [--record]``. The
table and the plot are written to ``benchmarks/results/``; ``--record`` also writes the rates, with
the date and the kind of machine, to ``fixtures/benchmarks.json``, which the atlas shows.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import canned
from benchmarks.peers import PEERS, Peer, installed

IMPORT_GOAL = 0.5
"""The goal for the time of an import, as a multiple of that of http.client."""
RESULTS = Path(__file__).parent / "results"
RECORD = Path(__file__).parent.parent / "fixtures" / "benchmarks.json"
OURS = "httplib_impl"
MEASURE = "http.client"
FLOOR = "raw socket"


@dataclass(frozen=True)
class Work:
    """One kind of exchange.

    Attributes:
        title: its title in the table.
        path: the path that the client requests.
        goal: the goal for the rate, relative to `http.client`.
        count: exchanges in one round.
        amount: the block size of `read`; None for one `read()`.
        fresh: whether each exchange has a connection of its own.
        file: whether the response comes from the file that an object makes, which is given to the
            connection in place of a socket; clients that can do this have `many_files`.
        limit: the reason why `httplib_impl` cannot be faster; printed if the goal is missed.
    """

    title: str
    path: str
    goal: float
    count: int
    amount: int | None = None
    fresh: bool = False
    file: bool = False
    limit: str = "nothing known"


WORKS = [
    Work(
        "small GET, keep-alive",
        "/small",
        3.2,
        400,
        limit="calls that can be overridden, and objects that survive them: see the bare loop",
    ),
    Work("30 headers", "/30", 4.5, 300),
    Work("99 headers", "/99", 7.5, 150),
    Work(
        "new connection per request",
        "/small",
        1.8,
        150,
        fresh=True,
        limit="the system, and `create_connection`, which old code replaces: see the raw socket",
    ),
    Work("16-byte chunks, equal", "/chunks-16", 6.5, 1),
    Work("1 to 40-byte chunks, random", "/chunks-random", 2.8, 1),
    Work(
        "1 KiB chunks",
        "/chunks-1k",
        3.0,
        2,
        limit="two copies of each byte, into a chunk and into the body: see the raw socket",
    ),
    Work(
        "64 KiB chunks",
        "/chunks-64k",
        1.4,
        2,
        # Measured: only receiving and copying, without decoding, takes 80 % of this time; receiving
        # each chunk at its place in the body takes as long, for one more call of the system each.
        # Where malloc returns the memory of a body to the system, new pages take twice as long.
        limit="the copy into one buffer; pieces that are joined at last take twice the memory",
    ),
    Work("64 MiB, read()", "/64m", 1.4, 1, limit="the memory of the body, which is new: no copy"),
    Work("64 MiB, read(65536)", "/64m", 1.1, 1, amount=65536),
    Work("30 headers, from a file", "/30", 1.0, 150, file=True),
    Work("1 to 40-byte chunks, from a file", "/chunks-random", 1.0, 1, file=True),
    Work(
        "1 KiB chunks, from a file",
        "/chunks-1k",
        1.0,
        2,
        file=True,
        limit="two calls and two copies of each chunk, as in http.client: the rates are equal",
    ),
]


@dataclass(frozen=True)
class Cost:
    """The cost of one exchange, in seconds."""

    cpu: float
    wall: float


def measure(peer: Peer, work: Work) -> Cost:
    """Run one round; return the average cost of one exchange."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    if work.file:
        total = peer.many_files(work.path, work.count)
    elif work.fresh:
        total = peer.many_fresh(work.path, work.count)
    else:
        total = peer.many(work.path, work.amount, work.count)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if total <= 0:
        raise SystemExit(f"{type(peer).__name__} received nothing for {work.title}")
    return Cost(cpu / work.count, wall / work.count)


def rounds(work: Work, count: int) -> dict[str, list[Cost]]:
    """Measure all clients alternately, *count* times, after one round that is not counted."""
    costs: dict[str, list[Cost]] = {}
    with canned.server() as port, contextlib.ExitStack() as stack:
        peers = {n: make(port) for n, make in installed().items() if can(make, work)}
        for peer in peers.values():
            stack.callback(peer.close)
            measure(peer, work)
        for _ in range(count):
            for name, peer in peers.items():
                costs.setdefault(name, []).append(measure(peer, work))
    return costs


def can(make: object, work: Work) -> bool:
    """Return whether a client of this class can do this work."""
    paths = getattr(make, "paths", None)
    if work.file:
        return getattr(make, "reads_files", False)
    return paths is None or (work.path in paths and not work.fresh)


def relative(costs: dict[str, list[Cost]], name: str, kind: str) -> float:
    """Return the rate of a client relative to `http.client`: the median over the rounds."""
    pairs = zip(costs[MEASURE], costs[name], strict=True)
    ratios = [getattr(standard, kind) / getattr(mine, kind) for standard, mine in pairs]
    return float(statistics.median(ratios))


IMPORT = "import time; t = time.process_time(); import {}; print(time.process_time() - t)"

# VmHWM starts anew in each program; the peak of `getrusage` is inherited from the parent.
MEMORY = """
import re, sys
from benchmarks.peers import PEERS

def kib(name):
    with open("/proc/self/status", encoding="ascii") as status:
        return int(re.search(name + r":\\s*(\\d+) kB", status.read())[1])

peer = PEERS[sys.argv[1]](int(sys.argv[2]))
peer.get("/small", None)
before = kib("VmRSS")
assert peer.get("/64m", None) == 64 << 20
print((kib("VmHWM") - before) * 1024 - (64 << 20))
"""


def run(code: str, *arguments: str, cache: str | None = None) -> float:
    """Return the number that *code* prints in a new interpreter; *cache* keeps its byte code."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if cache:
        environment["PYTHONPYCACHEPREFIX"] = cache
    command = [sys.executable, "-c", code, *arguments]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=root, env=environment
    )
    return float(done.stdout)


def import_time(count: int) -> dict[str, float]:
    """Return the CPU time of each import relative to `http.client`, with byte code cached."""
    modules = {"httplib_impl": "httplib_impl", MEASURE: MEASURE, FLOOR: "socket"}
    times: dict[str, list[float]] = {name: [] for name in modules}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(count + 1):
            for name, module in modules.items():
                seconds = run(IMPORT.format(module), cache=cache)
                if number:
                    times[name].append(seconds)
    return {
        name: statistics.median(a / b for a, b in zip(own, times[MEASURE], strict=True))
        for name, own in times.items()
    }


def peak_memory() -> dict[str, float]:
    """Return the peak above the 64 MiB body of one `read()`, in MiB of resident memory."""
    if not Path("/proc/self/status").exists():
        return {}
    with canned.server() as port:
        return {
            name: run(MEMORY, name, str(port)) / canned.MIB
            for name in installed()
            if name not in (FLOOR, "bare loop", "aiohttp")  # they keep no body, or have no `get`
        }


def table(measured: dict[str, dict[str, list[Cost]]]) -> str:
    """Return a table in Markdown: rates by CPU time, and by wall time in brackets."""
    names = [name for name in PEERS if any(name in costs for costs in measured.values())]
    lines = [
        "| work | goal | " + " | ".join(names) + " |",
        "|---" * (len(names) + 2) + "|",
    ]
    for work in WORKS:
        costs = measured.get(work.title)
        if costs is None:
            continue
        cells = [
            f"{relative(costs, name, 'cpu'):.2f} ({relative(costs, name, 'wall'):.2f})"
            if name in costs
            else "–"
            for name in names
        ]
        lines.append(f"| {work.title} | {work.goal:.1f} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def missed(measured: dict[str, dict[str, list[Cost]]]) -> str:
    """Return a line for each goal that `httplib_impl` misses: by how much, and for what reason."""
    text = ""
    for work in WORKS:
        if work.title in measured:
            rate = relative(measured[work.title], OURS, "cpu")
            if rate < work.goal:
                text += (
                    f"Missed: {work.title}, {rate:.2f} of {work.goal:.1f}. Limit: {work.limit}.\n"
                )
    return text


def record(measured: dict[str, dict[str, list[Cost]]], count: int) -> str:
    """Return the rates by CPU time as JSON, with what they depend on."""
    rates = {
        title: {name: round(relative(costs, name, "cpu"), 2) for name in costs}
        for title, costs in measured.items()
    }
    run = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()}, {platform.machine()}, {os.cpu_count()} CPUs",
        "rounds": count,
    }
    return json.dumps({**run, "rates": rates}, indent=1) + "\n"


def absolute(measured: dict[str, dict[str, list[Cost]]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the medians in microseconds, for a closer analysis."""
    return {
        title: {
            name: {
                kind: round(statistics.median(getattr(cost, kind) for cost in own) * 1e6, 2)
                for kind in ("cpu", "wall")
            }
            for name, own in costs.items()
        }
        for title, costs in measured.items()
    }


def plot(measured: dict[str, dict[str, list[Cost]]], path: Path) -> None:
    """Draw the rates as bars on a logarithmic scale."""
    import pygal

    chart = pygal.HorizontalBar(
        logarithmic=True,
        title="Exchanges per CPU second of the client, relative to http.client (log scale)",
        height=900,
        value_formatter=lambda value: f"{value:.2f}",
        js=[],
    )
    chart.x_labels = list(reversed(measured))
    for name in PEERS:
        rates = [
            relative(costs, name, "cpu") if name in costs else None
            for costs in reversed(measured.values())
        ]
        if any(rates):
            chart.add(name, rates)
    chart.render_to_file(str(path))


def share_one_cpu() -> str:
    """Bind this process, and the server that it starts, to one CPU."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned to a CPU: compare CPU times only"
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return f"client and server pinned to CPU {cpu}"


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", help="a part of the title of a work")
    parser.add_argument("--record", action="store_true", help="write the rates for the atlas")
    options = parser.parse_args()
    if options.only and options.record:
        parser.error("--record needs all works, so there can be no --only")
    place = share_one_cpu()
    works = [work for work in WORKS if (options.only or "") in work.title]
    if not works:
        parser.error(f"no work has {options.only!r} in its title")
    measured: dict[str, dict[str, list[Cost]]] = {}
    for work in works:
        print(work.title, "…", file=sys.stderr)
        measured[work.title] = rounds(work, options.rounds)
    text = f"{platform.python_implementation()} {platform.python_version()}, {place}, "
    text += f"medians of {options.rounds} interleaved rounds. Rates relative to http.client by CPU "
    text += "time of the client, by wall time in brackets.\n\n" + table(measured)
    text += "\n" + missed(measured)
    if not options.only:
        imports = import_time(options.rounds)
        text += f"\nImport time relative to http.client (goal at most {IMPORT_GOAL}): "
        text += ", ".join(f"{name} {value:.2f}" for name, value in imports.items()) + "\n"
        if imports[OURS] > IMPORT_GOAL:
            text += f"Missed: import, {imports[OURS]:.2f} of {IMPORT_GOAL}. Limit: `socket` and "
            text += "`re`, and the patterns of the grammar, which are compiled at once.\n"
        text += "\nPeak memory above a 64 MiB body of one read() (goal at most 10 MiB), MiB: "
        text += ", ".join(f"{name} {value:.1f}" for name, value in peak_memory().items()) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "reference.md").write_text(text, encoding="utf-8")
    numbers = json.dumps(absolute(measured), indent=2)
    (RESULTS / "reference.json").write_text(numbers + "\n", encoding="utf-8")
    if options.record:
        RECORD.write_text(record(measured, options.rounds), encoding="utf-8")
    try:
        plot(measured, RESULTS / "reference.svg")
    except ModuleNotFoundError as error:
        print(f"no plot: {error} (install the extra 'bench')", file=sys.stderr)


if __name__ == "__main__":
    main()
