"""Trained models as folders, here and on the Hub: what they are made of, and their weights."""

from __future__ import annotations

from survkit.hub.fitted_ensemble import FittedEnsemble, Pretrained
from survkit.hub.fitted_model import FittedModel
from survkit.hub.load import from_pretrained, load_model
from survkit.hub.model_card import write_card
from survkit.hub.origin import Origin
from survkit.hub.pull import pull
from survkit.hub.push import push_to_hub
from survkit.hub.save import save_pretrained

__all__ = [
    "FittedEnsemble", "FittedModel", "Origin", "Pretrained", "from_pretrained", "load_model",
    "pull", "push_to_hub", "save_pretrained", "write_card",
]  # fmt: skip
