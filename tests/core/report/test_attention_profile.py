"""The mean attention along a volume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from survkit.data import Fold
from survkit.errors import RunError
from survkit.evaluation.predictions import Predictions
from survkit.report.attention import read_attention
from survkit.report.attention_profile import (
    POINTS,
    mean_with_interval,
    over_slices,
    profiles,
    relative_profile,
    top_mass,
)
from survkit.report.token_weights import ModalityTokens, SubjectTokens
from survkit.training.attention_file import write_attention, write_token_attention
from survkit.training.attention_watch import TokenWeights

Floats = NDArray[np.float64]


def normal(weight: Floats) -> Floats:
    return np.asarray(weight / weight.sum())


def predictions(names: list[str], group: list[str] | None = None) -> Predictions:
    """Return a table of these subjects, about whom nothing else matters here."""
    zeros = np.zeros(len(names), dtype=np.int64)
    return Predictions(
        subject=np.array(names),
        repeat=zeros,
        fold=zeros,
        duration=zeros + 1.0,
        event=zeros,
        causes=("death",),
        time_unit="days",
        horizon=1.0,
        time_grid=np.array([1.0]),
        cumulative_incidence=None,
        risk_score=np.zeros((len(names), 1)),
        model="m",
        splits_hash="0",
        seed=0,
        group=None if group is None else np.array(group),
    )


def tokens(
    weights: list[Floats],
    *,
    kind: str = "volume",
    grid: tuple[int, ...] | None = None,
    folds: int = 2,
) -> ModalityTokens:
    rows = tuple(
        SubjectTokens(f"s{number}", 0, number % folds, weight)
        for number, weight in enumerate(weights)
    )
    return ModalityTokens(kind, grid, None, rows)


@pytest.mark.parametrize("slices", [2, 57, 100, 150, 400, 1000])
def test_equal_weights_are_one_everywhere(slices: int) -> None:
    """Whatever the number of slices, a model that does not choose has a flat profile of 1."""
    profile = relative_profile(np.full(slices, 1 / slices))

    np.testing.assert_allclose(profile, np.ones(POINTS), rtol=0.02)
    assert profile.mean() == pytest.approx(1)


def test_a_few_slices_are_interpolated_as_published() -> None:
    """Linear between relative positions j / (R - 1), renormalised."""
    weight = np.array([0.5, 0.3, 0.2])
    place = np.linspace(0, 1, POINTS)
    by_hand = np.where(place < 0.5, 0.5 - 0.4 * place, 0.3 - 0.2 * (place - 0.5))

    np.testing.assert_allclose(
        relative_profile(weight), by_hand * POINTS / by_hand.sum(), rtol=1e-12
    )


@pytest.mark.parametrize("slices", [30, 101, 250, 777])
def test_no_slice_falls_between_two_points(slices: int) -> None:
    """All weight on one slice gives a peak at its relative position, whichever slice it is."""
    for slice_ in range(slices):
        weight = np.zeros(slices)
        weight[slice_] = 1
        profile = relative_profile(weight)

        assert profile.mean() == pytest.approx(1)
        centre = (profile * np.linspace(0, 1, POINTS)).sum() / profile.sum()
        assert abs(centre - slice_ / (slices - 1)) < 0.02


def test_blocks_of_one_height_are_added_up() -> None:
    """A grid (z, y, x) becomes slices along its first axis, the slowest."""
    weight = normal(np.arange(24.0))

    np.testing.assert_allclose(
        over_slices(weight, (4, 2, 3)), [weight[6 * z : 6 * z + 6].sum() for z in range(4)]
    )


def test_the_profile_finds_what_was_put_in() -> None:
    """Subjects who look at the caudal end at different depths of scan."""
    random = np.random.default_rng(0)
    weights = [
        normal(np.exp(-3 * np.linspace(0, 1, int(count))) * random.uniform(0.9, 1.1, int(count)))
        for count in random.integers(30, 90, 40)
    ]
    found = profiles({"ct": tokens(weights)})["ct"]
    position, mean = np.array(found["position"]), np.array(found["mean"])
    expected = np.exp(-3 * position)

    np.testing.assert_allclose(mean, expected / expected.mean(), rtol=0.12)
    assert found["n"] == 40
    assert all(
        low <= value <= high
        for low, value, high in zip(found["lower"], found["mean"], found["upper"], strict=True)
    )
    inside = np.array(found["subjects_high"]) >= np.array(found["upper"])
    assert inside.mean() > 0.9
    assert found["between_folds"]["value"] > 0.95
    assert "caudal" in found["orientation"]


def test_repeats_do_not_count_twice() -> None:
    """A subject in two repeats is one subject: the mean over its repeats."""
    one, other = normal(np.array([3.0, 1.0])), normal(np.array([1.0, 1.0]))
    rows = (
        SubjectTokens("a", 0, 0, one),
        SubjectTokens("a", 1, 0, other),
        SubjectTokens("b", 0, 0, other),
    )
    found = profiles({"ct": ModalityTokens("volume", None, None, rows)})["ct"]

    assert found["n"] == 2
    expected = (relative_profile(one) / 2 + relative_profile(other) * 1.5) / 2
    np.testing.assert_allclose(found["mean"], expected)


def test_folds_that_disagree_have_a_negative_correlation() -> None:
    """One model looks up, the other down."""
    rising = normal(np.arange(1.0, 31.0))
    found = profiles({"ct": tokens([rising, rising[::-1], rising, rising[::-1]])})["ct"]

    assert found["between_folds"]["value"] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("modality", "words"),
    [
        (tokens([normal(np.ones(4))], kind="vector", grid=(2, 2)), "kind vector"),
        (tokens([normal(np.ones(4))], grid=(2, 2)), "grid of 2 axes"),
        (tokens([normal(np.ones(4))], grid=(1, 2, 2)), "one position along z"),
        (tokens([np.ones(1)]), "no subject has more than one slice"),
        (ModalityTokens("volume", None, "too many", ()), "too many"),
    ],
)
def test_what_is_no_volume_has_no_profile(modality: ModalityTokens, words: str) -> None:
    """The reason is told; nothing is drawn over an order that means nothing."""
    assert words in profiles({"x": modality})["x"]["reason"]


def test_a_picture_is_not_spoken_of() -> None:
    """It has no slices, so a section "Along the volume" would only say the obvious."""
    picture = tokens([normal(np.ones(4))], kind="image", grid=(2, 2))

    assert list(profiles({"xray": picture, "ct": tokens([normal(np.ones(4))])})) == ["ct"]


def test_undefined_correlations_have_a_reason() -> None:
    """One fold, or a flat profile, cannot be correlated."""
    single = profiles({"ct": tokens([normal(np.arange(1.0, 5.0))], folds=1)})["ct"]
    flat = profiles({"ct": tokens([normal(np.ones(9)), normal(np.arange(1.0, 10.0))])})["ct"]

    assert single["between_folds"]["reason"] == "there is one fold"
    assert single["lower"] is None
    assert flat["between_folds"]["reason"] == "the profile of a fold is flat"


def test_the_top_tenth_counts_slices() -> None:
    """Of 25 slices it is 3; with equal weights it has 3 / 25."""
    weight = normal(np.array([5.0, *[1.0] * 23, 9.0]))

    assert top_mass(weight) == pytest.approx((15 / 37, 3 / 25))


def test_the_interval_of_the_mean_covers() -> None:
    """Of 200 simulated cohorts, about 95 % hold the true mean."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        _, lower, upper = mean_with_interval(random.exponential(1.0, (80, 1)))
        assert lower is not None
        assert upper is not None
        held += bool(lower[0] <= 1 <= upper[0])

    assert 180 <= held <= 198


