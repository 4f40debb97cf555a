"""Driver-check: whether a program follows the driver protocol.

The input is the command of a driver.  The output is findings, each in one line: what is right, what
is wrong and how to correct it.  The client that the driver uses is not judged.
"""

from conformance.driver_check.checkup import Checkup, Finding

__all__ = ["Checkup", "Finding"]
