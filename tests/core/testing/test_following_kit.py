"""The kit passes a codebook that follows training as it should, and notices what breaks that."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from survkit.protocols import Health
from survkit.testing import FollowsTrainingConformance


class RunningMean(nn.Module):
    """A mean that moves half the way to that of each step, with one fault where asked."""

    mean: Tensor
    total: Tensor
    count: Tensor

    def __init__(self, dim: int, *, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.scale = nn.Parameter(torch.ones(dim))
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("total", torch.zeros(dim), persistent=fault == "is saved half-way")
        self.register_buffer("count", torch.zeros(()), persistent=False)
        self.calls = self.steps = 0

    def forward(self, values: Tensor) -> Tensor:
        if self.training or self.fault == "adds in eval mode":
            seen = values if self.fault == "keeps the graph" else values.detach()
            self.calls += 1
            if self.fault == "mean of means":
                self.total = self.total + seen.mean(dim=0)
                self.count = self.count + 1
            else:
                self.total = self.total + seen.sum(dim=0)
                self.count = self.count + len(values)
        return (values - self.mean) * self.scale

    def after_step(self) -> None:
        noise = 1e-3 * torch.randn(self.mean.shape, dtype=self.mean.dtype)
        if self.fault == "draws from elsewhere":
            elsewhere = torch.Generator()
            elsewhere.seed()
            noise = 1e-3 * torch.randn(self.mean.shape, dtype=self.mean.dtype, generator=elsewhere)
        if self.fault == "counts calls":
            noise = noise + self.calls
        self.mean.lerp_(self.total / self.count.clamp(min=1) + noise, 0.5)
        self.steps += 1
        if self.fault != "never forgets":
            self.total = torch.zeros_like(self.total)
            self.count = torch.zeros_like(self.count)

    def epoch_health(self) -> Health | None:
        steps = self.steps
        self.steps = 0
        if not steps and self.fault != "health of nothing":
            return None
        return Health({"distance": float(self.mean.norm())})


class TestRunningMean(FollowsTrainingConformance):
    """Without a fault."""

    component = RunningMean
    arguments = (3,)
    shape: ClassVar[tuple[int, ...]] = (3,)


class RaggedMean(FollowsTrainingConformance):
    """The tests, to be called one by one."""

    component = RunningMean
    arguments = (3,)
    shape: ClassVar[tuple[int, ...]] = (3,)


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("adds in eval mode", "test_eval_mode_leaves_no_trace"),
        ("keeps the graph", "test_state_moves_after_the_step_alone"),
        ("is saved half-way", "test_state_moves_after_the_step_alone"),
        ("mean of means", "test_micro_batches_do_not_matter"),
        ("counts calls", "test_a_forward_can_be_taken_back"),
        ("never forgets", "test_a_resumed_run_goes_on_alike"),
        ("draws from elsewhere", "test_random_numbers_are_those_of_the_step"),
        ("health of nothing", "test_health_is_of_the_steps_since_it_was_asked"),
    ],
)
def test_a_fault_is_noticed(fault: str, test: str) -> None:
    """By the test that is about it."""
    kit: Any = RaggedMean()
    kit.settings = {"fault": fault}

    with pytest.raises(AssertionError):
        getattr(kit, test)()
