"""Importance finds what was planted, and its numbers are those of closed forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.core.importance.measured import COLUMNS, REPEATS, by_name, measured

from survkit.data import Cohort, Splits
from survkit.evaluation import Predictions, evaluate
from survkit.evaluation.metric_names import ANTOLINI, HARRELL
from survkit.hub import from_pretrained
from survkit.importance import importance_run
from survkit.importance.chance import donors
from survkit.registry import Registry
from survkit.stress.yardstick import yardstick
from survkit.training.cross_validate import fold_folder


@pytest.fixture(scope="module")
def linear(
    made: Path, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The linear model of three blood values, of which one decides; two repeats of two folds."""
    return measured(made, registry, tmp_path_factory.mktemp("linear") / "out", "linear")


class Linear:
    """The same model by hand: the risk is the sum of weights times standardised columns."""

    def __init__(self, made: Path) -> None:
        self.table = Predictions.read(made / "linear/predictions.parquet")
        frame = pd.read_csv(made / "patients.csv").set_index("id")
        splits = Splits.read(made / "linear/splits.json", subjects=tuple(frame.index))
        self.rows, self.scaled, self.weights = [], [], []
        for fold in splits.folds:
            own = (self.table.repeat == fold.repeat) & (self.table.fold == fold.fold)
            rows = np.flatnonzero(own)
            train = frame.loc[list(fold.train), list(COLUMNS)].to_numpy()
            test = frame.loc[self.table.subject[rows].tolist(), list(COLUMNS)].to_numpy()
            member: Any = from_pretrained(fold_folder(made / "linear", splits, fold)).members[0]
            self.rows.append(rows)
            self.scaled.append((test - train.mean(axis=0)) / train.std(axis=0))
            active = member.encoders["blood"].scaling.active.numpy()[:3]
            weight = member.head.output.weight.detach().numpy()[0, :3]
            self.weights.append(weight.astype(float) * active)

    def concordance(self, scaled: Sequence[np.ndarray]) -> np.ndarray:
        """Return Harrell's concordance of the model on other standardised columns, in the sample
        and in 100 resamples of the subjects.
        """
        risk = np.empty_like(self.table.risk_score)
        for rows, values, weights in zip(self.rows, scaled, self.weights, strict=True):
            risk[rows, 0] = values @ weights
        gauge = yardstick(self.table, "harrell", None, replicates=100, level=0.95)
        found = gauge.values(replace(self.table, risk_score=risk, cumulative_incidence=None))
        assert isinstance(found, torch.Tensor)
        return np.asarray(found)

    def drop(self, scaled: Sequence[np.ndarray]) -> np.ndarray:
        """Return what is lost on other columns."""
        return np.asarray(self.concordance(self.scaled) - self.concordance(scaled))

    def permuted(self, column: int, number: int) -> np.ndarray:
        """Return the drop when a column is permuted within every fold."""
        changed = []
        for rows, values in zip(self.rows, self.scaled, strict=True):
            fold = f"{self.table.repeat[rows[0]]}|{self.table.fold[rows[0]]}"
            key = f"0|{fold}|blood: {COLUMNS[column]}|{number}"
            order = donors(self.table.subject[rows].tolist(), [True] * len(rows), key=key)
            after = values.copy()
            after[:, column] = values[order, column]
            changed.append(after)
        return self.drop(changed)


def test_what_decides_comes_first_and_noise_covers_nothing(linear: dict[str, Any]) -> None:
    """The planted column carries all; the interval of the others covers 0."""
    first, *others = linear["groups"]

    assert first["name"] == "blood: crp"
    assert first["importance"]["value"] > 0.15
    assert first["importance"]["interval"]["lower"] > 0.05
    for entry in others:
        interval = entry["importance"]["interval"]
        assert interval["lower"] <= 0 <= interval["upper"]
        assert abs(entry["importance"]["value"]) < 0.03


def test_the_clean_value_is_that_of_the_run(made: Path, linear: dict[str, Any]) -> None:
    """The run's own headline concordance, averaged over its repeats, with the same interval."""
    evaluated = evaluate(made / "linear", replicates=100).metric(HARRELL).pooled.to_json()

    assert linear["metric"] == HARRELL
    assert linear["clean"]["value"] == evaluated["value"]
    assert linear["clean"]["interval"] == pytest.approx(evaluated["interval"])


def test_permutations_are_those_of_the_closed_form(made: Path, linear: dict[str, Any]) -> None:
    """Each repeat's drop is that of the linear risk with the column exchanged within folds; mean
    and SD are over them, and the interval is that of their mean in every resample.
    """
    model = Linear(made)
    for place, name in enumerate(COLUMNS):
        entry = by_name(linear)[f"blood: {name}"]
        drops = np.stack([model.permuted(place, number) for number in range(REPEATS)])
        mean, interval = drops.mean(axis=0), entry["importance"]["interval"]

        assert entry["repeats"] == pytest.approx(drops[:, 0], abs=1e-9)
        assert entry["importance"]["value"] == pytest.approx(mean[0], abs=1e-9)
        assert entry["repeat_sd"] == pytest.approx(np.std(drops[:, 0], ddof=1), abs=1e-9)
        expected = np.quantile(mean[1:], [0.025, 0.975])
        assert [interval["lower"], interval["upper"]] == pytest.approx(expected, abs=1e-9)
        assert entry["moved"] == 120


