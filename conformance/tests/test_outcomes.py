"""Outcomes: every key of one is read, and goes where the judge looks for it."""

import pytest

from conformance.cases.casefile import load_text
from conformance.cases.model import Outcome
from conformance.cases.octets import AddressHole
from conformance.cases.tables import RESERVED_IDS, ExpectationTable, WireTable
from conformance.cases.values import Items, Octets, Scalar

CASE = """
family = "framing"
[[case]]
id = "outcomes.case"
title = "A case"
level = "documented"
spec = ["HTTPResponse.read"]
why = "To be loaded."
respond = "x"
[[case.outcome]]
"""
VALUES = {"raises", "value", "any"}
"""What an entry may say beside attributes of an exception."""
ATTRIBUTES = {"expected": ("5", Scalar(5)), "args": ('["x"]', Items("list", (Octets((b"x",)),)))}
"""Those that are no octets."""


def outcome(text: str) -> Outcome:
    (case,) = load_text(CASE + text, "test.toml")
    return case.outcomes[0]


@pytest.mark.parametrize("key", sorted(set(ExpectationTable.__struct_fields__) - VALUES))
def test_every_attribute_of_an_exception_is_expected(key: str) -> None:
    written, meant = ATTRIBUTES.get(key, ('"x"', Octets((b"x",))))
    found = outcome(f'read = {{ raises = "IncompleteRead", {key} = {written} }}').ops["read"]
    assert found.raises == ("IncompleteRead",)
    assert found.attributes == {key: meant}


def test_an_entry_is_one_of_a_value_an_exception_and_anything() -> None:
    assert outcome("read = 5").ops["read"].value == Scalar(5)
    assert outcome("read = { value = 5 }").ops["read"].value == Scalar(5)
    assert outcome('read = { raises = ["OSError", "ValueError"] }').ops["read"].raises == (
        "OSError",
        "ValueError",
    )
    assert outcome("read = { any = true }").ops["read"].anything


WIRE = {
    "connections": ("2", 2),
    "after": ('["kept", "closed"]', ("kept", "closed")),
    "left": ("[1, 0]", (1, 0)),
    "request": ('[["GET ", { address = "port" }]]', ((b"GET ", AddressHole("port")),)),
    "received": ('["", "x"]', ((b"",), (b"x",))),
    "source": ('["127.0.0.2"]', ((b"127.0.0.2",),)),
}


@pytest.mark.parametrize("key", WireTable.__struct_fields__)
def test_every_key_of_the_wire_is_expected(key: str) -> None:
    written, meant = WIRE[key]
    assert getattr(outcome(f"wire = {{ {key} = {written} }}").wire, key) == meant


def test_what_is_not_given_is_not_compared() -> None:
    wire = outcome("read = 5").wire
    assert all(getattr(wire, key) is None for key in WireTable.__struct_fields__)


def test_the_head_of_an_outcome_is_read() -> None:
    found = outcome('grade = "tolerated"\nbasis = "rfc"\nread = 5\n[[case.outcome]]\nread = 6\n')
    assert (found.grade, found.basis) == ("tolerated", "rfc")
    varied = outcome('when = { end = ["rst"], cut = ["bytes"] }\n[[case.outcome]]\nread = 6\n')
    assert varied.when == {"end": ("rst",), "cut": ("bytes",)}
    assert varied.holds({"end": "rst", "cut": "bytes"})
    assert not varied.holds({"end": "rst"})
    assert {"grade", "basis", "when", "wire"} <= RESERVED_IDS
