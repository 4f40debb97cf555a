"""Runs the command `httplib-kit` as ``python -m conformance.cli``."""

from conformance.cli.main import main

if __name__ == "__main__":
    main()
