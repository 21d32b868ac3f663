"""The experiment as a whole: parts, measures, references, refusals; and its numbers, slowly."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from survkit.cli import main
from survkit.errors import ConfigError
from survkit.findings import Findings
from survkit.plugins import default_registry
from survkit.reproduction import run_experiment
from survkit_radvit.shallow.experiment import ShallowExperiment
from survkit_radvit.shallow.reference import (
    ALL,
    AUROC,
    EVEN,
    GAIN,
    HEADING,
    MASS,
    ORACLE,
    PRECISION,
    PRUNED,
    RECALL,
    REFERENCE,
    RETRAINED,
    at,
)

SMALL: dict[str, Any] = {"subjects": (60, 40, 50), "epochs": 2}


def values(found: Findings) -> dict[str, float]:
    return {each.name: each.value for each in found.measures}


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        (
            {},
            [f"design {name}, noise {noise}" for name in "AB" for noise in ("0.15", "0.30")],
        ),
        ({"design": "A", "noises": (0.2,)}, ["design A, noise 0.20"]),
        ({"design": "B"}, ["design B, noise 0.15", "design B, noise 0.30"]),
        ({"design": "pixels"}, ["design pixels, 48 x 48"]),
        ({"design": "pixels", "image_size": 96}, ["design pixels, 96 x 96"]),
    ],
)
def test_a_part_per_design_and_noise(settings: dict[str, Any], parts: list[str]) -> None:
    assert list(ShallowExperiment(**settings).plan.parts) == parts


@pytest.mark.parametrize("design", ["A", "B", "pixels"])
def test_every_design_is_studied_from_end_to_end(design: str) -> None:
    """Small and short: every measure, what must hold whatever was learnt, and twice the same."""
    experiment = ShallowExperiment(design=design, thresholds=(0.0, 1.0), **SMALL)  # type: ignore[arg-type]
    part = experiment.plan.parts[0]

    found = experiment(part, seed=0)

    assert found == experiment(part, seed=0)
    assert found != experiment(part, seed=1)
    measured = values(found)
    assert len(measured) == 5 + 2 * 7
    assert measured[at(0, "share kept")] == 1
    assert measured[at(0, PRUNED)] == measured[ALL]
    assert measured[at(0, GAIN)] == 0
    assert measured[at(0, PRECISION)] == pytest.approx(measured[EVEN])
    assert measured[at(1, GAIN)] == measured[at(1, PRUNED)] - measured[ALL]
    assert measured[at(1, RECALL)] <= 1
    assert measured[EVEN] == pytest.approx({"A": 6 / 36, "B": 4 / 36}.get(design, 0.11), abs=0.03)
    curves = {(each.figure, each.label): each for each in found.curves}
    assert curves["attention-mass", "on relevant tokens"].x == (0, 1, 2)
    assert curves["concordance", "pruned"].y[1] == measured[at(1, PRUNED)]
    assert curves["kept", "recall"].x == (0, 1)


def test_references_are_of_measures_that_there_are() -> None:
    """No reference is lost to a misspelt name, and none is shown for other settings than its
    own.
    """
    experiment = ShallowExperiment(**SMALL)
    for part in ("design A, noise 0.15", "design B, noise 0.30"):
        found = experiment(part, seed=0)
        assert all(each.reference is None for each in found.measures)
        for reference in REFERENCE.values():
            assert {*reference} <= {*values(found)}


def test_the_table_says_whose_the_reference_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the command line; the heading disclaims the paper, and no other column has numbers."""
    out = tmp_path / "shallow"
    words = f"reproduce radvit/shallow --out {out} --seeds 4 --set design=A --set noises=[0.15]"
    small = "--set epochs=1 --set subjects=[40,30,40] --set thresholds=[1]"
    assert main([*words.split(), *small.split()]) == 0

    text = capsys.readouterr().out
    assert HEADING == (
        "reference (this package's own design; the paper's values are not available)"
    )
    assert f"| measure | here | {HEADING} |" in text
    assert "No value of the paper is shown" in text
    stored = json.loads((out / "experiment.json").read_text())
    assert stored["settings"]["subjects"] == [40, 30, 40]
    assert {path.suffix for path in out.iterdir()} == {".md", ".csv", ".json", ".svg"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"design": "pixels", "noises": (0.1,)}, "noises are of designs A and B"),
        ({"design": "A", "image_size": 48}, "image_size is of design=pixels, not of design=A"),
        ({"design": "pixels", "image_size": 50}, "image_size must be 48 or 96"),
        ({"noises": ()}, "noises must be increasing numbers from 0 on"),
        ({"noises": (0.3, 0.1)}, "noises must be increasing"),
        ({"noises": (-0.1,)}, "noises must be increasing"),
        ({"thresholds": (1.0, 1.0)}, "thresholds must be increasing"),
        ({"thresholds": (1.0, float("inf"))}, "thresholds must be increasing"),
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"retrain_epochs": 0}, "retrain_epochs must be 1 or more"),
        ({"batch": 0}, "batch must be 1 or more"),
        ({"subjects": (10, 1, 10)}, "2 or more each, not .10, 1, 10."),
        ({"censored": 1.0}, "censored must be a share"),
        ({"weibull_shape": 0.0}, "Weibull shape must be a positive number"),
        ({"lr": 0.0}, "lr must be a positive number"),
        ({"weight_decay": -1.0}, "weight_decay must be a number from 0 on"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ShallowExperiment(**settings)


def test_the_experiment_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--kind", "experiment"]) == 0

    assert "radvit/shallow" in capsys.readouterr().out
    assert default_registry().find("experiment", "shallow").load() is ShallowExperiment


TOLERANCES = {
    ORACLE: 0.02, ALL: 0.02, AUROC: 0.015, MASS: 0.03, EVEN: 0.001, GAIN: 0.02, PRUNED: 0.02,
    RETRAINED: 0.02, "share kept": 0.03, PRECISION: 0.04, RECALL: 0.06,
}  # fmt: skip


@pytest.mark.slow
def test_the_reference_is_reproduced_within_the_noise_of_seeds(tmp_path: Path) -> None:
    """The mean of three seeds lies within the reference's range, widened on both sides.

    The range is that of three other seeds. A concordance of 600 subjects with 420 events has a
    standard error of about 0.012, that of three seeds' mean is 0.007, and that of the difference of
    two such means 0.010; 0.02 beyond the range is two of these. How much attention has moved, and
    with it what is kept, depends on which epoch is best. In design B all subjects keep the same
    patches, four or a few more: two too many in one of three seeds are 0.11 of precision.
    """
    found = run_experiment("radvit/shallow", tmp_path / "out", seeds=[0, 1, 2], jobs=2)

    wrong = []
    for part in found.content["parts"]:
        for each in part["measures"]:
            if each["reference"] is None:
                continue
            what = each["name"].rpartition(": ")[2]
            tolerance = TOLERANCES[what]
            if what == PRECISION and part["name"].startswith("design B"):
                tolerance = 0.12
            low, high = each["reference"]
            assert each["mean"] == pytest.approx(fmean(each["values"]))
            if not low - tolerance <= each["mean"] <= high + tolerance:
                wrong.append((part["name"], each["name"], each["mean"], (low, high)))
    assert wrong == []
