"""Survival Rank-N-Contrast against the triple loop over its definition."""

from __future__ import annotations

import math
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.rank_n_contrast import RankNContrast, rank_n_contrast_loss
from survkit.specs import OutcomeSpec

VARIANTS: tuple[Literal["paper", "released"], ...] = ("paper", "released")
OUTCOME = OutcomeSpec(causes=("death",), horizon=5.0, time_grid=(5.0,))


def relation(anchor: int, positive: int, j: int, time: list[float], seen: list[bool]) -> str:
    """Whether j is certainly further from the anchor than the positive, certainly not, or unknown.

    Follow-up times of the censored are lower bounds, so every subject's true time is a point
    (event) or a half-line (censored); "further" is certain if it holds for all true times, and
    "nearer" if it never does.
    """
    gap, distance = time[j] - time[anchor], abs(time[positive] - time[anchor])
    far, left = abs(gap) > distance, gap < 0
    positive_later = time[positive] > time[anchor] or (
        time[positive] == time[anchor] and not seen[positive]
    )
    if seen[anchor] and seen[positive]:
        if far:
            return "unknown" if not seen[j] and left else "further"
        return "nearer" if seen[j] else "unknown"
    if seen[anchor]:
        return "nearer" if positive_later and seen[j] and not far else "unknown"
    if seen[positive] and seen[j]:
        if far and left:
            return "further"
        return "nearer" if not positive_later and not far else "unknown"
    return "unknown"


def triple_loop(
    embedding: Tensor,
    duration: Tensor,
    observed: Tensor,
    temperature: float,
    uncertain: float,
    variant: str,
) -> Tensor:
    """Every anchor, positive and negative written out."""
    time, seen = duration.tolist(), observed.tolist()
    weights = {"further": 1.0, "unknown": uncertain, "nearer": 0.0}
    count = len(time)

    def similarity(i: int, j: int) -> Tensor:
        distance: Tensor = (embedding[i] - embedding[j]).square().sum().sqrt()
        return -distance / temperature

    anchors = []
    for a in range(count):
        terms = []
        for p in range(count):
            if p == a:
                continue
            tied_in_code = variant == "released" and time[p] == time[a]
            row = a if variant == "paper" else p
            negatives = [
                (uncertain if tied_in_code else weights[relation(a, p, j, time, seen)])
                * similarity(row, j).exp()
                for j in range(count)
                if j not in (a, p) and time[j] != time[a]
            ]
            total = sum(negatives, torch.zeros((), dtype=torch.float64))
            if total > 0:
                terms.append(total.log() - similarity(a, p))
        if terms:
            anchors.append(torch.stack(terms).mean())
    return torch.stack(anchors).mean() if anchors else embedding.sum() * 0


def draw(count: int, seed: int, times: int) -> tuple[Tensor, Tensor, Tensor]:
    """Embeddings, whole-number durations (tied if ``times`` is small) and observed."""
    generator = torch.Generator().manual_seed(seed)
    embedding = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    duration = torch.randint(1, times, (count,), generator=generator).double()
    return embedding, duration, torch.rand(count, generator=generator) < 0.6


@given(
    st.integers(1, 12), st.integers(0, 1000), st.sampled_from(VARIANTS), st.sampled_from([4, 99])
)
@settings(max_examples=60, deadline=None)
def test_triple_loop(
    count: int, seed: int, variant: Literal["paper", "released"], times: int
) -> None:
    """Value with censoring and ties, for both rows of similarities."""
    embedding, duration, observed = draw(count, seed, times)

    loss = rank_n_contrast_loss(
        embedding, duration, observed, temperature=0.7, uncertain_weight=0.3, variant=variant
    )

    expected = triple_loop(embedding, duration, observed, 0.7, 0.3, variant)
    torch.testing.assert_close(loss, expected, rtol=1e-10, atol=1e-12)


