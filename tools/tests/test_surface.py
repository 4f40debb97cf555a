"""What others may depend on is what is recorded, and a difference is shown with its remedy."""

import re

from conformance.tests.conftest import ROOT
from tools.surface import difference, recorded, surface


def test_nothing_that_is_recorded_is_removed_or_changed() -> None:
    found = difference(recorded(), surface())
    assert not found, found


def test_a_difference_names_both_forms_and_the_remedy() -> None:
    before = surface()
    after = {**before, "mockserver.Send": "(data, more)", "mockserver.New": "()"}
    del after["$ httplib-kit check --select"]
    found = difference(before, after)
    assert f"- mockserver.Send  {before['mockserver.Send']}\n" in found
    assert "+ mockserver.Send  (data, more)\n" in found
    assert "- $ httplib-kit check --select  " in found
    assert "`make surface`" in found
    assert "mockserver.New" not in found
    assert "+ mockserver.New  ()" in difference(before, after, added=True)
    assert difference(before, before, added=True) == ""


def test_each_kind_of_name_is_recorded() -> None:
    names = surface()
    for name in (
        "mockserver.script",
        "httplib_impl.HTTPConnection.request",
        "httplib_impl.HTTP_PORT",
        "certs.CertificateAuthority",
        "$ httplib-kit course unmask",
        "exit code, failures",
        "verdict REPLAYED",
        "pytest --httplib-impl",
        "fixture mock_server",
        "case.schema.json CaseTable.id",
        "results.schema.json Result.verdict",
    ):
        assert name in names, name


def test_the_page_names_what_is_recorded() -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    kinds = {name.partition(" ")[0].partition(".")[0] for name in surface()}
    assert {"mockserver", "httplib_impl", "certs", "fixture"} <= kinds
    for schema in {name.split(" ")[0] for name in surface() if ".schema.json " in name}:
        assert f"`{schema}`" in page, schema
    for package in ("mockserver", "httplib_impl", "certs"):
        assert re.search(rf"`{package}`", page)
