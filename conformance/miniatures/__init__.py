"""Deliberately wrong clients, which measure the strength of the corpus.

There are two kinds.  *Miniatures* are written by hand: each is the reference with one small
override, named for its fault (`lies`).  *Mutants* are generated: each is the reference with one
expression changed (`mutants`), and `python -m conformance.miniatures.strength` measures how many of
them no case fails.

This is the only package of `conformance` that imports the inside of `httplib_impl`.  The kit does
not import it, and it is not installed.
"""