def test_three_subjects_by_hand() -> None:
    """On a line at 0, 1, 3 with events at 1, 2, 4: three pairs have a negative."""
    embedding = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)
    duration, observed = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, True, True])

    paper = rank_n_contrast_loss(embedding, duration, observed, temperature=1.0)
    released = rank_n_contrast_loss(
        embedding, duration, observed, temperature=1.0, variant="released"
    )

    # Pairs with a negative (anchor-positive: negative): 0-1: 2, 1-0: 2, 2-1: 0; each anchor has
    # one.
    assert paper.item() == pytest.approx(((1 - 3) + (1 - 2) + (2 - 3)) / 3)
    assert released.item() == pytest.approx(((1 - 2) + (1 - 3) + (2 - 1)) / 3)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradcheck(variant: Literal["paper", "released"]) -> None:
    """The gradient is that of the value."""
    embedding, duration, observed = draw(8, 5, 6)

    assert torch.autograd.gradcheck(
        lambda x: rank_n_contrast_loss(x, duration, observed, variant=variant),
        embedding.requires_grad_(),
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_equal_embeddings_have_finite_gradients(variant: Literal["paper", "released"]) -> None:
    """A collapsed network's distances are 0, where a norm has no gradient: 0 is taken."""
    _, duration, observed = draw(8, 5, 99)
    embedding = torch.zeros(8, 3, requires_grad=True)

    loss = rank_n_contrast_loss(embedding, duration, observed, variant=variant)

    assert loss.dtype == torch.float32
    assert torch.isfinite(torch.autograd.grad(loss, embedding)[0]).all()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_without_valid_anchor_the_loss_is_zero_with_a_graph(
    variant: Literal["paper", "released"], count: int
) -> None:
    """One or two subjects, or all tied: 0, and gradients of 0."""
    embedding = torch.randn(count, 3).requires_grad_()
    duration = torch.ones(count) if count == 5 else torch.arange(1.0, count + 1)

    loss = rank_n_contrast_loss(
        embedding, duration, torch.ones(count, dtype=torch.bool), variant=variant
    )

    assert loss.item() == 0
    assert torch.equal(torch.autograd.grad(loss, embedding)[0], torch.zeros(count, 3))


@pytest.mark.parametrize(
    ("duration", "observed", "expected"),
    [
        ([1, 2, 4, 7, 11, 16], [1, 1, 1, 1, 1, 1], 0.6459921830037968),
        ([1, 2, 4, 7, 11, 16], [1, 0, 1, 0, 1, 1], 0.6938249162866645),
        ([1, 2, 2, 7, 7, 16], [1, 0, 1, 1, 1, 0], 0.34463480756650666),
    ],
)
def test_released_code(duration: list[float], observed: list[int], expected: float) -> None:
    """Values of the authors' code (rnc_loss.py at commit 1782cce, float64) on six subjects."""
    embedding = torch.tensor([[0, 0], [1, 0], [1, 1], [2, 1], [0, 2], [3, 3]], dtype=torch.float64)

    loss = rank_n_contrast_loss(
        embedding, torch.tensor(duration), torch.tensor(observed) > 0, variant="released"
    )

    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_uniform_embeddings_count_negatives() -> None:
    """With all distances equal the loss is the mean logarithm of the number of negatives."""
    embedding = torch.eye(4, dtype=torch.float64)
    duration, observed = torch.tensor([1.0, 2.0, 4.0, 8.0]), torch.ones(4, dtype=torch.bool)

    loss = rank_n_contrast_loss(embedding, duration, observed)

    # Negatives per positive: each anchor's other three subjects lie at three distances: 2, 1, none.
    assert loss.item() == pytest.approx(math.log(2) / 2)


def test_component_censors_at_the_horizon() -> None:
    """The component works on the embedding, with follow-up that ends at the horizon."""
    embedding, duration, observed = draw(12, 2, 9)
    target = SurvivalTarget(duration, observed.long())

    loss = RankNContrast(OUTCOME, variant="released")(
        ModelOutput(torch.zeros(12, 1), "log-hazard", embedding), target
    )

    expected = rank_n_contrast_loss(
        embedding, duration.clamp(max=5), observed & (duration <= 5), variant="released"
    )
    torch.testing.assert_close(loss, expected)
    assert RankNContrast(OUTCOME).accepts == ("*",)


def test_wrong_settings_and_unhonoured_fields_are_refused() -> None:
    """By name."""
    with pytest.raises(ConfigError, match="temperature must be positive, not 0"):
        RankNContrast(OUTCOME, temperature=0)
    with pytest.raises(ConfigError, match="between 0 and 1, not 2"):
        RankNContrast(OUTCOME, uncertain_weight=2)
    with pytest.raises(ConfigError, match="not 'mine'"):
        RankNContrast(OUTCOME, variant="mine")  # type: ignore[arg-type]
    embedding, duration, observed = draw(3, 1, 9)
    output = ModelOutput(embedding, "pmf", embedding)
    for name in ("weight", "entry", "strata"):
        target = SurvivalTarget(duration, observed.long(), **{name: duration})
        with pytest.raises(DataError, match=f"'rank-n-contrast' does not honour {name}"):
            RankNContrast(OUTCOME)(output, target)
