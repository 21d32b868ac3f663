"""Trained models as folders, here and on the Hub: what they are made of, and their weights."""

from __future__ import annotations

from survkit.hub.fitted_model import FittedModel
from survkit.hub.load import from_pretrained
from survkit.hub.model_card import write_card
from survkit.hub.origin import Origin
from survkit.hub.pull import pull
from survkit.hub.push import push_to_hub
from survkit.hub.save import save_pretrained

__all__ = [
    "FittedModel", "Origin", "from_pretrained", "pull", "push_to_hub", "save_pretrained",
    "write_card",
]  # fmt: skip
