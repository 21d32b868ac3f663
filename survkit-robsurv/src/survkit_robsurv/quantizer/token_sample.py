"""A bounded random sample of a stream of tokens that does not depend on how the stream is cut."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_BITS = 0xFFFFFFFF


class TokenSample(nn.Module):
    """Keeps the tokens whose place in the stream has the highest priority.

    A priority is a fixed scrambling of the token's number among the real ones, so the sample
    depends on the order of the tokens alone. The buffers are not saved.

    Args:
        size: How many tokens are kept at most.
        dim: Their width.
        seed: Another seed, another sample.
    """

    tokens: Tensor
    priority: Tensor
    seen: Tensor

    def __init__(self, size: int, dim: int, *, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed
        self.register_buffer("tokens", torch.zeros(size, dim), persistent=False)
        self.register_buffer(
            "priority", torch.full((size,), -1, dtype=torch.int64), persistent=False
        )
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64), persistent=False)

    @torch.no_grad()
    def add(self, tokens: Tensor, real: Tensor) -> None:
        """Take notice of tokens (token, dim), those that are ``real``, bool (token)."""
        place = self.seen + real.cumsum(0) - 1
        fresh = torch.where(real, token_priority(place, self.seed), -1)
        both = torch.cat([self.priority, fresh])
        priority, chosen = both.topk(len(self.priority))
        self.tokens.copy_(torch.cat([self.tokens, tokens.to(self.tokens.dtype)])[chosen])
        self.priority.copy_(priority)
        self.seen += real.sum()

    def clear(self) -> None:
        """Forget the stream."""
        self.priority.fill_(-1)
        self.seen.zero_()

    def kept(self) -> Tensor:
        """Return the tokens, in the random order of their priority; asks the device how many."""
        return self.tokens[self.priority >= 0]


def token_priority(place: Tensor, seed: int) -> Tensor:
    """Return a number in [0, 2³²) per place, int64; different for different places below 2³²."""
    mixed = (place + seed * 0x9E3779B9) & _BITS
    for _ in range(2):  # each step can be undone, so no two places meet
        mixed = ((mixed ^ (mixed >> 16)) * 0x45D9F3B) & _BITS
    return mixed ^ (mixed >> 16)
