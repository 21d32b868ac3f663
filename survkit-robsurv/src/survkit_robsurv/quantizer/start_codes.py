"""Codes that start from the tokens of an untrained encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError, DataError
from survkit.flow import ModalityInput, select
from survkit_robsurv.quantizer.vector_quantizer import VectorQuantizer

LARGEST_SEED = 2**31 - 1


def checked_start_seed(seed: int) -> int:
    """Return the seed.

    Raises:
        ConfigError: It is negative, or more than the sample's arithmetic of 64 bits can hold.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise ConfigError(f"start_seed must lie between 0 and {LARGEST_SEED:,}, not {seed}")
    return seed


def start_codes(
    encoder: nn.Module,
    quantizer: VectorQuantizer,
    tokens_of: Callable[[ModalityInput], tuple[Tensor, Tensor | None]],
    batches: Iterable[ModalityInput],
    *,
    seed: int,
) -> None:
    """Start the codes from a random sample of the training subjects' tokens, by k-means.

    Subjects are encoded one by one, so that the result is the same to the last bit however the
    batches are cut.

    Args:
        encoder: What is put into eval mode meanwhile.
        quantizer: Whose codes start.
        tokens_of: Unquantized tokens (batch, token, dim) of subjects, and which are real.
        batches: Present training subjects.
        seed: Of the sample and the first means.

    Raises:
        DataError: There is no token.
    """
    sample = quantizer.start_sample(seed=seed)
    like = quantizer.codebook
    was_training = encoder.training
    encoder.eval()
    try:
        with torch.no_grad():
            for batch in batches:
                for row in range(len(batch.present)):
                    one = select(batch, torch.tensor([row], device=batch.present.device))
                    own, mask = tokens_of(_like(one, like))
                    codes = quantizer.seen_by_codes(own).flatten(0, 1)
                    real = torch.ones(len(codes), dtype=torch.bool, device=codes.device)
                    sample.add(codes, real if mask is None else mask.flatten())
    finally:
        encoder.train(was_training)
    kept = sample.kept()
    if not len(kept):
        raise DataError(
            "codes cannot start from tokens (start: kmeans): no training subject has any; "
            "set start: uniform"
        )
    quantizer.start_from(kept, seed=seed)


def _like(given: ModalityInput, like: Tensor) -> ModalityInput:
    mask = given.token_mask
    return ModalityInput(
        values=given.values.to(device=like.device, dtype=like.dtype),
        present=given.present.to(like.device),
        token_mask=None if mask is None else mask.to(like.device),
    )
