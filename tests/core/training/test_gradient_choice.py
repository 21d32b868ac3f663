"""One graph where it fits, two passes where it does not, and the same choice every time."""

from __future__ import annotations

from collections.abc import Callable

import torch

from survkit.flow import Batch
from survkit.model import SurvivalModel
from survkit.training.execution import Execution
from survkit.training.gradient_choice import GradientChoice, activation_bytes, choose_gradient

Models = Callable[..., SurvivalModel]
Batches = Callable[..., list[Batch]]


def choose(model: SurvivalModel, batch: Batch, *, parts: int, limit: int) -> GradientChoice:
    return choose_gradient(
        model, batch, micro_batches=parts, penalties=True, execution=Execution(), limit=limit
    )


def test_choice_follows_memory_and_what_trains(
    model_factory: Models, batches_factory: Batches
) -> None:
    """Two passes only where several micro-batches of a trainable encoder exceed the limit."""
    batch, model = batches_factory([4])[0], model_factory()

    assert choose(model, batch, parts=1, limit=0).mode == "one-graph"
    assert choose(model, batch, parts=8, limit=1 << 30).mode == "one-graph"
    assert choose(model, batch, parts=8, limit=1 << 10).mode == "two-pass"
    for encoder in model.encoders.values():
        encoder.requires_grad_(False)
    frozen = choose(model, batch, parts=8, limit=1 << 10)
    assert frozen.mode == "one-graph"
    assert frozen.reason == "nothing in the encoders is trainable"


def test_measuring_leaves_no_trace(model_factory: Models, batches_factory: Batches) -> None:
    """Buffers, gradients and random state are as before."""
    batch, model = batches_factory([4])[0], model_factory()
    before = {name: value.clone() for name, value in model.named_buffers()}
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)

    activation_bytes(model, batch, penalties=True, execution=Execution())

    torch.testing.assert_close(torch.rand(2), expected, rtol=0, atol=0)
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.named_buffers():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0, msg=name)


def test_measured_bytes_grow_with_the_micro_batch(
    model_factory: Models, batches_factory: Batches
) -> None:
    """Twice the subjects keep about twice the activations, and at least those of the first
    layer.
    """
    model = model_factory()
    four, eight = (
        activation_bytes(model, batches_factory([size])[0], penalties=True, execution=Execution())
        for size in (4, 8)
    )

    assert 1.7 < eight / four < 2.1
    assert four > 4 * 4**3 * 8 * (1 + 3)
