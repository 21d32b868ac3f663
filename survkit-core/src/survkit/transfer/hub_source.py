"""A model on the Hub to start from: which commit of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from survkit.hub.origin import Origin


@dataclass(frozen=True, slots=True)
class HubSource:
    """One commit of a model on the Hub, which lies in the cache.

    Attributes:
        folder: Where it lies.
        origin: Repository, commit and the hash of its weights.
        revision: What was asked for: a branch, a tag or a commit.
    """

    folder: Path
    origin: Origin
    revision: str


Source = str | Path | HubSource
"""A model folder, a run folder, ``RUN:fold-3``, ``ORG/NAME``, or what that was found to be."""
