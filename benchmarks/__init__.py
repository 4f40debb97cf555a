"""Measurements, each a ratio taken in one run; never part of a test."""
