"""The cost of judging: plain cases in `check`, compared with a raw loop.

The raw loop makes the same calls on the same implementation against a thread with a plain socket,
without script, transcript, checks of connections, or judge. Rounds of both are interleaved, and
each ratio is that of two adjacent rounds.

Run ``python -m benchmarks.check_overhead [--rounds N] [--cases N]``.
"""

import argparse
import itertools
import socket
import statistics
import threading
import time
from collections.abc import Sequence

import httplib_impl
from certs import CertificateAuthority
from conformance.cases import DEFAULT_OPS, Case, load_corpus
from conformance.drivers import target
from conformance.judge import OK
from conformance.run import Runner
from mockserver import Close, ReadRequest, Send


def plain_cases(count: int) -> list[Case]:
    """Return *count* cases with one plain exchange each: request, one response, read, isclosed."""
    plain = [case for case in load_corpus().cases if is_plain(case)]
    return list(itertools.islice(itertools.cycle(plain), count))


def is_plain(case: Case) -> bool:
    """Return whether *case* makes the default calls and gets one short response, and no error."""
    calls = [op.message.get("call") for op in case.ops]
    expectations = [item for outcome in case.outcomes for item in outcome.ops.values()]
    return (
        case.level != "observe"
        and calls == ["HTTPConnection", *(op.call for op in DEFAULT_OPS)]
        and not case.ops[0].message["kwargs"]
        and len(response_of(case) or bytes(1_000)) < 1_000
        and not any(item.raises or item.anything for item in expectations)
    )


def response_of(case: Case) -> bytes | None:
    """Return the bytes of the response if the case has exactly one plain response, else None."""
    if len(case.script.connections) != 1:
        return None
    match case.script.connections[0].steps:
        case (ReadRequest(), Send(data=bytes() as data), Close(how="fin")):
            return data
        case _:
            return None


class BareServer(threading.Thread):
    """Accepts a connection, receives to the blank line, sends the next response, and closes."""

    def __init__(self, responses: Sequence[bytes]) -> None:
        super().__init__(daemon=True)
        self._responses = responses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve one connection for each response."""
        with self._listener:
            for response in self._responses:
                connection, _ = self._listener.accept()
                with connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += connection.recv(65536)
                    connection.sendall(response)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass


def raw_loop(cases: Sequence[Case]) -> float:
    """Return the seconds that the calls of *cases* take against a thread with a plain socket."""
    server = BareServer([response_of(case) or b"" for case in cases])
    methods = [case.ops[1].message["args"] for case in cases]
    server.start()
    started = time.perf_counter()
    for method, url in methods:
        connection = httplib_impl.HTTPConnection("127.0.0.1", server.port)
        connection.request(method, url)
        response = connection.getresponse()
        response.read()
        response.isclosed()
        connection.close()
    elapsed = time.perf_counter() - started
    server.join()
    return elapsed


def checked(cases: Sequence[Case], runner: Runner) -> float:
    """Return the seconds that the verdicts on *cases* take."""
    started = time.perf_counter()
    verdicts = {result.verdict for result in runner.run(cases)}
    elapsed = time.perf_counter() - started
    if not verdicts <= OK:
        raise SystemExit(f"the cases do not pass: {sorted(verdicts)}")
    return elapsed


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--cases", type=int, default=1000)
    options = parser.parse_args()
    cases = plain_cases(options.cases)
    with Runner(target("httplib_impl"), CertificateAuthority()) as runner:
        raw_loop(cases)
        checked(cases, runner)
        pairs = [(raw_loop(cases), checked(cases, runner)) for _ in range(options.rounds)]
    ratio = statistics.median(check / raw for raw, check in pairs)
    per_case = 1e6 / len(cases)
    print(f"raw loop   {statistics.median(raw for raw, _ in pairs) * per_case:7.0f} µs a case")
    print(f"check      {statistics.median(check for _, check in pairs) * per_case:7.0f} µs a case")
    print(f"ratio      {ratio:7.2f}   (median of {len(pairs)} pairs; goal: at most 2)")


if __name__ == "__main__":
    main()
