"""What the fusions of this plugin do alike: order, refuse, mask, pool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from survkit.errors import CompositionError, DataError
from survkit.flow import Encoding
from survkit.specs import EncodingSpec


def sorted_modalities(encodings: Mapping[str, EncodingSpec]) -> tuple[str, ...]:
    """Return the names in the order that a fusion uses, whatever the mapping's.

    Raises:
        CompositionError: There is none, or one is called ``"modality"``, which in
            ``Fused.attention_weights`` means the weights over modalities.
    """
    if not encodings:
        raise CompositionError("a fusion needs at least one modality, but the recipe names none")
    if "modality" in encodings:
        raise CompositionError("no modality may be called 'modality'; rename it in the cohort")
    return tuple(sorted(encodings))


def check_modalities(names: Iterable[str], encodings: Mapping[str, Encoding]) -> None:
    """Refuse encodings of other modalities than the fusion was built for."""
    if set(names) != encodings.keys():
        raise DataError(
            f"the fusion was built for the modalities {', '.join(names)}, but got "
            f"{', '.join(sorted(encodings)) or 'none'}; "
            "give a subject without a modality a row with present=False"
        )


def real_tokens(encoding: Encoding) -> Tensor:
    """Return which tokens belong to a subject who has the modality; bool (batch, token)."""
    real = encoding.present[:, None].expand(-1, encoding.tokens.shape[1])
    return real if encoding.token_mask is None else real & encoding.token_mask


def weights_over(scores: Tensor, real: Tensor) -> Tensor:
    """Return the softmax of scores (batch, token) over real tokens; zeros where there is none."""
    some = real.any(dim=1, keepdim=True)
    weights = scores.masked_fill(~real & some, -torch.inf).softmax(dim=1)
    return torch.where(some, weights, 0)


def pooled(weights: Tensor, tokens: Tensor) -> Tensor:
    """Return the weighted sum of tokens, (batch, dim)."""
    return torch.einsum("bt,btd->bd", weights.to(tokens.dtype), tokens)
