"""Deliberately wrong clients, written by hand, which measure the strength of the corpus.

Each is the reference with one small override, named for its fault (`lies`).  `covering.toml` lists
for each which cases it fails; `python -m tools.miniatures.cover` writes it.
"""

from tools.miniatures.arena import Fate, forked, meet

__all__ = ["Fate", "forked", "meet"]
