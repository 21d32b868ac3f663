"""Gradient caching equals one backward over all micro-batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from survkit.flow import Batch, ModelOutput, SurvivalTarget, concatenate
from survkit.model import SurvivalModel
from survkit.objective import Objective, Term
from survkit.training.execution import Execution
from survkit.training.gradient_cache import accumulate_gradients

Factory = Callable[..., SurvivalModel]


def naive(model: SurvivalModel, objective: Objective, batches: list[Batch]) -> Tensor:
    """The definition: every micro-batch forward with its graph, one loss on the union, one
    backward.
    """
    outputs = [model(batch.inputs, penalties=objective.has_penalties) for batch in batches]
    total = objective.total(concatenate(outputs), concatenate([batch.target for batch in batches]))
    total.backward()
    return total.detach()


def state_after(run: Callable[[SurvivalModel], object], model: SurvivalModel) -> dict[str, Tensor]:
    """Return gradients, buffers and the random state that a run leaves."""
    torch.manual_seed(11)
    run(model)
    left = {
        f"grad {name}": value.grad
        for name, value in model.named_parameters()
        if value.grad is not None
    }
    left |= {f"buffer {name}": value.clone() for name, value in model.named_buffers()}
    return left | {"random": torch.rand(3, dtype=torch.float64)}


def assert_same(
    ours: dict[str, Tensor], right: dict[str, Tensor], tolerance: float = 1e-10
) -> None:
    assert ours.keys() == right.keys()
    for name, value in right.items():
        torch.testing.assert_close(ours[name], value, rtol=tolerance, atol=tolerance, msg=name)


@pytest.mark.parametrize("sizes", [[4, 4, 4], [4, 4, 1], [1, 1, 1, 1, 1], [7]])
@pytest.mark.parametrize("mode", ["one-graph", "two-pass"])
def test_gradient_statistics_and_random_state_are_those_of_one_backward(
    sizes: list[int],
    mode: str,
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """With dropout and batch statistics, ragged last micro-batches and micro-batches of one, to
    1e-10.
    """
    batches, objective = batches_factory(sizes), objective_factory(penalties=False)

    right = state_after(lambda model: naive(model, objective, batches), model_factory())
    ours = state_after(
        lambda model: accumulate_gradients(model, objective, batches, mode=mode), model_factory()
    )

    assert_same(ours, right)


@pytest.mark.parametrize("mode", ["one-graph", "two-pass"])
def test_penalties_are_means_over_the_risk_set(
    mode: str,
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """Penalties of a decoder and of the fusion have the gradient of their weighted mean over the
    union.
    """
    batches, objective = batches_factory([3, 3, 2]), objective_factory()

    def prepared() -> SurvivalModel:
        model = model_factory()
        model.encoders["ct"].decoder[
            0
        ].p = 0.0  # a decoder's own draws are another realisation in the naive loop
        return model

    right = state_after(lambda model: naive(model, objective, batches), prepared())
    ours = state_after(
        lambda model: accumulate_gradients(model, objective, batches, mode=mode), prepared()
    )

    assert_same(ours, right)


def test_a_decoder_that_draws_does_not_shift_the_stages_after_it(
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """The outputs of pass 2 are those that the loss saw in pass 1, although only pass 2 runs the
    decoder.
    """
    batches, objective, model = batches_factory([3, 3, 2]), objective_factory(), model_factory()
    seen: list[Tensor] = []
    model.head.register_forward_hook(lambda module, given, result: seen.append(result.detach()))

    accumulate_gradients(model, objective, batches, mode="two-pass")

    assert len(seen) == 6
    for first, second in zip(seen[:3], seen[3:], strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert model.encoders["ct"].decoder_calls == 3  # pass 1 skipped it


def test_the_reported_loss_is_the_loss_of_the_union(
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """Terms and penalties add up to the objective of one batch that holds everybody."""
    batches, objective = batches_factory([3, 2]), objective_factory(penalties=False)
    torch.manual_seed(1)
    right = naive(model_factory(), objective, batches)
    torch.manual_seed(1)

    result = accumulate_gradients(model_factory(), objective, batches, mode="two-pass")

    torch.testing.assert_close(sum(result.terms.values()) + result.penalty, right)


class FollowingAverage(nn.Module):
    """A layer whose output depends on a buffer that every forward moves, as codebooks with moving
    averages do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(4, dtype=torch.float64))
        self.linear = nn.Linear(4, 1, dtype=torch.float64)

    parameterization = "log-hazard"

    def forward(self, embedding: Tensor) -> Tensor:
        shifted = embedding - self.center
        self.center = 0.9 * self.center + 0.1 * embedding.detach().mean(0)
        return self.linear(shifted)


