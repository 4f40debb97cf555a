"""Registers the kit's pytest plugin for a checkout in which it is not installed."""

pytest_plugins = ["conformance.plugin"]
