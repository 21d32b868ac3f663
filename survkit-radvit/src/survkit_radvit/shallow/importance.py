"""How important tokens are to a shallow model, and whether these are the ones that matter."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit_radvit.shallow.shallow_vit_cox import ShallowViTCox
from survkit_radvit.shallow.subjects import Subjects


@torch.no_grad()
def token_importance(model: ShallowViTCox, subjects: Subjects) -> Tensor:
    """Return the mean attention that each token of each subject gets, (subject, token)."""
    model.eval()
    return model.importance(subjects.tokens, subjects.kept, subjects.places)


def attention_mass(importance: Tensor, relevant: Tensor) -> Tensor:
    """Return the share of the attention that relevant tokens get, (subject); even attention gives
    the share of relevant tokens.
    """
    return (importance * relevant).sum(dim=1)


def token_auroc(importance: Tensor, relevant: Tensor) -> Tensor:
    """Return the probability that a relevant token is more important than another of the same
    subject, ties one half; float64 (subject), NaN where all tokens are relevant or none is.

    Args:
        importance: (subject, token).
        relevant: Bool (subject, token).
    """
    difference = importance[:, :, None] - importance[:, None, :]
    pairs = relevant[:, :, None] & ~relevant[:, None, :]
    wins = (difference > 0).double() + 0.5 * (difference == 0).double()
    return (wins * pairs).sum(dim=(1, 2)) / pairs.sum(dim=(1, 2))
