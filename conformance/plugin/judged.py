"""The implementations under test, and the object that a test uses: one case of one implementation.

The input is an implementation, the options, and cases.  The output is the results that
`httplib-kit check` would give, from the same `Check`, and the end of each test: it passes, fails
with the story, is skipped, or is an expected failure according to its baseline.
"""

import datetime as dt
import sys
from collections.abc import Mapping
from functools import cached_property

import pytest

from certs import CertificateAuthority
from conformance.cases import Case, Cases, SweptCases
from conformance.drivers import DriverError, Implementation, with_path
from conformance.drivers.clients import PREFIX
from conformance.judge import OK, ErrorMapError, parse_error_map
from conformance.plugin.options import SHIPPED, Options
from conformance.plugin.summary import CASE, FLAKE, IMPLEMENTATION, VERDICT
from conformance.report import Standing, standing, story, visible_text
from conformance.results import (
    BaselineError,
    Listing,
    Overlay,
    Result,
    RunHead,
    Scope,
    baseline_source,
    parse_baseline,
    shipped_baseline,
)
from conformance.run import Background, Check


class KnownDeviation(Exception):
    """The case fails as the baseline says; pytest reports an expected failure."""


class Unusable(Exception):
    """The implementation cannot be started; the message is one line with the reason."""


class WireCase:
    """A case and an implementation.

    Args:
        cases: the cases of the session.
        name: the name of the case among them.
        judged: the implementation.
        item: the test.
    """

    def __init__(
        self, cases: Cases | SweptCases, name: str, judged: "Judged", item: pytest.Item
    ) -> None:
        self._cases = cases
        self._name = name
        self.implementation = judged.written
        self._judged = judged
        self._item = item

    @cached_property
    def case(self) -> Case:
        """The case, built when the test runs."""
        return self._cases.named(self._name)

    def run(self) -> Result:
        """Run the case and return its result, whatever the verdict."""
        result = self._judged_result()
        verdict = f"{result.overlay} {result.verdict}".lstrip()
        for name, value in (
            (IMPLEMENTATION, self.implementation),
            (CASE, result.name),
            (VERDICT, verdict),
        ):
            self._item.user_properties.append((name, visible_text(value)))
        if standing(result) is Standing.FLAKY:
            self._item.user_properties.append((FLAKE, self._told(result)))
        return result

    def _judged_result(self) -> Result:
        try:
            return self._judged.run_case(self.case)
        except Unusable as error:
            raise self._end(str(error)) from None

    def check(self) -> None:
        """Run the case; skip the test if it cannot be run, and fail with the story if it fails.

        A case that is in the baseline must fail in exactly the listed way, and is an expected
        failure.
        """
        result = self.run()
        stands = standing(result)
        if stands is Standing.SKIPPED:
            pytest.skip(visible_text(result.reason))
        mark = self._judged.mark(self.case)
        if mark is not None:
            self._item.add_marker(mark)
        if stands is Standing.OK or (result.overlay == Overlay.STALE and result.verdict in OK):
            return  # a stale entry: its strict mark fails the test
        if stands is Standing.FLAKY and not self._judged.fail_on_flaky:
            # Neither passed nor failed: the closest that pytest has is an expected failure.
            pytest.xfail(f"FLAKY {result.verdict}: fine when run again, alone and in order")
        if stands is Standing.EXPECTED:
            raise KnownDeviation(self._told(result))
        pytest.fail(self._told(result), pytrace=False)

    def _told(self, result: Result) -> str:
        return "\n".join(story(result, self._judged.head))

    def _end(self, problem: str) -> BaseException:
        """Return the exception that ends the session, because no test could pass."""
        problem = visible_text(f"httplib-kit: {problem}")
        if not hasattr(self._item.config, "workerinput"):
            return pytest.exit.Exception(problem, returncode=pytest.ExitCode.USAGE_ERROR)
        # pytest-xdist reports a worker that simply exits as crashed.
        self._item.session.shouldfail = problem
        return pytest.fail.Exception(problem, pytrace=False)


class Judged:
    """An implementation and its check, which is started when it is first needed.

    Args:
        found: the implementation.
        authority: the certificate authority.
        background: what the corpus adds to a result.
        options: how it is judged.
    """

    def __init__(
        self,
        found: Implementation,
        authority: CertificateAuthority,
        background: Background,
        options: Options,
    ) -> None:
        self.written = found.written
        self.is_client = found.written.startswith(PREFIX)
        self.listing: Listing | None = None
        # A worker also needs the entries that the host's configuration has added to the path.
        self._target = with_path(found, filter(None, sys.path))
        self._authority = authority
        self._background = background
        self._options = options
        self.fail_on_flaky = options.fail_on_flaky

    @cached_property
    def check(self) -> Check:
        """The check, started when it is first needed.

        Raises:
            Unusable: the implementation cannot be started.
        """
        options = self._options
        name, text = options.error_map
        try:
            errors = parse_error_map(text, name) if name else None
            return Check(
                self._target,
                self._authority,
                errors,
                tolerant=options.tolerant,
                deadline=options.deadline,
            )
        except (DriverError, ErrorMapError) as error:
            raise Unusable(str(error)) from None

    @cached_property
    def head(self) -> RunHead:
        """The implementation under test, and how it is judged."""
        options = self._options
        name, text = options.error_map
        return RunHead.of(
            self.check.identity,
            kit="",
            corpus="",
            own=[name for name, _ in options.cases],
            deadline=options.deadline,
            tolerant=options.tolerant,
            error_map=parse_error_map(text, name) if name else {},
        )

    def read_baseline(self, name: str, text: str, revisions: Mapping[str, int], run: Scope) -> None:
        """Read the known deviations of the implementation.

        Args:
            name: a file, or ``shipped``.
            text: the text of the file.
            revisions: the revisions of all cases, by their names.
            run: the cases of the session.

        Raises:
            Unusable: no baseline is shipped for it, or the file is not a valid baseline.
        """
        try:
            if name == SHIPPED:
                path = shipped_baseline(self.check.identity)
                name, text = str(path), baseline_source(path)
            found = parse_baseline(text, name)
            today = dt.datetime.now(dt.UTC).date()
            self.listing = Listing(found, revisions, today, run, text=text, name=name)
            self.check.listing = self.listing
            try:
                found.check_is_about(self.check.identity)
            except BaselineError as error:
                raise BaselineError(f"{name}: {error}") from None
        except BaselineError as error:
            raise Unusable(f"--httplib-baseline: {error}") from None

    def mark(self, case: Case) -> pytest.MarkDecorator | None:
        """Return the mark of an expected failure, if the baseline is about *case*.

        Where it says that the case must fail, the mark is strict, and its reason says what to do
        if the case passes.
        """
        one = None if self.listing is None else self.listing.entry(case.name)
        if one is None or self.listing is None:
            return None
        link = f" ({one.entry.link})" if one.entry.link else ""
        strict = not one.may_pass
        verdict = " or ".join(one.failure.verdicts)
        todo = f"; if it passes, remove it from {self.listing.place(one)}" if strict else ""
        reason = visible_text(f"{verdict}: {one.entry.reason}{link}{todo}")
        return pytest.mark.xfail(reason=reason, raises=KnownDeviation, strict=strict)

    def run_case(self, case: Case) -> Result:
        """Return the result of *case* with its overlay and its second run.

        Raises:
            Unusable: the implementation cannot be started.
        """
        return self.check.run_case(case, self._background)

    def close(self) -> None:
        """Close the check, if it was started."""
        if "check" in vars(self):
            self.check.close()
