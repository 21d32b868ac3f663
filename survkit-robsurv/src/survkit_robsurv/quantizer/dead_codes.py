"""Codes that nobody chooses are moved to where tokens are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from survkit_robsurv.quantizer.over_ranks import joined
from survkit_robsurv.quantizer.token_sample import TokenSample


class DeadCodes(nn.Module):
    """Counts for how many steps each code was not chosen, and restarts it then.

    ``unused`` is saved, for a resumed training must restart what an uninterrupted one would.

    Args:
        codes: Size of the codebook.
        dim: Width of a code.
        restart_after: Steps without use after which a code is dead.
    """

    unused: Tensor

    def __init__(self, codes: int, dim: int, *, restart_after: int) -> None:
        super().__init__()
        self.restart_after = restart_after
        self.sample = TokenSample(codes, dim)
        self.register_buffer("unused", torch.zeros(codes, dtype=torch.int64))

    def end_step(self, chosen: Tensor, codebook: Tensor) -> Tensor:
        """Restart dead codes at random tokens of those kept, no two at the same one.

        Where a step has more tokens than the codebook codes, those at the same scattered places of
        every step are kept; training shuffles which subjects stand there. Where there are more dead
        codes than tokens were kept, the rest waits. Nothing is asked of the device, and every rank
        chooses alike where its random state is the same.

        Args:
            chosen: How many tokens of the step chose each code, over all ranks; (code).
            codebook: (code, dim), written into.

        Returns:
            Which codes were restarted; bool (code).
        """
        tokens, priority = joined(self.sample.tokens), joined(self.sample.priority)
        self.unused.copy_(torch.where(chosen > 0, 0, self.unused + (chosen.sum() > 0)))
        dead = self.unused >= self.restart_after
        # On the CPU, so that it is alike on every device; the host does not wait for the copy.
        draw = torch.rand(len(tokens)).to(tokens.device, non_blocking=True)
        order = torch.where(priority >= 0, draw, 2.0).argsort(stable=True)
        slot = dead.cumsum(0) - 1
        restarted = dead & (slot < (priority >= 0).sum())
        fresh = tokens[order[slot.clamp(0, len(tokens) - 1)]]
        codebook.copy_(torch.where(restarted[:, None], fresh, codebook))
        self.unused.copy_(torch.where(restarted, 0, self.unused))
        self.sample.clear()
        return restarted
