"""Codes as moving averages of the tokens that chose them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from survkit_robsurv.quantizer.over_ranks import summed


class MovingAverage(nn.Module):
    """Moving averages of how many tokens chose each code, and of their sum.

    At first every code counts for one token that lies on it, so a code that nobody has chosen yet
    stays where it is, but for the smoothing.

    Args:
        codes: The codebook at the start, (code, dim).
        decay: Share of the old average that is kept at each step.
        epsilon: Laplace smoothing of the counts.

    Reference: van den Oord, Vinyals, Kavukcuoglu (2017), Neural discrete representation learning,
        appendix A.1, eqs. 6-8; the smoothing as in Razavi, van den Oord, Vinyals (2019).
    """

    count: Tensor
    total: Tensor
    step: Tensor

    def __init__(self, codes: Tensor, *, decay: float, epsilon: float) -> None:
        super().__init__()
        self.decay, self.epsilon = decay, epsilon
        self.register_buffer("count", torch.ones(len(codes)))
        self.register_buffer("total", codes.detach().clone())
        self.register_buffer("step", torch.zeros_like(codes), persistent=False)

    def add(self, code_index: Tensor, tokens: Tensor, real: Tensor) -> None:
        """Add real tokens (token, dim) to the sums of their codes (token)."""
        self.step.index_add_(0, code_index, torch.where(real[:, None], tokens, 0))

    def end_step(self, chosen: Tensor, codebook: Tensor) -> None:
        """Move the averages and the codebook; a step without tokens moves nothing.

        Args:
            chosen: How many tokens of the step chose each code, over all ranks; (code).
            codebook: (code, dim), written into.
        """
        total = summed(self.step)
        self.step.zero_()
        any_token = chosen.sum() > 0
        rate = any_token.to(self.count.dtype) * (1 - self.decay)
        self.count.lerp_(chosen.to(self.count.dtype), rate)
        self.total.lerp_(total, rate)
        everyone = self.count.sum()
        smoothed = (self.count + self.epsilon) / (everyone + len(self.count) * self.epsilon)
        moved = self.total / (smoothed * everyone)[:, None]
        codebook.copy_(torch.where(any_token, moved, codebook))

    def set_codes(self, codebook: Tensor, where: Tensor) -> None:
        """Let the averages of some codes, bool (code), begin again at the codebook."""
        self.count.copy_(torch.where(where, 1, self.count))
        self.total.copy_(torch.where(where[:, None], codebook, self.total))
