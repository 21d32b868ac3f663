"""What an encoder offers that a file or folder of this machine describes.

A saved model must be built where that file is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class RecordsSettings(Protocol):
    """An encoder that knows its network by another name than by the file that describes it."""

    def recorded_settings(self) -> Mapping[str, Any]:
        """Return the settings that a saved model keeps instead of those it was built with: from
        them the same network is built elsewhere. Only those that differ.
        """
