"""``python -m conformance.cli`` is the command `httplib-kit`."""

from conformance.cli.main import main

if __name__ == "__main__":
    main()
