"""Radiographs from the collection's folder to metrics with intervals, by the commands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from survkit.cli import main
from survkit.data import Cohort, Splits
from survkit.evaluation import Predictions
from survkit.plugins import default_registry
from survkit.recipe import Recipe

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "radvit" / "hannover"
COX: dict[str, Any] = {
    "title": "small",
    "encoders": {"cxr": {"use": "test-picture"}},
    "fusion": {"use": "mean", "dim": None},
    "head": {"use": "cox"},
    "outcome": {"horizon": 14, "unit": "days"},
    "objective": "cox",
    "training": {
        "epochs": 2, "micro_batch": 32, "risk_set": "all", "validation": 0, "accelerator": "cpu",
    },
}  # fmt: skip
COMPETING = COX | {
    "head": {"use": "cause-hazard"},
    "outcome": {"horizon": 14, "unit": "days", "grid": {"kind": "uniform", "intervals": 4}},
    "objective": [{"use": "hazard-likelihood"}],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder, in which the encoder of these tests is installed."""
    registry = default_registry.__wrapped__()  # one of our own: nothing stays behind
    target = "tests.integration.picture_encoder:PictureEncoder"
    registry.add("encoder", "test-picture", target, summary="three convolutions")
    monkeypatch.setattr("survkit.plugins.default_registry", lambda: registry)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def collection(folder: Path, patients: int = 24, seed: int = 0) -> Path:
    """Write intensive care of simulated patients: whose picture is brighter stays longer."""
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    rows = []
    for patient in range(patients):
        stay = int(random.integers(4, 25))
        died = patient % 3 == 0
        for number, day in enumerate(sorted(random.choice(stay, random.integers(1, 5), False))):
            noise = random.normal(80 + 4 * stay, 20, (40, 30)).clip(0, 255).astype(np.uint8)
            image = f"i{patient:02d}-{number}"
            Image.fromarray(noise).save(folder / "images" / f"{image}.png")
            rows.append(
                {
                    "patient_id": f"p{patient:02d}", "image_id": image, "sex": "mf"[patient % 2],
                    "modality": "CR", "projection": "ap", "exam_day": day, "icu_in_day": 0,
                    "icu_out_day": stay, "death_day": stay if died else "",
                    "file": f"images/{image}.png",
                }
            )  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "images.csv", index=False)
    return folder


def sized(path: Path, **keys: Any) -> Path:
    """Declare one size for all pictures, and further keys of the outcome."""
    content = yaml.safe_load(path.read_text())
    content["modalities"]["cxr"] |= {"size": [64, 64], "fit": "pad", "range": [0, 255]}
    content["outcome"] |= keys
    path.write_text(yaml.safe_dump(content))
    return path


def run(*words: object) -> None:
    """Run a command that must do its work."""
    assert main([str(word) for word in words]) == 0


