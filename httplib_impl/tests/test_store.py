"""What is stored comes out once, in order, however it came in and whatever came in between."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httplib_impl import _store
from httplib_impl._store import ALL, Store
from httplib_impl.tests.support import DETERMINISTIC, Wire, connection

# Every byte tells where it stands, so that none can be lost, doubled or moved unseen.
NUMBERED = b"".join(number.to_bytes(4, "big") for number in range(100_000))

SIZES = st.sampled_from([0, 1, 2, 7, 16, 17, 40, 300])
STEPS = st.lists(
    st.tuples(st.just("append"), SIZES)
    | st.tuples(st.just("append all"), SIZES)
    | st.tuples(st.just("take"), SIZES | st.just(ALL))
    | st.tuples(st.just("receive"), SIZES)
    | st.tuples(st.just("receive, with a timeout inside"), SIZES)
    | st.tuples(st.just("receive, of a stream that ends"), SIZES),
    max_size=12,
)


class Stream:
    """Gives numbered bytes into the places that it is offered, a few at a time."""

    def __init__(self, at_a_time: int) -> None:
        self.given = 0
        self.at_a_time = at_a_time

    def data(self, n: int) -> bytes:
        self.given += n
        return NUMBERED[self.given - n : self.given]

    def into(
        self, ends: Callable[[], int] | None = None, before: int = 0
    ) -> Callable[[memoryview], int]:
        """What `Store.receive` calls: *ends* says what happens in front of the last bytes."""
        stop = self.given + before

        def receive_into(room: memoryview) -> int:
            n = min(len(room), self.at_a_time)
            if ends:
                n = min(n, stop - self.given)
                if not n:
                    return ends()
            room[:n] = self.data(n)
            return n

        return receive_into


def time_out() -> int:
    raise TimeoutError


def end() -> int:
    return 0


@pytest.mark.parametrize("first_room", [16, 64, 1 << 20])
@settings(DETERMINISTIC, max_examples=300)
@given(steps=STEPS, at_a_time=st.sampled_from([1, 5, 1000]))
def test_bytes_come_out_as_they_came_in(
    first_room: int, steps: list[tuple[str, int]], at_a_time: int
) -> None:
    store, stream, taken = Store(), Stream(at_a_time), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_store, "_FIRST_ROOM", first_room)
        for step, n in steps:
            before = stream.given
            if step == "append":
                store.append(memoryview(stream.data(n)))
            elif step == "append all":
                store.append(stream.data(n // 2), b"", stream.data(n - n // 2))
            elif step == "receive":
                assert store.receive(stream.into(), n)
                assert stream.given == before + n
            elif step == "receive, with a timeout inside":
                with pytest.raises(TimeoutError):
                    store.receive(stream.into(time_out, n), n + 1)
            elif step == "receive, of a stream that ends":
                assert not store.receive(stream.into(end, n), ALL)
            else:
                data = store.take(n)
                assert data == NUMBERED[taken : min(taken + n, stream.given)]
                taken += len(data)
            assert len(store) == stream.given - taken
    assert store.take(ALL) == NUMBERED[taken : stream.given]


CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SMALL_CHUNKS = [b"3e8\r\n%b\r\n" % NUMBERED[i : i + 1000] for i in range(0, 400_000, 1000)]
LARGE_CHUNKS = [b"186a0\r\n%b\r\n" % NUMBERED[i : i + 100_000] for i in range(0, 400_000, 100_000)]
ONE_CHUNK = b"61a80\r\n%b\r\n0\r\n\r\n" % NUMBERED


@pytest.mark.parametrize(
    "data",
    [
        *(CLOSE + NUMBERED, LENGTH + NUMBERED, CHUNKED + ONE_CHUNK),
        *(CHUNKED + b"".join([*chunks, b"0\r\n\r\n"]) for chunks in (SMALL_CHUNKS, LARGE_CHUNKS)),
    ],
    ids=["close", "length", "one chunk", "small chunks", "large chunks"],
)
@pytest.mark.parametrize("amount", [1000, 59_999, 60_001, 65_536, 200_000, 399_999, None])
@pytest.mark.parametrize("before", [100, 70_000, 150_000, 300_000])
def test_a_read_after_a_timeout_gives_every_byte_once(
    data: bytes, amount: int | None, before: int
) -> None:
    """The first `read` stores what came before it timed out; another style goes on from there."""
    segments = [data[i : i + 10_000] for i in range(before, len(data), 10_000)]
    conn = connection([data[:before], TimeoutError(), segments[0], TimeoutError(), *segments[1:]])
    conn.request("GET", "/")
    response = conn.getresponse()
    with pytest.raises(TimeoutError):
        response.read()
    pieces = []
    while not response.isclosed():
        try:
            pieces.append(response.read(amount))
        except TimeoutError:
            assert len(pieces) < 400  # the second one; it comes but once
    assert b"".join(pieces) == NUMBERED


@pytest.mark.parametrize("n", [ALL, 1 << 40], ids=["unknown", "announced"])
def test_the_room_for_bytes_grows_with_those_received(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an eighth where nobody knows how many will come, sixteenfold where that is announced."""
    monkeypatch.setattr(_store, "_FIRST_ROOM", 1000)
    store, received, most = Store(), 0, 1 / 8 if n == ALL else 16

    def receive_into(room: memoryview) -> int:
        nonlocal received
        assert len(room) <= max(1000, received * most)
        received += len(room)
        return len(room) if received < 100_000 else 0

    assert not store.receive(receive_into, n)


