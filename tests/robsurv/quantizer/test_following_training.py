"""Moving averages, dead codes, the start from tokens, health."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from tests.robsurv.quantizer.test_vector_quantizer import built, drawn
from torch import Tensor

from survkit_robsurv.quantizer.k_means import k_means
from survkit_robsurv.quantizer.token_sample import TokenSample, token_priority
from survkit_robsurv.quantizer.vector_quantizer import VectorQuantizer

SCRIPT = Path(__file__).with_name("step_on_two.py")


def state_of(quantizer: VectorQuantizer) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in quantizer.state_dict().items()}


def test_moving_averages_have_their_closed_form() -> None:
    """After three steps: decayed sums of counts and tokens, smoothed as Laplace would."""
    decay, epsilon, codes = 0.9, 1e-2, 8
    quantizer = built(learning="ema", decay=decay, epsilon=epsilon).double().train()
    start = quantizer.codebook.clone()
    quantizer.average.total.copy_(start)  # type: ignore[union-attr]
    counts, totals = [], []
    for step in range(3):
        tokens = drawn(2, 7, 6, seed=step).double()
        chosen = quantizer(tokens).code_index.flatten()
        one_hot = torch.nn.functional.one_hot(chosen, codes).double()
        counts.append(one_hot.sum(0))
        totals.append(one_hot.T @ tokens.flatten(0, 1))
        quantizer.after_step()

    shares = [(1 - decay) * decay**age for age in (2, 1, 0)]
    count = decay**3 + sum(share * each for share, each in zip(shares, counts, strict=True))
    total = decay**3 * start + sum(share * each for share, each in zip(shares, totals, strict=True))
    everyone = count.sum()
    smoothed = (count + epsilon) / (everyone + codes * epsilon) * everyone
    torch.testing.assert_close(quantizer.codebook, total / smoothed[:, None])


@pytest.mark.parametrize("learning", ["gradient", "ema"])
def test_micro_batches_are_one_batch(learning: str) -> None:
    """However a step is cut, codes, restarts and health are the same."""
    found = []
    for cut in ([6], [1, 3, 2], [1] * 6):
        quantizer = built(learning=learning, restart_after=2).double().train()
        for step in range(4):
            tokens = 0.1 * drawn(6, 3, 6, seed=step).double() + 1
            for part in tokens.split(cut):
                quantizer(part)
            torch.manual_seed(step)
            quantizer.after_step()
        health = quantizer.epoch_health()
        assert health is not None
        assert health.values["restarted"] > 0
        found.append((state_of(quantizer), health))

    for (state, health), (other, same) in pairwise(found):
        torch.testing.assert_close(state, other, rtol=1e-12, atol=1e-12)
        assert health == same


@pytest.mark.parametrize("learning", ["gradient", "ema"])
def test_a_step_without_tokens_moves_nothing(learning: str) -> None:
    """Nobody in the step has the modality: no decay, and no code grows older."""
    quantizer = built(learning=learning, restart_after=1).train()
    before = state_of(quantizer)

    quantizer.after_step()

    torch.testing.assert_close(state_of(quantizer), before, rtol=0, atol=0)


def test_only_dead_codes_are_restarted() -> None:
    """Codes 0 and 1 are chosen, 2 and 3 for the last time one step ago: the others die after two
    steps, each at a token of the last step, no two at the same.
    """
    quantizer = built(dim=2, restart_after=2).train()
    places = torch.arange(8)[:, None] * torch.tensor([[10.0, 0.0]])
    with torch.no_grad():
        quantizer.codebook.copy_(places)
    first = places[None, :4] + 0.25
    last = places[None, :2].repeat(1, 3, 1) + drawn(1, 6, 2)

    quantizer(first)
    quantizer.after_step()
    assert torch.equal(quantizer.codebook, places)
    quantizer(last)
    quantizer.after_step()

    assert torch.equal(quantizer.codebook[:4], places[:4])
    fresh = quantizer.codebook[4:].detach()
    assert all(any(torch.equal(code, token) for token in last[0]) for code in fresh)
    assert len(fresh.unique(dim=0)) == 4
    assert quantizer.dead is not None
    assert quantizer.dead.unused.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_more_dead_codes_than_tokens() -> None:
    """Two tokens restart two codes, the other dead ones wait for the next step."""
    quantizer = built(dim=2, restart_after=1).train()
    before = quantizer.codebook.detach().clone()

    quantizer(drawn(1, 2, 2))
    quantizer.after_step()

    moved = (quantizer.codebook != before).any(dim=1)
    health = quantizer.epoch_health()
    assert health is not None
    assert int(moved.sum()) == 2 == health.values["restarted"]


def test_restarted_averages_stay_where_they_are_put() -> None:
    """A code that was given a token is that token, and its average begins there."""
    quantizer = built(dim=2, learning="ema", restart_after=1, decay=0.5).train()
    tokens = drawn(1, 6, 2)

    chosen = quantizer(tokens).code_index.unique()
    quantizer.after_step()

    assert quantizer.average is not None
    restarted = (torch.arange(8)[:, None] != chosen).all(dim=1) & (quantizer.average.count == 1)
    assert int(restarted.sum()) == min(6, 8 - len(chosen))
    torch.testing.assert_close(quantizer.average.total[restarted], quantizer.codebook[restarted])
    for code in quantizer.codebook[restarted]:
        assert (tokens[0] == code).all(dim=1).any()


def test_a_resumed_training_goes_on_as_it_would_have() -> None:
    """What is saved suffices: averages, and for how long each code was not used."""
    whole = built(learning="ema", restart_after=3).train()
    saved: dict[str, Tensor] = {}
    resumed = built(learning="ema", restart_after=3).train()
    for step in range(6):
        if step == 2:
            saved = state_of(whole)
            resumed.load_state_dict(saved, strict=True)
        for each in (whole, resumed) if step >= 2 else (whole,):
            each(drawn(2, 2, 6, seed=step))
            torch.manual_seed(step)
            each.after_step()

    torch.testing.assert_close(state_of(resumed), state_of(whole), rtol=0, atol=0)
    assert set(saved) == {"codebook", "average.count", "average.total", "dead.unused"}


def test_health_of_a_uniform_use() -> None:
    """Four codes of eight used alike: perplexity 4, usage a half, nothing to warn of."""
    quantizer = built(dim=2).train()
    with torch.no_grad():
        quantizer.codebook.copy_(torch.arange(8)[:, None] * torch.tensor([[1.0, 0.0]]))

    for _ in range(2):
        quantizer(quantizer.codebook[None, :4].detach())
        quantizer.after_step()
    health = quantizer.epoch_health()

    assert health is not None
    assert health.values == pytest.approx({"perplexity": 4.0, "codebook_usage": 0.5})
    assert health.warning == ""
    assert quantizer.epoch_health() is None, "each epoch tells of itself"


def test_a_collapse_is_told_with_a_cure() -> None:
    """All tokens choose one code."""
    quantizer = built(dim=2).train()

    quantizer(quantizer.codebook[None, 3:4].detach().repeat(2, 5, 1))
    quantizer.after_step()
    health = quantizer.epoch_health()

    assert health is not None
    assert health.values == {"perplexity": 1.0, "codebook_usage": 1 / 8}
    assert "10 tokens of the epoch chose 1 of 8 codes, perplexity 1.0" in health.warning
    assert "start: kmeans" in health.warning


def test_a_collapse_is_told_with_numbers_that_differ() -> None:
    """Two codes used five and four times: 1.99 is less than 2, and must not read "2.0"."""
    quantizer = built(dim=2).train()

    quantizer(quantizer.codebook[None, [3] * 5 + [4] * 4].detach())
    quantizer.after_step()
    health = quantizer.epoch_health()

    assert health is not None
    assert "perplexity 1.99 where at least 2.00 is expected" in health.warning


def test_clusters_are_found() -> None:
    """Four far clusters: their means, although the first tokens are all of one."""
    centres = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
    tokens = (centres[:, None] + 0.1 * drawn(4, 50, 2)).flatten(0, 1)

    means = k_means(tokens, 4)

    expected = tokens.view(4, 50, 2).mean(dim=1)
    order = [int((means - each).square().sum(1).argmin()) for each in expected]
    torch.testing.assert_close(means[order], expected)


def test_equal_tokens_far_from_the_rest_are_one_cluster() -> None:
    """A hundred different tokens, some a thousand times as long as others, are a hundred means."""
    different = drawn(1, 100, 64)[0] * torch.logspace(0, 3, 100)[:, None]
    order = torch.randperm(500, generator=torch.Generator().manual_seed(0))

    means = k_means(different.repeat(5, 1)[order], 150)

    assert len(means) == 100
    nearest = torch.cdist(means.double(), different.double()).min(dim=1)
    assert len(nearest.indices.unique()) == 100
    assert float(nearest.values.max()) < 1e-2


def test_starting_from_tokens() -> None:
    """Fewer different tokens than codes: each is a code, the other codes stay."""
    quantizer = built(learning="ema", restart_after=1)
    before = quantizer.codebook.clone()
    tokens = drawn(5, 6, seed=9)

    quantizer.start_from(torch.cat([tokens, tokens]), seed=0)

    order = [int((tokens - each).square().sum(1).argmin()) for each in quantizer.codebook[:5]]
    assert sorted(order) == [0, 1, 2, 3, 4]
    torch.testing.assert_close(quantizer.codebook[:5], tokens[order])
    assert torch.equal(quantizer.codebook[5:], before[5:])
    assert torch.equal(quantizer.average.total, quantizer.codebook)  # type: ignore[union-attr]


def test_the_sample_does_not_depend_on_the_cut() -> None:
    """Nor on padding; and it is spread over the whole stream."""
    stream = torch.arange(2000.0)[:, None]
    samples = []
    for size in (2000, 7, 300):
        sample = TokenSample(200, 1)
        for part in stream.split(size):
            padded = torch.cat([part, torch.full((3, 1), -1.0)])
            sample.add(padded, padded[:, 0] >= 0)
        samples.append(sample.kept())

    assert torch.equal(samples[0], samples[1])
    assert torch.equal(samples[0], samples[2])
    assert len(samples[0].unique()) == 200
    quarter = (samples[0] // 500).flatten().long().bincount()
    assert bool(((quarter - 50).abs() < 25).all()), quarter  # 4 SD of a binomial


def test_priorities_do_not_meet() -> None:
    """A scrambling that can be undone; another seed scrambles otherwise."""
    place = torch.arange(100_000)

    first, second = token_priority(place, 0), token_priority(place, 1)

    assert len(first.unique()) == len(second.unique()) == len(place)
    assert int(first.min()) >= 0
    assert int(first.max()) < 2**32
    assert bool((first != second).all())


def test_two_ranks_move_alike(tmp_path: Path) -> None:
    """Each sees half of the step: averages as of the whole, restarts alike on both."""
    repository = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join([repository, *filter(None, sys.path)])
    subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), str(tmp_path)],
        check=True,
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        timeout=120,
    )

    chosen = built().code_index(drawn(4, 2, 6)).unique()
    for learning in ("gradient", "ema"):
        first, second, alone = (
            torch.load(tmp_path / f"{learning}-{name}.pt", weights_only=True)
            for name in ("0", "1", "alone")
        )
        torch.testing.assert_close(first, second, rtol=0, atol=0)
        assert first["health"] == alone["health"]
        torch.testing.assert_close(first["codebook"][chosen], alone["codebook"][chosen])
        if learning == "ema":
            torch.testing.assert_close(first["average.count"], alone["average.count"])
