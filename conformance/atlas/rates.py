"""The recorded rates of a benchmark, as a table with a plot in each row.

The input is the file that ``python -m benchmarks.reference --record`` writes: one run on one
machine.  The output is rows; a rate is relative to `http.client`, and its place in a plot is on a
logarithmic scale, so that half as many is as far from 1 as twice as many.
"""

import math
from typing import NamedTuple

import msgspec

from conformance.cases import fixtures_directory

OURS = "httplib_impl"
_WIDEST = math.log(32)
"""What a plot has room for on each side of 1."""


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of the benchmark.

    Args:
        date: its day, in UTC.
        python: the interpreter.
        machine: the system, the processor and the number of CPUs.
        rounds: the number of interleaved rounds, of which the rates are medians.
        rates: of each kind of exchange, the rate of each client.
    """

    date: str
    python: str
    machine: str
    rounds: int
    rates: dict[str, dict[str, float]]

    @property
    def clients(self) -> list[str]:
        """The names of all clients, in the order of the run."""
        return list(dict.fromkeys(name for row in self.rates.values() for name in row))

    @property
    def rows(self) -> list["Row"]:
        """A row for each kind of exchange."""
        return [
            Row(
                title,
                [row.get(name) for name in self.clients],
                _place(row[OURS]),
                [_place(rate) for name, rate in row.items() if name != OURS],
            )
            for title, row in self.rates.items()
        ]


class Row(NamedTuple):
    """The rates of one kind of exchange.

    Args:
        title: the kind.
        rates: of all clients; None for one that cannot do it.
        own: the place of the reference implementation, from 0 to 1; that of `http.client` is 0.5.
        others: the places of all others.
    """

    title: str
    rates: list[float | None]
    own: float
    others: list[float]


def _place(rate: float) -> float:
    """Return the place of *rate* on the scale.

    >>> _place(1.0), _place(32.0), _place(1000.0), _place(0.001)
    (0.5, 1.0, 1.0, 0.0)
    """
    return min(max(0.5 + math.log(rate) / _WIDEST / 2, 0.0), 1.0)


def load_rates() -> Rates:
    """Return the recorded run."""
    path = fixtures_directory() / "benchmarks.json"
    return msgspec.json.decode(path.read_bytes(), type=Rates)
