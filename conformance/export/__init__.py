"""Export: the corpus and its plays in forms that other programs read.

The input is cases, and files of other programs. The output is one JSON document of the corpus for a
runner in any language, captures that network tools open, and the bytes that a server sent in a
capture or an archive.
"""

from typing import TYPE_CHECKING

from conformance.lazy import loader

if TYPE_CHECKING:
    from conformance.export.capture import NotPlayed, pcap, played
    from conformance.export.captured import READERS, CaptureError
    from conformance.export.corpus import export_lines, exported

if not TYPE_CHECKING:  # so that a wrong name is an error for a type checker
    __getattr__ = loader(
        __name__,
        {
            "capture": "NotPlayed pcap played",
            "captured": "READERS CaptureError",
            "corpus": "export_lines exported",
        },
    )
