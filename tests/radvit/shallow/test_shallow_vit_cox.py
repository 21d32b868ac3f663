"""The model is its formula, and a token that is dropped is really gone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from survkit_radvit.shallow.importance import attention_mass, token_auroc, token_importance
from survkit_radvit.shallow.shallow_vit_cox import Position, ShallowViTCox
from survkit_radvit.shallow.streams import fresh_model
from survkit_radvit.shallow.subjects import Subjects
from survkit_radvit.vit.kept_patches import chosen

BATCH, TOKENS, DIM = 5, 7, 8
POSITIONS: tuple[Position, Position] = ("none", "learned")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def model(position: Position = "none") -> ShallowViTCox:
    return fresh_model(generator(), tokens=TOKENS, dim=DIM, position=position).double()


def tokens() -> Tensor:
    return torch.randn(BATCH, TOKENS, DIM, generator=generator(1), dtype=torch.float64)


def kept() -> Tensor:
    """One, three, seven, two and four tokens."""
    counts = torch.tensor([1, 3, 7, 2, 4])
    order = torch.rand(BATCH, TOKENS, generator=generator(2)).argsort(dim=1).argsort(dim=1)
    return order < counts[:, None]


def subjects(values: Tensor) -> Subjects:
    return Subjects(
        tokens=values,
        relevant=torch.zeros(BATCH, TOKENS, dtype=torch.bool).index_fill(
            1, torch.tensor([2]), True
        ),
        log_hazard=torch.zeros(BATCH).double(),
        duration=torch.ones(BATCH).double(),
        observed=torch.ones(BATCH, dtype=torch.bool),
    )


def by_hand(net: ShallowViTCox, x: Tensor) -> float:
    """Return the log hazard of one subject, token by token."""
    outputs = []
    for query in x:
        logits = [
            float((net.query.weight @ query) @ (net.key.weight @ key)) / math.sqrt(32) for key in x
        ]
        total = sum(map(math.exp, logits))
        mixed = sum(
            math.exp(logit) / total * (net.value.weight @ key)
            for logit, key in zip(logits, x, strict=True)
        )
        hidden = (net.perceptron.weight @ mixed + net.perceptron.bias).clamp(min=0)
        outputs.append(float(net.output.weight[0] @ hidden))
    return sum(outputs) / len(outputs)


@torch.no_grad()
def test_the_log_hazard_is_the_formula() -> None:
    """Sums of exponentials, one token at a time, give the same."""
    net, x = model(), tokens()

    expected = torch.tensor([by_hand(net, each) for each in x]).double()
    torch.testing.assert_close(net(x), expected)
    placed = model("learned")
    assert placed.position is not None
    moved = x + placed.position
    torch.testing.assert_close(
        placed(x), torch.tensor([by_hand(placed, each) for each in moved]).double()
    )


def test_the_parts_have_the_sizes_of_the_design() -> None:
    """Queries and keys 32 wide, 32 hidden units, no bias but one; 64 wide tokens."""
    shapes = {name: tuple(each.shape) for name, each in ShallowViTCox().named_parameters()}

    assert shapes == {
        "query.weight": (32, 64), "key.weight": (32, 64), "value.weight": (64, 64),
        "perceptron.weight": (32, 64), "perceptron.bias": (32,), "output.weight": (1, 32),
    }  # fmt: skip


@torch.no_grad()
@pytest.mark.parametrize("position", POSITIONS)
def test_gathering_the_kept_tokens_equals_masking_the_others(position: Position) -> None:
    """The same log hazards and importances from fewer tokens, with another number per subject."""
    net, x, mask = model(position), tokens(), kept()
    every = torch.arange(TOKENS).expand(BATCH, -1)
    found = chosen(mask)
    places, real, few_tokens = found.index, found.real, found.take(x)

    torch.testing.assert_close(net(few_tokens, real, places), net(x, mask, every))
    few = net.importance(few_tokens, real, places)
    torch.testing.assert_close(
        torch.zeros(BATCH, TOKENS).double().scatter_add(1, places, few), net.importance(x, mask)
    )
    assert places.shape == (BATCH, 7)
    assert chosen(mask[[0, 1, 3]]).index.shape == (3, 3)


@torch.no_grad()
def test_a_subject_with_some_tokens_is_a_subject_without_the_others() -> None:
    """Masked among others it has the log hazard that it has alone, with the kept tokens only."""
    net, x, mask = model(), tokens(), kept()

    alone = torch.cat([net(each[None, own]) for each, own in zip(x, mask, strict=True)])
    torch.testing.assert_close(net(x, mask), alone)


@torch.no_grad()
def test_pruned_tokens_have_no_influence() -> None:
    """Whatever stands in them, the log hazard stays; in a kept one it would not."""
    net, x, mask = model("learned"), tokens(), kept()
    other = torch.where(mask[..., None], x, 1e3)

    assert torch.equal(net(x, mask), net(other, mask))
    assert not torch.equal(net(x), net(other))


@torch.no_grad()
def test_without_positions_the_order_of_tokens_means_nothing() -> None:
    """With them it does."""
    order = torch.randperm(TOKENS, generator=generator(3))

    torch.testing.assert_close(model()(tokens()[:, order]), model()(tokens()))
    placed = model("learned")
    assert not torch.allclose(placed(tokens()[:, order]), placed(tokens()))


def test_every_parameter_is_trained() -> None:
    """Each gets a gradient that is not zero."""
    net = model("learned")
    net(tokens(), kept()).square().sum().backward()

    assert all(bool(each.grad.abs().sum() > 0) for each in net.parameters())  # type: ignore[union-attr]


@torch.no_grad()
@pytest.mark.parametrize("mask", [None, kept()], ids=["all", "some"])
def test_importance_sums_to_one(mask: Tensor | None) -> None:
    """Over the tokens kept; the others get none."""
    importance = model("learned").importance(tokens(), mask)

    torch.testing.assert_close(importance.sum(dim=1), torch.ones(BATCH).double())
    if mask is not None:
        assert bool((importance[~mask] == 0).all())


@torch.no_grad()
def test_without_queries_attention_is_even() -> None:
    """Zero logits give each token 1 / 7, and relevant ones their share of the tokens."""
    net = model()
    net.query.weight.zero_()
    some = subjects(tokens())

    importance = token_importance(net, some)

    torch.testing.assert_close(importance, torch.full((BATCH, TOKENS), 1 / 7).double())
    mass = attention_mass(importance, some.relevant)
    torch.testing.assert_close(mass, torch.full((BATCH,), 1 / 7).double())


@torch.no_grad()
def test_a_planted_query_finds_its_pattern() -> None:
    """Keys that answer to one direction alone: the token that shows it gets the attention, and the
    AUROC is 1 for every subject.
    """
    net = model("learned")
    assert net.position is not None
    net.query.weight.zero_()
    net.query.weight[0, 1] = 30.0
    net.key.weight.zero_()
    net.key.weight[0, 0] = 30.0
    net.position.zero_()
    net.position[:, 1] = 1.0
    x = torch.zeros(BATCH, TOKENS, DIM).double()
    x[:, 2, 0] = 1.0
    some = subjects(x)

    importance = token_importance(net, some)

    assert float(attention_mass(importance, some.relevant).min()) > 0.999
    assert token_auroc(importance, some.relevant).tolist() == [1.0] * BATCH
