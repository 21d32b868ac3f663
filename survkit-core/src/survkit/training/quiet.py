"""Lightning's hints on devices and loaders are about its own API, not for our users."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's hints and tips to itself; its warnings of substance still come."""
    from lightning.fabric.utilities.warnings import PossibleUserWarning

    talker = logging.getLogger("lightning.pytorch")
    level = talker.level
    talker.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PossibleUserWarning)
            warnings.filterwarnings("ignore", message=".*LeafSpec.*")
            yield
    finally:
        talker.setLevel(level)
