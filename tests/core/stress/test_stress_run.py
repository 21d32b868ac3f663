"""A stress test finds what was planted: one modality decides, the other is looked at by nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.modules.module import register_module_forward_pre_hook

from survkit.data import Cohort
from survkit.evaluation import Predictions, evaluate
from survkit.evaluation.metric_names import HARRELL
from survkit.evaluation.resampling import all_draws, units_of
from survkit.evaluation.risk_groups import risk_groups
from survkit.hub import from_pretrained
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.log_rank import LogRank, log_rank
from survkit.registry import Registry
from survkit.stress import Stress, stress_run
from survkit.stress.chance import chosen
from survkit.stress.measure import degradation
from survkit.stress.yardstick import log_rank_json, log_rank_of_groups, yardstick

ASKED = (
    "blood:column-noise:variation=0.5",
    "blood:column-noise:variation=0",
    "blood:missing-columns:rate=0.9",
    "blood:missing-modality",
    "noise:column-noise:high",
    "noise:missing-modality",
)


@pytest.fixture(scope="module")
def found(
    made: Path, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Stress]:
    """The model that looks at blood alone, under everything that is asked above."""
    out = tmp_path_factory.mktemp("found") / "stress"
    result = stress_run(
        made / "only",
        Cohort.read(made / "cohort.yaml"),
        out=out,
        corruptions=ASKED,
        fractions=(0.0, 0.5, 1.0),
        seeds=3,
        replicates=60,
        registry=registry,
    )
    return made / "only", result


def entry(stress: Stress, asked: str) -> dict[str, Any]:
    """Return the entry of what was asked."""
    place = ASKED.index(asked)
    entries: list[dict[str, Any]] = stress.content["corruptions"]
    return entries[place]


def test_what_nobody_looks_at_costs_exactly_nothing(found: tuple[Path, Stress]) -> None:
    """Corrupting or removing the other modality changes no bit, so no number."""
    for asked in ("noise:column-noise:high", "noise:missing-modality"):
        for row in entry(found[1], asked)["fractions"]:
            assert row["noisy"]["value"] == row["clean"]["value"]
            assert row["noisy"]["interval"] == row["clean"]["interval"]
            assert row["difference"]["value"] == 0
            assert row["degradation"]["value"] == 0
        assert entry(found[1], asked)["robustness_area"]["value"] == pytest.approx(1)
    table = next(t for key, t in found[1].corrupted.items() if key.startswith("noise.column"))
    assert np.array_equal(table.risk_score, found[1].clean.risk_score)


def test_what_decides_is_paid_for(found: tuple[Path, Stress]) -> None:
    """Corrupting the blood costs more the more subjects it meets, and more the less is left."""
    noisy = entry(found[1], "blood:column-noise:variation=0.5")
    emptied = entry(found[1], "blood:missing-columns:rate=0.9")
    lost = [row["degradation"]["value"] for row in noisy["fractions"]]

    assert lost[0] == 0 < lost[1] < lost[2]
    assert emptied["fractions"][2]["degradation"]["value"] > lost[2]
    assert emptied["fractions"][2]["degradation"]["interval"]["lower"] > 0
    assert 0 < emptied["robustness_area"]["value"] < noisy["robustness_area"]["value"] < 1
    assert emptied["fractions"][2]["log_rank_p"]["value"] > 0.01
    assert emptied["fractions"][0]["log_rank_p"]["value"] < 0.001


def test_the_price_of_omission_is_everything(made: Path, found: tuple[Path, Stress]) -> None:
    """Who has no blood gets one and the same score. Those who have nothing else keep it, and are
    counted; the subset table, which leaves them out, shows chance exactly.
    """
    gone = entry(found[1], "blood:missing-modality")
    alone = next(s for s in found[1].content["subsets"] if s["modalities"] == ["noise"])

    assert gone["kept"] == 6
    assert gone["fractions"][2]["degradation"]["value"] > 0.8
    assert alone["noisy"]["value"] == 0.5
    assert alone["degradation"]["value"] == 1
    assert alone["subjects"] == 54
    assert alone["clean"]["value"] > 0.6


def test_subsets_agree_with_what_is_missing(found: tuple[Path, Stress]) -> None:
    """All 2^2 - 1 rows; all modalities are the clean model, one alone is the other missing."""
    rows = {tuple(row["modalities"]): row for row in found[1].content["subsets"]}
    clean = entry(found[1], "noise:missing-modality")["fractions"][0]["clean"]

    assert set(rows) == {("blood", "noise"), ("blood",), ("noise",)}
    assert rows["blood", "noise"]["noisy"]["value"] == clean["value"]
    assert rows["blood",]["noisy"]["value"] == clean["value"]


def test_fraction_zero_and_severity_zero_are_the_run_itself(found: tuple[Path, Stress]) -> None:
    """Clean, nothing corrupted and noise of no strength are what `survkit evaluate` says."""
    run, stress = found
    evaluated = evaluate(run, replicates=60).metric(HARRELL).pooled.to_json()
    identity = entry(stress, "blood:column-noise:variation=0")

    for row in identity["fractions"]:
        assert row["clean"]["value"] == row["noisy"]["value"] == evaluated["value"]
        assert row["clean"]["interval"] == evaluated["interval"]
        assert row["seeds"] == [evaluated["value"]] * 3
    assert np.array_equal(
        stress.clean.risk_score, Predictions.read(run / "predictions.parquet").risk_score
    )


def test_numbers_are_those_of_the_tables_that_were_written(found: tuple[Path, Stress]) -> None:
    """Everybody corrupted: each seed's value is the evaluation of its own file, the noisy value
    their mean, the p value their median.
    """
    stress = found[1]
    noisy = entry(stress, "blood:column-noise:variation=0.5")
    files = sorted((stress.folder / "predictions").glob("blood.column-noise.variation=0.5.seed-*"))
    tables = [Predictions.read(file) for file in files]
    values = [evaluate(each, replicates=0).metric(HARRELL).pooled.to_json() for each in tables]
    row = noisy["fractions"][2]
    tests = []
    for table in tables:
        once = table.select(table.repeat == 0)
        group = torch.from_numpy(risk_groups(once, cause=1)[1])
        test = log_rank(once.target(), group)
        assert isinstance(test, LogRank)
        tests.append(test.p_value)

    assert row["seeds"] == [each["value"] for each in values]
    assert row["noisy"]["value"] == pytest.approx(np.mean(row["seeds"]))
    assert row["log_rank_p"]["value"] == np.median(tests)
    assert len({table.fingerprint() for table in tables}) == 3


def test_the_interval_is_paired(found: tuple[Path, Stress]) -> None:
    """Percentiles of the difference over resampled subjects, each resample scored from scratch as
    a table of its own, clean and corrupted.
    """
    _, stress = found
    clean = stress.clean
    noisy = [
        table for key, table in stress.corrupted.items() if key.startswith("blood.missing-columns")
    ]
    counts = all_draws(units_of(clean, "subject"), replicates=60, seed=0).numpy().astype(int)

    def score(table: Predictions, drawn: np.ndarray) -> float:
        rows = np.repeat(np.arange(len(table)), drawn)
        copy = np.concatenate([np.arange(each) for each in drawn])
        names = [f"{a}-{b}" for a, b in zip(table.subject[rows], copy, strict=True)]
        columns = ("repeat", "fold", "duration", "event", "cumulative_incidence", "risk_score")
        taken = {name: getattr(table, name)[rows] for name in columns}
        again = replace(table, subject=np.array(names), **taken)
        values = yardstick(again, "harrell", None, replicates=0, level=0.95).values(again)
        assert isinstance(values, torch.Tensor)
        return float(values[0])

    differences = [
        score(clean, drawn) - float(np.mean([score(each, drawn) for each in noisy]))
        for drawn in counts[1:]
    ]
    row = entry(stress, "blood:missing-columns:rate=0.9")["fractions"][2]["difference"]

    expected = np.quantile(differences, [0.025, 0.975])
    assert [row["interval"]["lower"], row["interval"]["upper"]] == pytest.approx(expected)


def test_corrupted_subjects_are_nested_and_chosen_by_name(found: tuple[Path, Stress]) -> None:
    """The stated number of subjects, in both repeats alike, whatever the order of the rows."""
    table = found[1].clean
    order = np.random.default_rng(0).permutation(len(table))
    for seed in range(3):
        few, many = (chosen(table, share, seed) for share in (0.25, 0.6))
        assert len(set(table.subject[few])) == 15
        assert few.sum() == 30
        assert (many | ~few).all()
        assert np.array_equal(chosen(table.select(order), 0.25, seed), few[order])
    assert not np.array_equal(chosen(table, 0.5, 0), chosen(table, 0.5, 1))


def test_the_csv_says_the_same(found: tuple[Path, Stress]) -> None:
    """A row per corruption and fraction, with the numbers of the JSON."""
    frame = pd.read_csv(found[1].folder / "stress.csv")
    written = json.loads((found[1].folder / "stress.json").read_text())

    assert len(frame) == 3 * len(ASKED)
    rows = [row for each in written["corruptions"] for row in each["fractions"]]
    assert frame["noisy"].tolist() == pytest.approx([row["noisy"]["value"] for row in rows])
    assert frame["seed_sd"].tolist() == pytest.approx(
        [np.std(row["seeds"], ddof=1) for row in rows], abs=1e-12
    )
    assert written == json.loads(json.dumps(found[1].content))


def test_networks_predict_without_tf32(made: Path, registry: Registry, tmp_path: Path) -> None:
    """A run predicts on the CPU and may be stressed on a GPU, whose convolutions round by default
    by more than the difference that is refused; what was set before is set again.
    """
    seen: set[bool] = set()
    cohort = Cohort.read(made / "cohort.yaml")
    noise = ("blood:column-noise:high",)
    fitted = from_pretrained(made / "only/fold-0-0", registry=registry)
    hook = register_module_forward_pre_hook(lambda *_: seen.add(torch.backends.cudnn.allow_tf32))
    try:
        stress_run(
            made / "only", cohort, out=tmp_path / "out", corruptions=noise, fractions=(1.0,),
            seeds=1, replicates=0, registry=registry,
        )  # fmt: skip
        stressed = set(seen)
        seen.clear()
        fitted.predict(cohort, [0, 1])
    finally:
        hook.remove()

    assert stressed == seen == {False}
    assert torch.backends.cudnn.allow_tf32


def test_a_cause_is_measured_as_its_evaluation(found: tuple[Path, Stress]) -> None:
    """With competing causes the yardstick is that of the cause asked for."""
    clean = found[1].clean
    second = np.where((clean.event == 1) & (np.arange(len(clean)) % 2 == 0), 2, clean.event)
    by_subject = dict(zip(clean.subject, second, strict=True))  # alike in every repeat
    table = replace(
        clean,
        causes=("death", "relapse"),
        event=np.array([by_subject[name] for name in clean.subject]),
        cumulative_incidence=np.repeat(clean.cumulative_incidence / 2, 2, axis=1),
        risk_score=np.column_stack([clean.risk_score, -clean.risk_score]),
    )
    evaluated = evaluate(table, replicates=0)

    for cause in table.causes:
        gauge = yardstick(table, "harrell", cause, replicates=0, level=0.95)
        values = gauge.values(table)
        assert isinstance(values, torch.Tensor)
        assert float(values[0]) == evaluated.metric(HARRELL, cause).pooled.to_json()["value"]


def test_a_model_that_knows_nothing_has_nothing_to_lose(found: tuple[Path, Stress]) -> None:
    """Below chance, a share of what lies above it means nothing; weights have no log-rank test."""
    clean = found[1].clean
    worse = replace(clean, risk_score=-clean.risk_score)
    gauge = yardstick(worse, "harrell", None, replicates=0, level=0.95)

    lost = degradation(gauge.values(worse), gauge.values(worse), gauge)

    assert isinstance(lost, Undefined)
    assert "not better than chance" in lost.reason
    weighted = replace(clean, weight=np.ones(len(clean)))
    assert "weight" in log_rank_json([log_rank_of_groups(weighted, 1)])["reason"]
