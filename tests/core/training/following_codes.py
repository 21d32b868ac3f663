"""A codebook that follows training by averages, small enough to be checked by hand."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn

from survkit.flow import Encoding, ModalityInput
from survkit.model import SurvivalModel
from survkit.protocols import Health
from survkit.specs import EncodingSpec, InputSpec


class FollowingCodes(nn.Module):
    """The nearest of three codes; each moves by averages to what chose it, others drift at random.

    ``seen`` counts what was ever chosen by a step, for tests that a subject is counted once.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.register_buffer("codes", torch.randn(3, dim, generator=generator))
        self.register_buffer("seen", torch.zeros(3))
        self.register_buffer("count", torch.zeros(3), persistent=False)
        self.register_buffer("total", torch.zeros(3, dim), persistent=False)
        self.register_buffer("epoch_count", torch.zeros(3), persistent=False)

    def forward(self, values: Tensor) -> Tensor:
        chosen = torch.cdist(values.detach(), self.codes).argmin(dim=1)
        if self.training:
            picks = nn.functional.one_hot(chosen, 3).to(values.dtype)
            self.count += picks.sum(dim=0)
            self.total += picks.T @ values.detach()
        return values + (self.codes[chosen] - values).detach()

    def after_step(self) -> None:
        if distributed.is_initialized():
            distributed.all_reduce(self.count)
            distributed.all_reduce(self.total)
        used = self.count[:, None] > 0
        mean = self.total / self.count.clamp(min=1)[:, None]
        drift = 0.01 * torch.randn(self.codes.shape, dtype=self.codes.dtype)
        self.codes.copy_(torch.where(used, 0.5 * self.codes + 0.5 * mean, self.codes + drift))
        self.seen += self.count
        self.epoch_count += self.count
        self.count.zero_()
        self.total.zero_()

    def epoch_health(self) -> Health | None:
        share = self.epoch_count / self.epoch_count.sum().clamp(min=1)
        self.epoch_count.zero_()
        if not bool(share.any()):
            return None
        perplexity = float((-torch.special.xlogy(share, share).sum()).exp())
        few = perplexity < 3
        return Health(
            {"perplexity": perplexity},
            f"{perplexity:.1f} of 3 codes are in use; choose fewer" if few else "",
        )


class CodedEncoder(nn.Module):
    """A linear map and its codes, without anything random."""

    def __init__(self, size: int, dim: int = 4) -> None:
        super().__init__()
        self.linear = nn.Linear(size, dim)
        self.codes = FollowingCodes(dim)
        self.encoding = EncodingSpec(dim=dim, penalties=("reconstruction",))

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        summary = self.codes(self.linear(input.values.flatten(1)))
        made = {"reconstruction": summary.square().mean(dim=1)} if penalties else {}
        return Encoding(
            tokens=summary[:, None], summary=summary, present=input.present, penalties=made
        )


class CodedTable(CodedEncoder):
    """As an encoder of a table that a recipe can name."""

    def __init__(self, input: InputSpec) -> None:
        super().__init__(input.shape[0])


def coded_model(fusion: nn.Module, head: nn.Module, dtype: torch.dtype) -> SurvivalModel:
    """A model whose encoder of ``ct`` trains and whose encoder of ``rna`` is frozen."""
    torch.manual_seed(3)
    encoders = {"ct": CodedEncoder(64), "rna": CodedEncoder(5)}
    encoders["rna"].linear.requires_grad_(False)
    return SurvivalModel(encoders=encoders, fusion=fusion, head=head).to(dtype)
