"""The conformance suite: what joins cases, mock server and implementations into verdicts.

In: the case files of ``fixtures`` and the name of an implementation.  Out: one verdict per case,
and reports made from the verdicts alone.  The subpackages import one another in one direction
only::

    cases -> judge -> run -> report -> cli, plugin

``drivers`` stands beside ``judge``: a driver executes calls and reports facts; it never sees an
expectation.

Nothing here parses HTTP: the bytes come from the cases, and the judge compares octets.
"""
