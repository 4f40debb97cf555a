"""The conformance suite, which joins cases, mock server and implementations to produce verdicts.

The input is the case files of ``fixtures`` and the name of an implementation.  The output is one
verdict per case, and reports made from the verdicts alone.  The subpackages import one another in
one direction only::

    cases -> drivers -> judge -> results -> run -> driver_check -> report -> serve -> reproduce
    -> atlas -> cli, plugin

``drivers`` is independent of ``judge``: a driver executes calls and reports facts; it never
receives an expectation.

Nothing here parses HTTP: the bytes come from the cases, and the judge compares bytes.
"""

EXIT_INTERRUPTED = 130
"""The exit code of a program that SIGINT ended: neither a failure nor an error."""