def test_competing_events_of_images_grouped_by_patient(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Leaving intensive care alive, and death: both have metrics with intervals over patients, no
    patient is on two sides, and the audit finds no fault.
    """
    source = collection(place / "collection")
    run("ingest", source, "--layout", "hannover-cxr", "--outcome", "landmark", "--out", "cohort")
    cohort = sized(place / "cohort" / "cohort.yaml")
    run("cohort", "check", cohort)
    assert " of 24 patients ('patient_id'), which no fold parts" in capsys.readouterr().out
    (place / "recipe.yaml").write_text(yaml.safe_dump(COMPETING))
    run("cv", "recipe.yaml", "--cohort", cohort, "--out", "run", "--folds", "3", "--quiet",
        "--no-explain", "--replicates", "50")  # fmt: skip

    read = Cohort.read(cohort)
    table = Predictions.read(place / "run" / "predictions.parquet")
    assert (table.subjects, table.groups) == (len(read), 24)
    patient = dict(zip(read.subjects, read.group or (), strict=True))
    for fold in Splits.read(place / "run" / "splits.json", subjects=read.subjects).folds:
        assert not {patient[s] for s in fold.train} & {patient[s] for s in fold.test}
    metrics = json.loads((place / "run" / "metrics.json").read_text())
    assert metrics["settings"]["cluster"] == "group"
    for cause in ("discharge from ICU", "death"):
        pooled = metrics["causes"][cause]["metrics"]["harrell_concordance_within_folds"]["pooled"]
        assert pooled["interval"]["lower"] < pooled["value"] < pooled["interval"]["upper"]
        assert "24 groups" in pooled["method"]
    page = re.sub(r"<[^>]+>", "", (place / "run" / "report.html").read_text())
    assert f"{len(read)} images of 24 patients (patient_id)" in page
    run("audit", "run", "--cohort", cohort)
    audit = json.loads((place / "run" / "audit.json").read_text())
    assert "group-overlap" in audit["checked"]
    assert not [one for one in audit["findings"] if one["severity"] == "error"]


def test_splits_of_images_are_refused_and_found(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A division that knows nothing of patients is refused once they are named; a run that was
    made without them is found out by the audit, given the cohort.
    """
    source = collection(place / "collection")
    run("ingest", source, "--layout", "hannover-cxr", "--outcome", "landmark", "--out", "cohort")
    cohort = sized(place / "cohort" / "cohort.yaml")
    careless = place / "cohort" / "careless.yaml"
    content = yaml.safe_load(cohort.read_text())
    del content["group"]
    careless.write_text(yaml.safe_dump(content))
    run("cohort", "split", careless, "--folds", "3", "--out", "splits.json")
    (place / "recipe.yaml").write_text(yaml.safe_dump(COMPETING))
    words = ["cv", "recipe.yaml", "--splits", "splits.json", "--quiet", "--no-explain"]
    words += ["--replicates", "0", "--out", "run", "--cohort"]

    assert main([*words, str(cohort)]) == 2
    assert re.search(r"the group 'p\d\d' \(patient_id\) is in train", capsys.readouterr().err)
    run(*words, careless)
    assert main(["audit", "run", "--cohort", str(cohort)]) == 1
    audit = json.loads((place / "run" / "audit.json").read_text())
    assert "group-overlap" in {x["rule"] for x in audit["findings"] if x["severity"] == "error"}


def test_the_real_collection_by_patient(shared_data: Path, place: Path) -> None:
    """Intensive care or death after the first image: 14 patients, 6 events, a wide interval."""
    source = shared_data / "covid-cxr-hannover"
    run("ingest", source, "--layout", "hannover-cxr", "--outcome", "composite", "--out", "cohort")
    cohort = sized(place / "cohort" / "cohort.yaml")
    run("cohort", "check", cohort)
    (place / "recipe.yaml").write_text(yaml.safe_dump(COX))
    run("cv", "recipe.yaml", "--cohort", cohort, "--out", "run", "--folds", "3", "--quiet",
        "--no-explain", "--replicates", "100")  # fmt: skip

    metrics = json.loads((place / "run" / "metrics.json").read_text())
    pooled = metrics["causes"]["ICU or death"]["metrics"]["harrell_concordance_within_folds"]
    interval = pooled["pooled"]["interval"]
    assert (pooled["pooled"]["n"], pooled["pooled"]["events"]) == (14, 6)
    assert interval["upper"] - interval["lower"] > 0.3  # nothing can be claimed


def test_the_real_collection_by_image(
    shared_data: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """91 images of 17 patients. Of one alone death can be followed, so competing folds are refused
    in words; discharge, with death counted as censored, has an interval over patients.
    """
    source = shared_data / "covid-cxr-hannover"
    run("ingest", source, "--layout", "hannover-cxr", "--outcome", "landmark", "--out", "cohort")
    cohort = sized(place / "cohort" / "cohort.yaml")
    (place / "recipe.yaml").write_text(yaml.safe_dump(COMPETING))
    words = ["cv", "recipe.yaml", "--cohort", cohort, "--folds", "4", "--quiet", "--no-explain"]
    words += ["--replicates", "100", "--out", "run"]
    assert main([str(word) for word in words]) == 2
    assert "events of 'death' in 1 groups cannot be spread" in capsys.readouterr().err

    sized(cohort, causes={1: "discharge from ICU"}, censor=[2])
    (place / "recipe.yaml").write_text(yaml.safe_dump(COX))
    run(*words)
    metrics = json.loads((place / "run" / "metrics.json").read_text())
    pooled = metrics["causes"]["discharge from ICU"]["metrics"]["harrell_concordance_within_folds"]
    assert (pooled["pooled"]["n"], pooled["pooled"]["events"]) == (91, 42)  # by day 14
    assert "17 groups" in pooled["pooled"]["method"]
    assert pooled["pooled"]["interval"] is not None


def test_the_examples_fit_what_the_ingest_writes(shared_data: Path, place: Path) -> None:
    """Each cohort file reads the folder of its endpoint without an error; recipes parse."""
    from survkit.data.check import check_cohort

    source = shared_data / "covid-cxr-hannover"
    cohorts = {"composite": ["composite"], "landmark": ["landmark", "discharge"]}
    for outcome, names in cohorts.items():
        out = place / outcome
        run("ingest", source, "--layout", "hannover-cxr", "--outcome", outcome, "--out", out)
        for name in names:
            problems = check_cohort(EXAMPLES / f"{name}.yaml", data_folder=out)
            assert [p for p in problems if p.severity == "error"] == []
    for name in ("recipe", "recipe-competing"):
        assert Recipe.read(EXAMPLES / f"{name}.yaml").modalities == ("cxr",)
