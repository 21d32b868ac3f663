"""The command on a phantom cohort of volumes, as a user types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from survkit.cli import main
from survkit.data import Cohort
from survkit.evaluation import Predictions, evaluate
from survkit.evaluation.metric_names import HARRELL
from survkit.report.stress_figure import stress_figures, stress_table
from survkit.stress.chance import chosen
from survkit.stress.measure import mixed


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a phantom cohort, of whom some have no PET, and a run of two epochs."""
    folder = tmp_path_factory.mktemp("phantom")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        line = "phantom --out p --subjects 24 --size 16 --missing pet=0.3"
        assert main(line.split()) == 0
        line = "cv demo --cohort p/cohort.yaml --out cv --folds 2 --replicates 0 --quiet"
        assert main([*line.split(), "--set", "training.epochs=2"]) == 0
    return folder


@pytest.fixture(scope="module")
def stressed(phantom: Path) -> dict[str, Any]:
    """The content of stress.json after a command with a few wishes."""
    asked = "ct:gaussian-noise:sigma=0 ct:gaussian-noise:high ct:blur pet:poisson-noise"
    asked += " pet:missing-modality clinical:missing-columns:high"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(phantom)
        patch.setenv("SURVKIT_CACHE", str(phantom / "cache"))
        words = [word for each in asked.split() for word in ("--corruption", each)]
        line = "stress cv --cohort p/cohort.yaml --seeds 2 --replicates 20 --fractions 0,0.5,1"
        assert main([*line.split(), *words]) == 0
    content: dict[str, Any] = json.loads((phantom / "cv/stress/stress.json").read_text())
    return content


def tables(phantom: Path, pattern: str, run: str = "cv") -> list[Predictions]:
    folder = phantom / run / "stress/predictions"
    return [Predictions.read(file) for file in sorted(folder.glob(pattern))]


def test_noise_of_no_strength_is_the_run_bit_for_bit(
    phantom: Path, stressed: dict[str, Any]
) -> None:
    """Reading, preparing and encoding an uncorrupted volume again gives the run's own numbers."""
    run = Predictions.read(phantom / "cv/predictions.parquet")
    (again,) = tables(phantom, "ct.gaussian-noise.sigma=0.0.seed-0*")

    assert np.array_equal(again.cumulative_incidence, run.cumulative_incidence)
    assert np.array_equal(again.risk_score, run.risk_score)
    for name in ("ct.gaussian-noise.sigma=0.1.seed-0*", "ct.blur*", "clinical*seed-0*"):
        (other,) = tables(phantom, name)
        assert (other.risk_score != run.risk_score).all()


def test_who_has_no_pet_has_nothing_to_lose(phantom: Path, stressed: dict[str, Any]) -> None:
    """Corrupting or removing the PET changes exactly the subjects who have one."""
    run = Predictions.read(phantom / "cv/predictions.parquet")
    cohort = Cohort.read(phantom / "p/cohort.yaml")
    has = dict(zip(cohort.subjects, cohort.available("pet"), strict=True))
    expected = np.array([has[name] for name in run.subject])
    (gone,) = tables(phantom, "pet.missing-modality*")
    noisy = tables(phantom, "pet.poisson-noise*")

    assert 0 < expected.sum() < len(run)
    for table in (gone, *noisy):
        assert np.array_equal((table.risk_score != run.risk_score)[:, 0], expected)
    left = tables(phantom, "only.clinical+ct.parquet")[0]
    np.testing.assert_allclose(left.risk_score, gone.risk_score, rtol=0, atol=1e-6)