@pytest.mark.parametrize("data", [LENGTH + NUMBERED, CHUNKED + ONE_CHUNK, CLOSE + NUMBERED])
@pytest.mark.parametrize("amount", [7_000, 59_999, 60_001, 65_400, 65_536, 100_000, 262_145])
@pytest.mark.parametrize("segment", [1_000, 65_536, len(NUMBERED) * 2])
def test_reads_of_any_amount_give_every_byte_once(data: bytes, amount: int, segment: int) -> None:
    """Whether the bytes are here already, come in one fetch, or in several."""
    conn = connection([data[i : i + segment] for i in range(0, len(data), segment)])
    conn.request("GET", "/")
    response = conn.getresponse()
    pieces = []
    while not response.isclosed():
        pieces.append(response.read(amount))
        assert len(pieces[-1]) <= amount
    assert b"".join(pieces) == NUMBERED


class Keeping(Wire):
    """A wire that wants every segment to be let go before the next one is fetched."""

    last = b""

    def recv(self, n: int, flags: int = 0, /) -> bytes:
        holders = sys.getrefcount(self.last)  # this attribute, and the argument of the call
        assert holders == 2 or not self.last
        self.last = super().recv(n, flags)
        return self.last


@pytest.mark.parametrize("size", [1_000, 5_000, 20_000])
@pytest.mark.parametrize("segment", [30_000, 50_000])
def test_a_segment_is_let_go_before_the_next_one_is_fetched(size: int, segment: int) -> None:
    """While data is fetched: its memory is used again, fresh memory costs more than decoding."""
    body = NUMBERED[: len(NUMBERED) // size * size]
    chunks = [b"%x\r\n%b\r\n" % (size, body[i : i + size]) for i in range(0, len(body), size)]
    data = CHUNKED + b"".join([*chunks, b"0\r\n\r\n"])
    conn = connection(b"")
    conn.sock = Keeping([data[i : i + segment] for i in range(0, len(data), segment)])
    conn.request("GET", "/")
    assert conn.getresponse().read() == body


def test_what_was_returned_takes_no_memory() -> None:
    store = Store()
    tracemalloc.start()
    for _ in range(1000):
        store.append(b"x" * 1000)
        store.take(999)
    in_use = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(store) == 1000
    assert in_use < 10_000
