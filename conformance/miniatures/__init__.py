"""How strong is the corpus? Deliberately wrong clients, which it has to find out.

Two kinds. *Miniatures* are written by hand: each is the reference with one small override, named
for its lie (`lies`). *Mutants* are generated: each is the reference with one expression changed
(`mutants`), and `python -m conformance.miniatures.strength` measures how many of them get through.

This package alone of `conformance` reaches into `httplib_impl`; nothing of the kit imports it, and
it is not installed.
"""