def test_ablation_takes_the_term_out_of_a_linear_risk(made: Path, linear: dict[str, Any]) -> None:
    """At the training mean the standardised column is 0: the risk without its term."""
    model = Linear(made)
    for place, name in enumerate(COLUMNS):
        without = [values.copy() for values in model.scaled]
        for values in without:
            values[:, place] = 0
        drop, found = model.drop(without), by_name(linear)[f"blood: {name}"]["ablation"]

        assert found["value"] == pytest.approx(drop[0])
        assert found["interval"]["upper"] == pytest.approx(np.quantile(drop[1:], 0.975))


def test_gradient_times_input_of_a_linear_risk(made: Path, linear: dict[str, Any]) -> None:
    """The share of the sum of |weight times standardised value|, mean of the repeats' shares."""
    model = Linear(made)
    shares = []
    for repeat in model.table.repeats:
        sizes = sum(
            np.abs(values * weights).sum(axis=0)
            for rows, values, weights in zip(model.rows, model.scaled, model.weights, strict=True)
            if model.table.repeat[rows[0]] == repeat
        )
        shares.append(sizes / np.sum(sizes))
    found = [by_name(linear)[f"blood: {name}"]["gradient"] for name in COLUMNS]

    assert [each["value"] for each in found] == pytest.approx(np.mean(shares, axis=0), rel=1e-5)
    assert sum(each["value"] for each in found) == pytest.approx(1)
    for each in found:
        assert each["interval"]["lower"] < each["value"] < each["interval"]["upper"]


def test_what_nobody_looks_at_costs_exactly_nothing(
    made: Path, registry: Registry, tmp_path: Path
) -> None:
    """The model ignores the clinical table: no bit changes, in the sample and in no resample."""
    content = measured(made, registry, tmp_path / "out", "only")
    for name in ("clinical: age", "clinical: ward"):
        entry = by_name(content)[name]

        assert entry["importance"]["value"] == 0
        assert entry["importance"]["interval"] is None
        assert "every resample gives the same value" in entry["importance"]["method"]
        assert entry["repeats"] == [0.0] * REPEATS
        assert entry["ablation"]["value"] == 0
    assert by_name(content)["blood: crp"]["importance"]["value"] > 0.1


def test_where_a_gradient_means_nothing(made: Path, registry: Registry, tmp_path: Path) -> None:
    """A category and a column with missing values have none; the shares of the others sum to 1."""
    content = by_name(measured(made, registry, tmp_path / "out", "only", replicates=0, repeats=1))

    assert "ward is a category" in content["clinical: ward"]["gradient"]["reason"]
    assert "a value is missing, of subject 's" in content["clinical: age"]["gradient"]["reason"]
    values = [content[f"blood: {name}"]["gradient"]["value"] for name in COLUMNS]
    assert sum(values) == pytest.approx(1)


def test_each_cause_has_its_own_order(made: Path, registry: Registry, tmp_path: Path) -> None:
    """Crp decides about death and ldh about relapse; the first cause is asked by default."""
    for run in ("competing", "deephit"):
        for cause, name in ((None, "crp"), ("relapse", "ldh")):
            content = measured(
                made, registry, tmp_path / f"{run}-{name}", run, cause=cause,
                cohort="competing.yaml", replicates=0,
            )  # fmt: skip

            assert content["cause"] == (cause or "death")
            assert content["groups"][0]["name"] == f"blood: {name}"
            shares = [entry["gradient"]["value"] for entry in content["groups"]]
            assert sum(shares) == pytest.approx(1)


def test_curves_are_compared_where_antolini_is_asked(
    made: Path, registry: Registry, tmp_path: Path
) -> None:
    """A proportional model orders subjects alike at all times: C-td loses what Harrell's does."""
    content = measured(made, registry, tmp_path / "out", "linear", metric="antolini")
    harrell = measured(made, registry, tmp_path / "other", "linear", replicates=0)

    assert content["metric"] == ANTOLINI
    for name, entry in by_name(content).items():
        other = by_name(harrell)[name]["repeats"]
        assert entry["repeats"] == pytest.approx(other, abs=2e-3)


def test_the_same_again_in_two_processes_and_in_another_order(
    made: Path, registry: Registry, tmp_path: Path, linear: dict[str, Any]
) -> None:
    """Numbers depend on names and the seed, not on the order of subjects or processes."""
    table = pd.read_csv(made / "patients.csv", dtype=str, keep_default_na=False)
    table.iloc[::-1].to_csv(tmp_path / "reversed.csv", index=False)
    cohort = Cohort.read(made / "cohort.yaml", table=tmp_path / "reversed.csv")
    told: list[tuple[int, int]] = []
    again = importance_run(
        made / "linear", cohort, out=tmp_path / "again", repeats=REPEATS, replicates=100,
        registry=registry, jobs=2, progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    other = measured(made, registry, tmp_path / "other", "linear", seed=1, replicates=0)

    assert told[-1] == (4 * 3 * REPEATS + 3,) * 2
    for entry, before in zip(again.content["groups"], linear["groups"], strict=True):
        assert entry["repeats"] == before["repeats"]
        assert entry["importance"] == before["importance"]
        assert by_name(other)[entry["name"]]["repeats"] != before["repeats"]


def test_an_encoder_that_lets_no_derivative_through(
    made: Path, registry: Registry, tmp_path: Path
) -> None:
    """A detached input has no gradient, which is not the same as a gradient of 0."""
    content = by_name(measured(made, registry, tmp_path / "out", "blind", replicates=0))

    for name in ("patches: size", "patches: texture"):
        assert "has no derivative" in content[name]["gradient"]["reason"]
    assert content["patches: size"]["importance"]["value"] > 0
