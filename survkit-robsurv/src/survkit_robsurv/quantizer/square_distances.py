"""Both losses of a codebook are one distance: with a gradient for the code, or for the token."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def square_distances(tokens: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean square of tokens minus their codes twice, each (batch, token).

    Args:
        tokens: (batch, token, dim).
        codes: What each token chose, of the same shape.

    Returns:
        The same numbers; the first has a gradient for the codes alone (the codebook loss), the
        second for the tokens alone (the commitment loss).
    """
    first, second = _SquareDistances.apply(tokens, codes)
    return first, second


class _SquareDistances(torch.autograd.Function):
    """One difference for both values and both gradients."""

    @staticmethod
    def forward(ctx: Any, tokens: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two values; the difference is kept."""
        ctx.set_materialize_grads(False)
        difference = tokens - codes
        ctx.save_for_backward(difference)
        square = difference.square().mean(dim=2)
        return square, square.clone()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, for_codes: Tensor | None, for_tokens: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return 2 / dim times the difference, by what each value's gradient weighs it with."""
        (difference,) = ctx.saved_tensors
        factor, tokens, codes = 2 / difference.shape[2], None, None
        if for_tokens is not None and ctx.needs_input_grad[0]:
            tokens = difference * (for_tokens * factor)[..., None]
        if for_codes is not None and ctx.needs_input_grad[1]:
            codes = difference * (for_codes * -factor)[..., None]
        return tokens, codes
