"""What the tests of the Cox loss share: cases, and every risk set written out."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from survkit.losses.cox import cox_loss

TIES: tuple[Literal["breslow", "efron"], ...] = ("breslow", "efron")


EXTRAS = ("", "entry", "weight", "strata", "entry+strata", "entry+weight+strata")


def float64(values: Any) -> Tensor:
    """A float64 tensor."""
    return torch.tensor(values, dtype=torch.float64)


def brute_force(
    log_hazard: Tensor,
    duration: Tensor,
    observed: Tensor,
    ties: str,
    *,
    entry: Tensor | None = None,
    weight: Tensor | None = None,
    strata: Tensor | None = None,
) -> Tensor:
    """Every risk set written out, one log-sum-exp each."""
    since = torch.full_like(duration, -1) if entry is None else entry
    share = torch.ones_like(duration) if weight is None else weight
    group = torch.zeros_like(duration) if strata is None else strata
    weighted = log_hazard + share.log()
    total = -(share * log_hazard)[observed].sum()
    for time, stratum in {(float(t), int(g)) for t, g in zip(duration, group, strict=True)}:
        tied = observed & (duration == time) & (group == stratum)
        count = int(tied.sum())
        if count == 0:
            continue
        at_risk = weighted[(duration >= time) & (since < time) & (group == stratum)].logsumexp(0)
        if ties == "breslow":
            total = total + share[tied].sum() * at_risk
            continue
        ratio = (weighted[tied].logsumexp(0) - at_risk).exp().clamp(max=1.0)
        for rank in range(count):
            total = total + share[tied].mean() * (at_risk + torch.log1p(-rank / count * ratio))
    return total / share[observed].sum()


def draw(
    count: int, seed: int, extra: str, scale: float
) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
    """Random subjects with many ties, at least one event."""
    generator = torch.Generator().manual_seed(seed)
    duration = torch.randint(1, 12, (count,), generator=generator).double()
    observed = torch.rand(count, generator=generator) < 0.7
    observed[0] = True
    log_hazard = torch.randn(count, generator=generator, dtype=torch.float64) * scale
    gap = torch.randint(1, 6, (count,), generator=generator)
    more = {
        "entry": (duration - gap).clamp(min=0),
        "weight": torch.rand(count, generator=generator, dtype=torch.float64) + 0.1,
        "strata": torch.randint(0, 3, (count,), generator=generator),
    }
    return log_hazard, duration, observed, {name: more[name] for name in extra.split("+") if name}


def value_and_gradient(log_hazard: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """The loss and its gradient."""
    leaf = log_hazard.clone().requires_grad_()
    loss = cox_loss(leaf, *args, **kwargs)
    return loss.detach(), torch.autograd.grad(loss, leaf)[0]
