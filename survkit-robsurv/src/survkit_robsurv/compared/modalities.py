"""What the fusions of this room do alike with a mapping of modalities: order, refuse, mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from survkit.errors import CompositionError, ConfigError, DataError
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


def presence(names: Iterable[str], encodings: Mapping[str, Encoding]) -> Tensor:
    """Return who has which modality; bool (batch, modality)."""
    return torch.stack([encodings[name].present for name in names], dim=1)


def where_present(values: Tensor, present: Tensor) -> Tensor:
    """Return values (batch, ...) with zeros in the rows of absent subjects, whatever they held."""
    mask = present.reshape(-1, *[1] * (values.ndim - 1))
    return torch.where(mask, values, torch.zeros((), dtype=values.dtype, device=values.device))


def drop_modalities(present: Tensor, rate: float) -> Tensor:
    """Let each present modality of each subject go with probability ``rate``, but never the last.

    Args:
        present: Who has which modality; bool (batch, modality).
        rate: Probability; 0 draws no random number.

    Returns:
        Which modalities to use; bool (batch, modality), a subset of ``present``.
    """
    if rate == 0.0:
        return present
    draw = torch.rand(present.shape, device=present.device).masked_fill(~present, -1.0)
    spared = torch.zeros_like(present).scatter(1, draw.argmax(dim=1, keepdim=True), True)
    return present & ((draw >= rate) | spared)


def check_rate(rate: float, name: str) -> None:
    """Refuse a probability outside [0, 1)."""
    if not 0.0 <= rate < 1.0:
        raise ConfigError(f"{name} must lie in [0, 1), not {rate:g}")
