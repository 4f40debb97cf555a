"""Generated wrong clients: each is the reference with one expression changed.

`python -m tools.mutation.strength` measures how many of them no case fails.
"""
