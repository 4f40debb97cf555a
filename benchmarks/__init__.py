"""Benchmarks. Each result is a ratio of two measurements in one run; none is part of a test."""
