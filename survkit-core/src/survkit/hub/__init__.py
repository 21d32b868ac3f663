"""Trained models as folders: what they are made of in words, and their weights."""

from __future__ import annotations

from survkit.hub.fitted_model import FittedModel
from survkit.hub.load import from_pretrained
from survkit.hub.save import save_pretrained

__all__ = ["FittedModel", "from_pretrained", "save_pretrained"]
