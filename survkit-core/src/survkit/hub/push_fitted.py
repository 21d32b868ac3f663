"""Publishes a model that is in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from survkit.hub.push import push_to_hub
from survkit.hub.push_settings import PushOptions
from survkit.hub.save import save_pretrained

if TYPE_CHECKING:
    from survkit.hub.fitted_ensemble import Pretrained
    from survkit.hub.origin import Origin


def push_fitted(fitted: Pretrained, name: str, **options: Unpack[PushOptions]) -> Origin:
    """Write the model into a folder of the system's temporary ones, and publish that.

    Raises:
        ConfigError: The name or revision cannot be one.
        RunError: A weight is NaN or infinite.
        HubError: The Hub refuses.
        HubUnavailableError: The Hub cannot be reached or fails.
    """
    with tempfile.TemporaryDirectory(prefix="survkit-push-") as home:
        folder = save_pretrained(fitted, Path(home) / "model")
        return push_to_hub(folder, name, **options)
