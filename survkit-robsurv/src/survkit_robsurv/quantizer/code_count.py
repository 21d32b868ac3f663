"""How often each code was chosen: within a step, within an epoch; and what that says."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from survkit.protocols import Health
from survkit_robsurv.quantizer.over_ranks import summed


class CodeCount(nn.Module):
    """Counts chosen codes.

    No buffer is saved: a step's counts are zero between steps, and those of an epoch are for a
    person to read. After a resume in the middle of an epoch, that epoch's health is told over the
    steps since.

    Args:
        codes: Size of the codebook.
    """

    step: Tensor
    epoch: Tensor
    restarted: Tensor

    def __init__(self, codes: int) -> None:
        super().__init__()
        for name in ("step", "epoch"):
            zeros = torch.zeros(codes, dtype=torch.int64)
            self.register_buffer(name, zeros, persistent=False)
        self.register_buffer("restarted", torch.zeros((), dtype=torch.int64), persistent=False)

    def add(self, code_index: Tensor, real: Tensor) -> None:
        """Count codes (token), those of ``real`` tokens, bool (token)."""
        self.step.scatter_add_(0, code_index, real.to(torch.int64))

    def end_step(self) -> Tensor:
        """Return the step's counts over all ranks, add them to the epoch's, and start anew."""
        count = summed(self.step)
        self.epoch += count
        self.step.zero_()
        return count

    def end_epoch(self, *, tells_restarts: bool) -> Health | None:
        """Return what the epoch's counts say, and start anew; ``None`` where nothing was counted.

        ``perplexity`` is exp of the entropy of the codes: as many codes as if each was used alike.
        ``codebook_usage`` is the share of codes used at all.
        """
        count, restarted = self.epoch.cpu().clone(), int(self.restarted)
        self.epoch.zero_()
        self.restarted.zero_()
        total = int(count.sum())
        if total == 0:
            return None
        share = count.double() / total
        perplexity = float(torch.special.entr(share).sum().exp())
        used = int((count > 0).sum())
        values = {"perplexity": perplexity, "codebook_usage": used / len(count)}
        if tells_restarts:
            values["restarted"] = float(restarted)
        return Health(values, _collapse(used, perplexity, len(count), total))


def _collapse(used: int, perplexity: float, codes: int, tokens: int) -> str:
    """Return a sentence where the codebook has collapsed, else nothing."""
    least = max(2.0, 0.01 * min(codes, tokens))
    if codes < 2 or tokens < 2 or (used >= 2 and perplexity >= least):
        return ""
    return (
        f"the codebook has collapsed: {tokens} tokens of the epoch chose {used} of {codes} codes, "
        f"perplexity {perplexity:.2f} where at least {least:.2f} is expected, so the tokens tell "
        "next to nothing; start the codes from tokens (start: kmeans), restart unused ones sooner "
        "(restart_after), learn them by moving averages (learning: ema), or weigh the codebook "
        "penalty more"
    )