def test_copies_within_a_group_change_no_interval() -> None:
    """Three images of every patient: the same mean and bounds as one; by subject, too narrow."""
    random = np.random.default_rng(5)
    weights = [normal(random.exponential(1.0, 12)) for _ in range(15)]
    one = {"ct": tokens(weights)}
    three = {"ct": tokens([weight for weight in weights for _ in range(3)])}
    patient = {f"s{number}": f"p{number // 3:02d}" for number in range(45)}
    own = {f"s{number}": f"p{number:02d}" for number in range(15)}

    expected, found = profiles(one, own)["ct"], profiles(three, patient)["ct"]
    narrow = profiles(three)["ct"]

    for key in ("mean", "lower", "upper"):
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-12)
    interval = found["top_share"]["interval"]
    assert interval == pytest.approx(expected["top_share"]["interval"])
    assert narrow["top_share"]["interval"]["lower"] > interval["lower"]
    assert (found["drawn"], narrow["drawn"]) == ("group", "subject")
    assert found["top_share"]["method"].endswith("replicates by group")


def test_one_group_has_no_interval() -> None:
    """Nothing is known of other patients."""
    weights = [normal(np.array([3.0, 1.0, 2.0])), normal(np.array([1.0, 4.0, 2.0]))]

    found = profiles({"ct": tokens(weights)}, {"s0": "p", "s1": "p"})["ct"]

    assert found["lower"] is None
    assert found["top_share"]["interval"] is None


def test_a_run_says_who_belongs_together(tmp_path: Path) -> None:
    """By its predictions; weights of somebody else's run are refused."""
    (tmp_path / "fold-0").mkdir()
    fold = Fold(0, 0, (), (), ("a", "b"))
    given = np.array([[0.2, 0.8], [0.5, 0.5]], dtype=np.float32)
    weights = {"ct": TokenWeights(tuple(given), None)}
    summaries = {("effective_tokens", "ct"): np.array([1.5, 2.0])}
    write_attention(tmp_path / "fold-0/attention.parquet", summaries, fold, ["a", "b"])
    path = tmp_path / "fold-0/token_attention.parquet"
    write_token_attention(path, weights, {"ct": "volume"}, fold, ["a", "b"])

    def profile_of(table: Predictions) -> Any:
        return (read_attention(tmp_path, table) or {})["profiles"]["ct"]

    table = predictions(["a", "b"])
    assert profile_of(table)["lower"] is not None
    assert profile_of(replace(table, group=np.array(["p", "p"])))["lower"] is None
    with pytest.raises(RunError, match="'b' has attention weights but no prediction"):
        profile_of(predictions(["a", "c"], group=["p", "q"]))
