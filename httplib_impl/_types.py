"""Names for annotations, without `typing`, whose import takes as long as that of this package.

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
