"""survkit audit on runs of survkit: clean ones are silent, bent ones are not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.integration.audit_runs import QUANTILE, audited, cross_validated, only, write_inputs

import survkit
from survkit.cli import main
from survkit.data import Cohort, read_modality
from survkit.evaluation import Predictions
from survkit.hub import FittedModel, from_pretrained, save_pretrained


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort with one finished run in three folds."""
    folder = tmp_path_factory.mktemp("toy")
    write_inputs(folder)
    cross_validated(folder, "cv", "--folds", "3", *(f"--set={one}" for one in QUANTILE))
    cross_validated(folder, "cox", "--folds", "2", "--set", "training.members=2")
    return folder


@pytest.fixture
def copied(toy: Path, tmp_path: Path) -> Path:
    """A copy to bend; the cohort file stays the same, byte for byte."""
    shutil.copytree(toy, tmp_path / "toy")
    return tmp_path / "toy"


@pytest.mark.parametrize("run", ["cv", "cox"])
def test_a_clean_run_is_silent(toy: Path, run: str) -> None:
    """Every rule that can be asked of a run is, the fitting anew and the replay too."""
    found = audited(toy / run)

    assert found.findings == ()
    asked = {"fitted-outside", "replayed-predictions", "reported-numbers", "splits-hash"}
    assert asked <= set(found.checked)


Bend = Callable[[FittedModel, Cohort], FittedModel]


def bent(run: Path, bend: Bend) -> None:
    """Save the first fold's model with something fitted to everybody."""
    fitted = from_pretrained(run / "fold-0")
    save_pretrained(
        bend(fitted, Cohort.read(run.parent / "cohort.yaml")), run / "fold-0", overwrite=True
    )


def with_scaling(modality: str) -> Bend:
    def bend(fitted: FittedModel, cohort: Cohort) -> FittedModel:
        spec = fitted.description.inputs[modality]
        everybody = read_modality(cohort, modality, range(len(cohort)), spec)
        for member in fitted.members:
            member.encoders[modality].fit(everybody)  # type: ignore[operator]
        return fitted

    return bend


@pytest.mark.parametrize("modality", ["clinical", "embedding"])
def test_scaling_fitted_on_everybody_is_proved(copied: Path, modality: str) -> None:
    """Means, powers and principal components of all subjects, in one fold."""
    bent(copied / "cv", with_scaling(modality))

    told = [one for one in audited(copied / "cv").of("error") if one.rule == "fitted-outside"]

    assert [one.message for one in told] == [
        f"the scaling of {modality} was fitted on all subjects, not on the training part alone"
    ]
    assert "from the training part" in told[0].evidence


def test_a_grid_fitted_on_everybody_is_proved(copied: Path) -> None:
    """Quantiles of all events."""
    import dataclasses

    from survkit.time_grid import fit_time_grid

    def bend(fitted: FittedModel, cohort: Cohort) -> FittedModel:
        target = cohort.target(range(len(cohort)))
        grid = fit_time_grid(
            "quantile",
            intervals=5,
            horizon=300.0,
            duration=target.duration,
            observed=target.event > 0,
        )
        outcome = dataclasses.replace(fitted.description.outcome, time_grid=grid)
        description = dataclasses.replace(fitted.description, outcome=outcome)
        return FittedModel(fitted.members, description)

    bent(copied / "cv", bend)

    messages = [one.message for one in audited(copied / "cv").of("error")]
    assert "the time grid was fitted on all subjects, not on the training part alone" in messages


def test_a_baseline_fitted_on_everybody_is_proved(copied: Path) -> None:
    """Breslow's estimate from training and test together."""

    def bend(fitted: FittedModel, cohort: Cohort) -> FittedModel:
        prediction = fitted.predict(cohort)
        for member, each in zip(fitted.members, prediction.members, strict=True):
            member.head.fit_baseline(  # type: ignore[operator]
                each.log_hazard.float(), cohort.target(range(len(cohort)))
            )
        return fitted

    bent(copied / "cox", bend)

    messages = {one.message for one in audited(copied / "cox").of("error")}
    assert any(
        one.startswith("the baseline hazard (network 0) was fitted on all") for one in messages
    )


def test_predictions_of_another_fold_s_model_are_proved(copied: Path) -> None:
    """Everybody in fold 1 is predicted by the model of fold 0, which had trained on most."""
    run, cohort = copied / "cox", Cohort.read(copied / "cohort.yaml")
    table = Predictions.read(run / "predictions.parquet")
    rows = np.flatnonzero(table.fold == 1)
    other = from_pretrained(run / "fold-0").predict(
        cohort, [cohort.subjects.index(name) for name in table.subject[rows]]
    )
    table.risk_score[rows, 0] = other.risk_score(300.0, 1).double().numpy()
    table.write(run / "predictions.parquet")

    told = {one.rule: one for one in audited(run).of("error")}

    assert "120 predictions" in told["replayed-predictions"].message
    assert "the model of fold-0 gives them" in told["replayed-predictions"].evidence


