"""Fuzz whole exchanges: ``python -m httplib_impl.tests.fuzz [--runs N] [--seed N] [--random]``.

With atheris (the extra ``fuzz``) the fuzzer is guided by coverage. Without it, or with
``--random``, the inputs come from a generator that knows the words of HTTP. A finding prints its
input, which ``--input HEX`` plays again.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Run, and say how many exchanges there were."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random", action="store_true")
    parser.add_argument("--input", type=bytes.fromhex)
    options = parser.parse_args()
    if options.input is not None:
        from httplib_impl.tests.exchanges import exchange

        exchange(options.input)
    elif options.random or importlib.util.find_spec("atheris") is None:
        at_random(options.runs, options.seed)
    else:
        guided(options.runs, options.seed)


def at_random(runs: int, seed: int) -> None:
    """Play that many random exchanges; the same seed plays the same ones."""
    from httplib_impl.tests.exchanges import exchange, random_input

    source = random.Random(seed)
    started = time.monotonic()
    for number in range(runs):
        data = random_input(source)
        try:
            exchange(data)
        except BaseException:
            print(f"exchange {number} of seed {seed}: --input {data.hex()}", file=sys.stderr)
            raise
    print(f"{runs:,} random exchanges of seed {seed} in {time.monotonic() - started:.0f} s")


def guided(runs: int, seed: int) -> None:
    """Let libFuzzer choose, and look which lines of the package each input reaches."""
    import atheris

    # To run this file, Python has imported the package already; only a new import is instrumented.
    for name in [name for name in sys.modules if name.partition(".")[0] == "httplib_impl"]:
        del sys.modules[name]
    with atheris.instrument_imports(include=["httplib_impl"]):
        from httplib_impl.tests.exchanges import CHUNKS, STARTS, WORDS, exchange, random_input

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        source = random.Random(seed)
        seeds = folder / "seeds"
        seeds.mkdir()
        for number in range(500):
            (seeds / str(number)).write_bytes(random_input(source))
        words = folder / "words"
        quoted = ["".join(f"\\x{byte:02x}" for byte in word) for word in WORDS + STARTS + CHUNKS]
        words.write_text("".join(f'"{word}"\n' for word in quoted), encoding="ascii")
        # -timeout is in seconds for one input: a hang is a finding.
        limits = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"]
        arguments = [f"-runs={runs}", f"-seed={seed}", f"-dict={words}", *limits]
        arguments.append(f"-artifact_prefix={tempfile.gettempdir()}/httplib-fuzz-")
        atheris.Setup([sys.argv[0], *arguments, str(seeds)], exchange)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
