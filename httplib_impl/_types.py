"""Names for annotations without `typing`, which takes a fifth of the import of this package.

The import takes 0.49 of that of `http.client`, with `typing` 0.60 (`benchmarks.reference`, import).
At run time every name is `object`: nothing here is ever called.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext as SSLContext
    from typing import Any as Any
    from typing import TypeVar

    Default = TypeVar("Default")
else:
    Any = Default = SSLContext = object