def changed(path: Path, change: Callable[[Any], Any]) -> None:
    """Bend a JSON or YAML file."""
    text = path.read_text()
    load, dump = (
        (json.loads, json.dumps)
        if path.suffix == ".json"
        else (
            yaml.safe_load,
            yaml.safe_dump,
        )
    )
    content = load(text)
    change(content)
    path.write_text(dump(content))


def test_edited_splits_are_found(copied: Path) -> None:
    """One subject was moved from test to training of fold 1 after the fact."""
    changed(
        copied / "cv" / "splits.json",
        lambda c: c["folds"][1]["train"].append(c["folds"][1]["test"].pop()),
    )

    rules = {one.rule for one in audited(copied / "cv").of("error")}

    assert {"splits-hash", "fold-membership", "training-part"} <= rules


def test_edited_metrics_are_found(copied: Path) -> None:
    """A concordance that the predictions do not give."""

    def better(content: Any) -> None:
        one = content["causes"]["cause1" if "cause1" in content["causes"] else "death"]
        one["metrics"]["harrell_concordance_within_folds"]["pooled"]["value"] = 0.8123

    changed(copied / "cv" / "metrics.json", better)

    assert "reported 0.812300" in only(audited(copied / "cv"), "reported-numbers")


def test_models_of_more_subjects_are_found(copied: Path) -> None:
    """training.json says that validation subjects were trained on."""
    path = copied / "cv" / "fold-2" / "training.json"
    changed(path, lambda content: content.update(train_subjects=160))

    assert "fold-2: 160 train subjects" in only(audited(copied / "cv"), "training-part")


def test_a_crop_on_the_mask_is_a_warning(copied: Path) -> None:
    """A new patient has no mask; a mask that decides nothing is a note."""
    run = copied / "cv"
    changed(
        run / "cohort.yaml",
        lambda c: c["modalities"]["clinical"].update(mask="gtv_path", crop="mask"),
    )
    cropped = only(audited(run), "mask-at-inference", "warning")
    changed(run / "cohort.yaml", lambda c: c["modalities"]["clinical"].update(crop="center"))
    declared = audited(run).findings

    assert "cropped" in cropped
    assert [(one.rule, one.severity) for one in declared] == [("mask-at-inference", "note")]


def test_a_changed_cohort_is_not_accused(copied: Path) -> None:
    """What cannot be proved is not asked, and the reason is said."""
    with (copied / "cohort.yaml").open("a") as file:
        file.write("# a comment\n")

    found = audited(copied / "cv")

    assert found.findings == ()
    assert "has changed since" in found.not_checked["fitted-outside"]


def test_the_command_writes_and_returns_what_it_found(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 where nothing was found, 1 with an error, 2 where the input cannot be used."""
    run = copied / "cv"
    clean = main(["audit", str(run), "--cohort", str(copied / "cohort.yaml")])
    printed = capsys.readouterr().out
    written = json.loads((run / "audit.json").read_text())
    changed(run / "splits.json", lambda c: c["folds"][0]["train"].extend(c["folds"][0]["test"][:5]))
    found = main(["audit", str(run), "--json"])
    told = json.loads(capsys.readouterr().out)
    (run / "predictions.parquet").unlink()
    unusable = main(["audit", str(run)])

    assert (clean, found, unusable) == (0, 1, 2)
    assert "0 errors, 0 warnings, 0 notes" in " ".join(printed.split())
    assert written["format"] == 1
    assert written["findings"] == []
    assert "subject-overlap" in {one["rule"] for one in told["findings"]}
    assert "has no predictions.parquet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("subject,duration,risk_score", "event is missing"),
        ("subject,duration,event", "nothing is predicted there"),
        ("subject,duration,event,survival@soon", "must end with @ and a time"),
    ],
)
def test_unusable_tables_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str, told: str
) -> None:
    """Exit code 2, and what was expected."""
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n" + ",".join(["1"] * len(header.split(","))) + "\n")

    code = main(["audit", str(path)])

    assert code == 2
    assert told in capsys.readouterr().err


def test_rules_are_listed_and_chosen_by_name(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every rule says what spares a clean run; an unknown name helps."""
    assert main(["audit", "--rules", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert main(["audit", str(copied / "cv"), "--rule", "splits-hash"]) == 0
    one = capsys.readouterr().out
    unknown = main(["audit", str(copied / "cv"), "--rule", "split-hash"])

    assert len(listed) == len({each["name"] for each in listed}) > 30
    assert all(each["asks"].endswith("?") and each["guard"] for each in listed)
    assert "1 rules asked, 0 not" in one
    assert not (copied / "cv" / "audit.json").exists()
    assert unknown == 2
    assert "Did you mean 'splits-hash'" in capsys.readouterr().err


def test_the_python_function_is_the_command(toy: Path) -> None:
    """``survkit.audit`` gives the same answers and writes nothing."""
    found = survkit.audit(toy / "cox", cohort=toy / "cohort.yaml")

    assert found.clean
    assert found.to_json() == audited(toy / "cox").to_json()
