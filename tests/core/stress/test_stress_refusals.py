"""Stress tests that cannot be: what is undefined or refused, and what an interruption leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, RunError, UserError
from survkit.registry import Registry
from survkit.stress import stress_run


def test_the_only_modality_cannot_go(place: Path, registry: Registry) -> None:
    """A model of one modality has nothing to predict from without it: said, not computed."""
    result = stress_run(
        place / "single",
        Cohort.read(place / "cohort.yaml"),
        corruptions=["blood:missing-modality"],
        fractions=(0.0, 1.0),
        replicates=10,
        registry=registry,
    )
    found = result.content["corruptions"][0]

    for row in found["fractions"]:
        assert "nothing is left to predict from" in row["noisy"]["reason"]
        assert "value" in row["clean"]
        assert "reason" in row["log_rank_p"]
    assert "reason" in found["robustness_area"]
    assert "takes one modality" in result.content["subsets"]["reason"]
    frame = pd.read_csv(result.folder / "stress.csv")
    assert frame["noisy"].isna().all()
    assert "nothing is left" in frame["reason"][0]


def test_a_fusion_that_refuses_is_quoted(place: Path, registry: Registry) -> None:
    """Where the fusion cannot do without, the reason is its own sentence. The model is the mean of
    two networks, and the bar counts each subject once.
    """
    told: list[tuple[int, int]] = []
    result = stress_run(
        place / "refuses",
        Cohort.read(place / "cohort.yaml"),
        corruptions=["blood:missing-modality", "blood:column-noise"],
        progress=lambda done, total: told.append((done, total)),
        fractions=(1.0,),
        seeds=1,
        replicates=0,
        registry=registry,
    )
    gone, noisy = result.content["corruptions"]
    alone = next(s for s in result.content["subsets"] if s["modalities"] == ["noise"])

    assert gone["fractions"][0]["noisy"]["reason"] == "this fusion needs blood"
    assert alone["noisy"]["reason"] == "this fusion needs blood"
    assert noisy["fractions"][0]["noisy"]["value"] > 0
    blood = next(s for s in result.content["subsets"] if s["modalities"] == ["blood"])
    assert blood["noisy"]["value"] == blood["clean"]["value"]
    assert told[-1] == (2 * 60 + 2, 2 * 60 + 2)
    assert "two fractions" in noisy["robustness_area"]["reason"]


def test_an_error_is_lost_relative_to_itself(place: Path, registry: Registry) -> None:
    """A Brier score has no chance value: what is lost is its rise, and nothing is an area."""
    result = stress_run(
        place / "only",
        Cohort.read(place / "cohort.yaml"),
        corruptions=["blood:missing-columns:rate=0.9"],
        metric="brier",
        fractions=(0.0, 1.0),
        seeds=1,
        replicates=20,
        registry=registry,
    )
    row = result.content["corruptions"][0]["fractions"][1]

    rise = row["noisy"]["value"] / row["clean"]["value"] - 1
    assert row["degradation"]["value"] == pytest.approx(rise)
    assert rise > 0
    assert "no chance value" in result.content["corruptions"][0]["robustness_area"]["reason"]


def test_an_interrupted_stress_test_goes_on(place: Path, registry: Registry) -> None:
    """Killed after a fold and resumed, it ends with the same file; with other settings it is
    refused, and without --resume it starts anew.
    """
    cohort = Cohort.read(place / "cohort.yaml")
    asked: dict[str, Any] = {
        "corruptions": ["blood:column-noise", "noise:missing-modality"],
        "fractions": (0.0, 1.0),
        "seeds": 2,
        "replicates": 10,
        "registry": registry,
    }

    class Killed(BaseException):
        pass

    def die(done: int, total: int) -> None:
        if done > 0.4 * total:
            raise Killed

    whole = stress_run(place / "only", cohort, out=place / "whole", **asked)
    with pytest.raises(Killed):
        stress_run(place / "only", cohort, progress=die, **asked)
    assert not (place / "only/stress").exists()
    kept = [*(place / "only/.stress.new/folds").glob("*/facts.json")]
    assert 0 < len(kept) < 4
    with pytest.raises(RunError, match="had other seeds"):
        stress_run(place / "only", cohort, resume=True, **{**asked, "seeds": 3})
    again = stress_run(place / "only", cohort, resume=True, **asked)

    assert again.folder == place / "only/stress"
    first, second = ((each.folder / "stress.json").read_bytes() for each in (whole, again))
    assert first == second
    assert not (place / "only/.stress.new").exists()


def test_older_results_are_not_lost(place: Path, registry: Registry) -> None:
    """What is there stays until it is asked to go, and until the new one is complete."""
    cohort = Cohort.read(place / "cohort.yaml")
    asked: dict[str, Any] = {"fractions": (1.0,), "seeds": 1, "replicates": 0, "registry": registry}
    stress_run(place / "only", cohort, corruptions=["noise:column-noise"], **asked)
    before = (place / "only/stress/stress.json").read_bytes()

    with pytest.raises(RunError, match="give --overwrite"):
        stress_run(place / "only", cohort, corruptions=["blood:column-noise"], **asked)
    with pytest.raises(RunError, match="holds no stress test"):
        stress_run(place / "only", cohort, out=place / "single", overwrite=True, **asked)
    assert (place / "only/stress/stress.json").read_bytes() == before
    stress_run(place / "only", cohort, corruptions=["blood:column-noise"], overwrite=True, **asked)
    assert (place / "only/stress/stress.json").read_bytes() != before
    (place / "only/stress/notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"'notes\.txt' is no part of the stress test there"):
        stress_run(place / "only", cohort, overwrite=True, **asked)
    (place / "only/stress/notes.txt").unlink()


def bend(place: Path, column: str, value: float) -> None:
    frame = pd.read_csv(place / "patients.csv")
    frame.loc[3, column] = value
    frame.to_csv(place / "patients.csv", index=False)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("crp", "now predicts a risk score of .* for subject 's03'"),
        ("days", "duration or event of subject 's03' is not what"),
    ],
)
def test_another_cohort_is_refused(
    column: str, message: str, place: Path, registry: Registry
) -> None:
    """A changed value or outcome is noticed before anything is said about robustness, and nothing
    is left behind.
    """
    bend(place, column, 77.5)

    with pytest.raises(DataError, match=message):
        stress_run(
            place / "only",
            Cohort.read(place / "cohort.yaml"),
            corruptions=["blood:column-noise"],
            registry=registry,
        )
    assert not [path for path in (place / "only").iterdir() if "stress" in path.name]


def test_a_run_without_models_is_refused(place: Path, registry: Registry) -> None:
    """A fold without its model cannot predict again."""
    (place / "only/fold-0-1/config.json").unlink()

    with pytest.raises(RunError, match="no model is there"):
        stress_run(place / "only", Cohort.read(place / "cohort.yaml"), registry=registry)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"corruptions": ["blood"]}, "is written modality:name"),
        ({"corruptions": ["bloot:column-noise"]}, "no modality 'bloot'. Did you mean 'blood'"),
        ({"corruptions": ["blood:column-nose"]}, "column-noise"),
        ({"corruptions": ["blood:gaussian-noise"]}, "applies to image and volume, but"),
        ({"corruptions": ["blood:column-noise:hihg"]}, "neither a level nor"),
        ({"corruptions": ["blood:column-noise:sigma=1"]}, "no setting 'sigma'"),
        ({"corruptions": ["blood:column-noise:variation=x"]}, "must be a number"),
        ({"corruptions": ["blood:column-noise:variation"]}, "neither a level nor"),
        ({"corruptions": ["blood:column-noise", "blood:column-noise:medium"]}, "asked for twice"),
        ({"corruptions": ["blood:column-noise + "]}, "nothing is on one side of it"),
        ({"corruptions": ["blood:column-noise++noise:column-noise"]}, "nothing is on one side"),
        ({"corruptions": ["+"]}, "a plus sign stands between two corruptions"),
        (
            {"corruptions": ["blood:column-noise:low + blood:missing-columns"]},
            "'blood' is in it twice",
        ),
        (
            {"corruptions": ["blood:column-noise + nose:column-noise"]},
            "no modality 'nose'. Did you mean 'noise'",
        ),
        ({"corruptions": ["blood:column-noise + noise"]}, "is written modality:name"),
        ({"corruptions": ["blood:column-noise + noise:blur"]}, "noise:blur: blur applies to image"),
        (
            {
                "corruptions": [
                    "blood:column-noise + noise:missing-modality",
                    "noise:missing-modality+blood:column-noise:medium",
                ]
            },
            "asked for twice",
        ),
        ({"severities": ["huge"]}, "no severity is named 'huge'"),
        ({"severities": []}, "at least one severity"),
        ({"fractions": (0.5, 0.5)}, "fractions must be increasing"),
        ({"fractions": (0.5, 1.5)}, "fractions must be increasing"),
        ({"fractions": ()}, "not none"),
        ({"seeds": 0}, "seeds must be"),
        ({"level": 1.0}, "level between 0 and 1"),
        ({"metric": "kendall"}, "no metric to compare by"),
        ({"cause": "birth"}, "no cause is named"),
        ({"overwrite": True, "resume": True}, "not both"),
        ({"resume": True}, "no interrupted stress test"),
    ],
)
def test_wrong_questions_are_one_sentence(
    options: dict[str, Any], message: str, made: Path, registry: Registry
) -> None:
    """Refused before anything is predicted or written."""
    with pytest.raises((ConfigError, DataError, UserError), match=message):
        stress_run(
            made / "only", Cohort.read(made / "cohort.yaml"), **({"registry": registry} | options)
        )
    assert not [path for path in (made / "only").iterdir() if "stress" in path.name]


def test_the_suite_is_everything_that_applies(place: Path, registry: Registry) -> None:
    """Without a wish, all corruptions of tables at the level asked for, on both tables."""
    result = stress_run(
        place / "only",
        Cohort.read(place / "cohort.yaml"),
        severities=["low", "high"],
        fractions=(1.0,),
        seeds=1,
        replicates=0,
        registry=registry,
    )
    shown = [(e["modality"], e["name"], e["severity"]) for e in result.content["corruptions"]]

    expected = [
        ("column-noise", "low"),
        ("column-noise", "high"),
        ("missing-columns", "low"),
        ("missing-columns", "high"),
        ("missing-modality", "all"),
    ]
    assert shown == [(name, *each) for name in ("blood", "noise") for each in expected]