def test_buffers_that_feed_the_output_are_replayed(
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """Pass 2 starts from the buffers that pass 1 started from, also where a layer replaces the
    tensor.
    """
    batches, objective = batches_factory([3, 3, 3]), objective_factory(penalties=False)

    def with_average() -> SurvivalModel:
        model = model_factory()
        model.head = FollowingAverage()
        torch.manual_seed(8)
        nn.init.normal_(model.head.linear.weight)
        return model

    first, second = with_average(), with_average()
    right = state_after(lambda model: naive(model, objective, batches), first)
    ours = state_after(
        lambda model: accumulate_gradients(model, objective, batches, mode="two-pass"), second
    )

    assert_same(ours, right)


def test_a_frozen_encoder_runs_once_and_keeps_statistics_and_draws(
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """Where nothing in an encoder is trainable its encoding of pass 1 is used again; the result is
    unchanged.
    """
    batches, objective = batches_factory([3, 3, 2]), objective_factory(penalties=False)

    def frozen() -> SurvivalModel:
        model = model_factory()
        model.encoders["ct"].requires_grad_(False)
        return model

    model, calls = frozen(), []
    model.encoders["ct"].register_forward_hook(lambda *_: calls.append(1))
    right = state_after(lambda model: naive(model, objective, batches), frozen())
    ours = state_after(
        lambda model: accumulate_gradients(model, objective, batches, mode="two-pass"), model
    )

    assert_same(ours, right)
    assert len(calls) == len(batches)


def test_buffers_and_gradients_survive_an_exception(
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """A micro-batch that cannot be encoded leaves the running statistics as they were."""
    good, model = batches_factory([3, 3]), model_factory()
    bad = replace(good[1], inputs={"ct": good[1].inputs["ct"], "rna": good[1].inputs["ct"]})
    before = {name: value.clone() for name, value in model.named_buffers()}

    with pytest.raises(RuntimeError):
        accumulate_gradients(model, objective_factory(), [good[0], bad], mode="two-pass")

    for name, value in model.named_buffers():
        torch.testing.assert_close(value, before[name], msg=name)


def test_missing_modalities_are_ordinary(
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """A micro-batch in which nobody has a volume does not break the equality."""
    batches, objective = batches_factory([3, 3, 2]), objective_factory(penalties=False)
    nobody = replace(
        batches[2].inputs["ct"], present=torch.zeros(2, dtype=torch.bool), complete=False
    )
    batches[2] = replace(batches[2], inputs=batches[2].inputs | {"ct": nobody})

    right = state_after(lambda model: naive(model, objective, batches), model_factory())
    ours = state_after(
        lambda model: accumulate_gradients(model, objective, batches, mode="two-pass"),
        model_factory(),
    )

    assert_same(ours, right)


def test_autocast_is_the_same_in_both_passes(
    model_factory: Factory,
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """Under bf16 autocast, also with an outer one that would cache weights cast without a graph."""
    batches, objective = (
        batches_factory([3, 3, 2], torch.float32),
        objective_factory(penalties=False),
    )
    execution = Execution(autocast=lambda: torch.autocast("cpu", torch.bfloat16))

    def run(mode: str) -> Callable[[SurvivalModel], object]:
        def inner(model: SurvivalModel) -> object:
            with torch.autocast("cpu", torch.bfloat16):
                return accumulate_gradients(
                    model, objective, batches, mode=mode, execution=execution
                )

        return inner

    right = state_after(run("one-graph"), model_factory(torch.float32))
    ours = state_after(run("two-pass"), model_factory(torch.float32))

    assert ours.keys() == right.keys()
    for part in ("encoders.ct.trunk", "encoders.rna", "head"):
        names = [name for name in right if name.startswith(f"grad {part}")]
        one = torch.cat([right[name].flatten() for name in names])
        two = torch.cat([ours[name].flatten() for name in names])
        assert (two - one).norm() < 2e-2 * one.norm(), (
            part
        )  # bf16 rounding; a lost cast would be a gap of one


def test_an_objective_of_penalties_alone_trains(
    model_factory: Factory, batches_factory: Callable[..., list[Batch]]
) -> None:
    """Without coupled losses the gradient is that of the mean penalties."""
    batches, objective = batches_factory([3, 2]), Objective((), {"fusion.spread": 1.0})
    first, second = model_factory(), model_factory()
    for model in (first, second):
        model.encoders["ct"].decoder[0].p = 0.0

    one = state_after(
        lambda model: accumulate_gradients(model, objective, batches, mode="one-graph"), first
    )
    two = state_after(
        lambda model: accumulate_gradients(model, objective, batches, mode="two-pass"), second
    )

    shared = {name: value for name, value in one.items() if float(value.double().abs().sum()) > 0}
    assert_same({name: two[name] for name in shared}, shared)


def test_no_event_gives_a_zero_gradient(
    model_factory: Factory, batches_factory: Callable[..., list[Batch]]
) -> None:
    """A risk set without an event is ordinary: a documented zero that keeps the graph."""

    def cox(output: ModelOutput, target: SurvivalTarget) -> Tensor:
        return output.parameters.sum() * (target.event > 0).sum()

    batches = [
        replace(batch, target=replace(batch.target, event=torch.zeros_like(batch.target.event)))
        for batch in batches_factory([3, 2])
    ]
    model = model_factory()

    accumulate_gradients(model, Objective((Term("cox", 1.0, cox),)), batches, mode="two-pass")

    assert all(
        value.grad is None or float(value.grad.abs().sum()) == 0 for value in model.parameters()
    )