def test_a_second_stress_test_is_the_same(phantom: Path, stressed: dict[str, Any]) -> None:
    """Seeds decide everything: another order of corruptions, another folder, the same numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(phantom)
        patch.setenv("SURVKIT_CACHE", str(phantom / "cache"))
        line = "stress cv --cohort p/cohort.yaml --seeds 2 --replicates 20 --fractions 0,0.5,1"
        line += " --corruption pet:poisson-noise --corruption ct:gaussian-noise:high --out again"
        assert main(line.split()) == 0
    again = json.loads((phantom / "again/stress.json").read_text())["corruptions"]
    before = {each["label"]: each for each in stressed["corruptions"]}

    assert all(before[each["label"]] == each for each in again)


def test_there_are_examples_to_look_at(phantom: Path, stressed: dict[str, Any]) -> None:
    """One strip per image corruption, which is an SVG; tables and lost modalities have none."""
    names = sorted(path.name for path in (phantom / "cv/stress/examples").iterdir())

    assert names == ["ct.blur.svg", "ct.gaussian-noise.svg", "pet.poisson-noise.svg"]
    for name in names:
        text = (phantom / "cv/stress/examples" / name).read_text()
        assert text.lstrip().startswith("<?xml")
        assert "<image" in text


def test_figures_and_table_say_what_the_file_says(stressed: dict[str, Any]) -> None:
    """Curves for every modality, one picture of costs, a row per corruption; texts hold the
    numbers, and the same content gives the same bytes.
    """
    promised = {key: stressed[key] for key in ("format", "settings", "metric", "corruptions")}
    pictures, table = stress_figures(promised), stress_table(promised)

    assert len(pictures) == 4
    assert pictures == stress_figures(stressed)
    for modality, picture in zip(("ct", "pet", "clinical"), pictures, strict=False):
        assert picture.source.startswith("data:image/svg+xml;base64,")
        assert f"whose {modality} is corrupted" in picture.alt
        assert picture.caption
    last = stressed["corruptions"][1]["fractions"][-1]
    assert f"to {last['noisy']['value']:.3f} at 100%" in pictures[0].alt
    assert "ct: gaussian-noise (high)" in pictures[3].alt
    assert len(table.rows) == len(stressed["corruptions"])
    assert all(len(row) == len(table.labels) for row in table.rows)
    assert f"{last['noisy']['value']:.3f}" in table.rows[1][3]


def test_what_is_not_defined_is_drawn_as_that(stressed: dict[str, Any]) -> None:
    """A corruption without numbers has no curve, a bar that says so, and its reason in the
    table.
    """
    reason = {"reason": "the fusion refuses", "n": 24, "events": 9}
    bent = json.loads(json.dumps(stressed))
    for row in bent["corruptions"][4]["fractions"]:
        row |= {name: reason for name in ("noisy", "difference", "degradation", "log_rank_p")}
        row["seeds"] = []
    alone = bent | {"corruptions": [bent["corruptions"][4]]}

    assert "missing-modality" not in stress_figures(bent)[1].alt
    assert "pet: missing-modality (all) not defined" in stress_figures(bent)[-1].alt
    assert len(stress_figures(alone)) == 1
    assert "not defined: the fusion refuses" in stress_table(alone).rows[0][3]
    assert stress_table(alone).rows[0][5] == "–"


@pytest.fixture(scope="module")
def joint(phantom: Path, stressed: dict[str, Any]) -> dict[str, Any]:
    """The content of stress.json after the noise of the robustness paper on half of the subjects,
    in a copy of the run.
    """
    shutil.copytree(phantom / "cv", phantom / "both", ignore=shutil.ignore_patterns("stress"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(phantom)
        patch.setenv("SURVKIT_CACHE", str(phantom / "cache"))
        line = "stress both --cohort p/cohort.yaml --seeds 2 --replicates 20 --fractions 0.5"
        pair = "ct:gaussian-noise:sigma=0.1 + pet:poisson-noise:high"
        gone = "ct:missing-modality+pet:missing-modality"
        assert main([*line.split(), "--corruption", pair, "--corruption", gone]) == 0
    content: dict[str, Any] = json.loads((phantom / "both/stress/stress.json").read_text())
    return content


def test_noise_on_ct_and_pet_of_half_of_the_subjects(phantom: Path, joint: dict[str, Any]) -> None:
    """Gaussian noise on CT and Poisson noise on PET, as one row: the same half of the subjects is
    corrupted in both, and each seed's number is the metric of those predictions among clean ones.
    """
    run = Predictions.read(phantom / "cv/predictions.parquet")
    name = "ct.gaussian-noise.sigma=0.1"
    cohort = Cohort.read(phantom / "p/cohort.yaml")
    has = dict(zip(cohort.subjects, cohort.available("pet"), strict=True))
    with_pet = np.array([has[each] for each in run.subject])
    values = []
    for seed in (0, 1):
        (ct,) = tables(phantom, f"{name}.seed-{seed}*")
        (pet,) = tables(phantom, f"pet.poisson-noise*seed-{seed}*")
        (both,) = tables(phantom, f"{name}+pet.poisson-noise.counts=20.0.seed-{seed}*", run="both")
        assert np.array_equal(both.risk_score[~with_pet], ct.risk_score[~with_pet])
        for other in (run, ct, pet):
            assert (both.risk_score != other.risk_score)[with_pet].all()
        half = mixed(run, both, chosen(run, 0.5, seed))
        values.append(evaluate(half, replicates=0).metric(HARRELL).pooled.to_json()["value"])
    found = joint["corruptions"][0]

    assert (found["modality"], found["name"]) == ("ct + pet", "gaussian-noise + poisson-noise")
    assert found["settings"] == {"ct": {"sigma": 0.1}, "pet": {"counts": 20.0}}
    assert found["severity"] == "high"
    assert found["fractions"][0]["seeds"] == values


def test_both_images_gone_is_the_table_alone(phantom: Path, joint: dict[str, Any]) -> None:
    """Taking CT and PET from everybody leaves what the clinical data alone give."""
    (gone,) = tables(phantom, "ct.missing-modality+pet.missing-modality*", run="both")
    (left,) = tables(phantom, "only.clinical.parquet", run="both")

    assert joint["corruptions"][1]["kept"] == 0
    np.testing.assert_allclose(left.risk_score, gone.risk_score, rtol=0, atol=1e-6)


def test_the_report_shows_joint_corruptions(
    phantom: Path, joint: dict[str, Any], stressed: dict[str, Any]
) -> None:
    """The page has a row that names each modality with its corruption; so have the bars, and the
    curves are a picture of their own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(phantom)
        assert main(["report", "both"]) == 0
    page = (phantom / "both/report.html").read_text()
    together = json.loads(json.dumps(stressed))
    again = json.loads(json.dumps(stressed["corruptions"][1]))
    again |= {key: joint["corruptions"][0][key] for key in ("modality", "name", "severity")}
    together["corruptions"].append(again)
    pictures, table = stress_figures(together), stress_table(together)

    assert "ct: gaussian-noise + pet: poisson-noise" in page
    assert len(pictures) == 5
    assert "share of subjects whose ct and pet are corrupted" in pictures[3].alt
    assert "ct: gaussian-noise + pet: poisson-noise (high)" in pictures[4].alt
    assert table.rows[-1][0] == "ct: gaussian-noise + pet: poisson-noise"
    assert pictures[:3] == stress_figures(stressed)[:3]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("stress cv --cohort p/cohort.yaml", "give --overwrite to replace it"),
        ("stress p --cohort p/cohort.yaml", "a stress test needs a finished run of survkit cv"),
        ("stress cv --cohort nowhere.yaml", "nowhere.yaml"),
        ("stress cv --cohort p/cohort.yaml --fractions some", "shares separated by commas"),
        ("stress cv --cohort p/cohort.yaml --device abacus", "--device abacus cannot be used"),
        (
            "stress cv --cohort p/cohort.yaml --corruption ct:missing-columns",
            "missing-columns applies to table, but 'ct' is a volume",
        ),
        (
            "stress cv --cohort p/cohort.yaml --corruption ct:mask-jitter",
            "no mask of 'ct' reaches the model",
        ),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    line: str,
    message: str,
    phantom: Path,
    stressed: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No traceback, and the results that are there stay."""
    monkeypatch.chdir(phantom)
    monkeypatch.setenv("SURVKIT_CACHE", str(phantom / "cache"))

    assert main(line.split()) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1
    assert json.loads((phantom / "cv/stress/stress.json").read_text()) == stressed
