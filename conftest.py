"""Registers the plugin, and keeps the garbage collector away from what collecting tests makes.

All of it lives to the end of the session: the items, their modules, the corpus. A full collection
that visits it costs half a second of processor time, and there would be dozens in each process.
"""

import gc
from collections.abc import Generator

import pytest

pytest_plugins = ["conformance.plugin"]

gc.disable()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect garbage after the tests are collected, and none of what there is by then."""
    result = yield
    gc.freeze()
    gc.enable()
    return result
