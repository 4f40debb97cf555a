"""Unit tests of the reference implementation: the network is a list of bytes."""
