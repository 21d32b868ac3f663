"""survkit audit on runs of survkit: clean ones are silent, bent ones are not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import survkit
from survkit.auditing import Audit, Inputs, audit_inputs
from survkit.cli import main
from survkit.data import Cohort, read_modality
from survkit.evaluation import Predictions
from survkit.hub import FittedModel, from_pretrained, save_pretrained

SUBJECTS = 240
COHORT: dict[str, Any] = {
    "name": "toy",
    "table": "patients.csv",
    "subject": "id",
    "site": "hospital",
    "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
    "modalities": {
        "clinical": {"kind": "table", "columns": ["age", "stage", "rare"]},
        "embedding": {"kind": "vector", "file": "embedding.csv"},
    },
}
RECIPE: dict[str, Any] = {
    "title": "small",
    "encoders": {
        "clinical": {"use": "tabular", "dim": 4, "transform": "yeo-johnson"},
        "embedding": {"use": "vector", "components": 3, "dim": 4},
    },
    "head": {"use": "cox"},
    "outcome": {"horizon": 300},
    "objective": ["cox"],
    "training": {"epochs": 2, "micro_batch": 512, "accelerator": "cpu"},
}
QUANTILE = [
    "head=deephit",
    "objective=[{use: deephit-likelihood, weight: 1.0}]",
    "outcome.grid={kind: quantile, intervals: 5}",
]


def write_inputs(folder: Path, causes: int = 1) -> None:
    """Write a cohort whose hazard grows with age, with levels that few subjects have."""
    random = np.random.default_rng(1)
    age = random.normal(60, 8, SUBJECTS).round(3)
    duration = 400 * random.exponential(np.exp(-0.08 * (age - 60)))
    censoring = random.uniform(150, 1200, SUBJECTS)
    names = [f"s{k:03d}" for k in range(SUBJECTS)]
    table = {
        "id": names,
        "hospital": random.choice(list("ABCDEFGH"), SUBJECTS),
        "age": age,
        "stage": random.choice(["I", "II", "III"], SUBJECTS),
        "rare": [f"type{k // 4}" if k < 12 else "usual" for k in range(SUBJECTS)],
        "days": (np.minimum(duration, censoring) + 1).round(2),
        "event": np.where(duration <= censoring, random.integers(1, causes + 1, SUBJECTS), 0),
    }
    pd.DataFrame(table).to_csv(folder / "patients.csv", index=False)
    values = pd.DataFrame(random.normal(size=(SUBJECTS, 6)).round(4), columns=list("uvwxyz"))
    values.insert(0, "id", names)
    values.to_csv(folder / "embedding.csv", index=False)
    named = {code: f"cause{code}" for code in range(1, causes + 1)}
    cohort = COHORT | {"outcome": COHORT["outcome"] | {"causes": named}}
    (folder / "cohort.yaml").write_text(yaml.safe_dump(cohort))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))


def cross_validated(folder: Path, name: str, *more: str) -> Path:
    """Run ``survkit cv`` and return the run."""
    line = ["cv", str(folder / "recipe.yaml"), "--cohort", str(folder / "cohort.yaml")]
    line += ["--out", str(folder / name), "--quiet", "--replicates", "0", *more]
    assert main(line) == 0
    return folder / name


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


def audited(run: Path) -> Audit:
    return audit_inputs(Inputs(predictions=run, cohort=run.parent / "cohort.yaml"))


def only(found: Audit, rule: str, severity: str = "error") -> str:
    """Return message and evidence of the one finding above a note."""
    grave = [one for one in found.findings if one.severity != "note"]
    assert {(one.rule, one.severity) for one in grave} == {(rule, severity)}, grave
    return f"{grave[0].message}: {grave[0].evidence}"


@pytest.mark.parametrize("run", ["cv", "cox"])
def test_a_clean_run_is_silent(toy: Path, run: str) -> None:
    """Every rule that can be asked of a run is, the fitting anew and the replay too."""
    found = audited(toy / run)

    assert found.findings == ()
    asked = {"fitted-outside", "replayed-predictions", "reported-numbers", "splits-hash"}
    assert asked <= set(found.checked)


def test_a_clean_search_with_repeats_is_silent(tmp_path: Path) -> None:
    """Values chosen on the inner validation part, twice."""
    write_inputs(tmp_path)
    recipe = RECIPE | {"search": {"training.optimizer.lr": [0.001, 0.01]}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    more = ("--set", "training.monitor=concordance", "--set", "training.validation=0.25")

    found = audited(cross_validated(tmp_path, "run", "--folds", "2", "--repeats", "2", *more))

    assert found.findings == ()
    assert "same-model" in found.checked


def test_clean_competing_causes_split_by_site_are_silent(tmp_path: Path) -> None:
    """Whole sites are tested, and the audit knows it from the splits."""
    write_inputs(tmp_path, causes=2)
    splits = tmp_path / "splits.json"
    line = ["cohort", "split", str(tmp_path / "cohort.yaml"), "--out", str(splits)]
    assert main([*line, "--folds", "3", "--by-site"]) == 0

    found = audited(cross_validated(tmp_path, "run", "--splits", str(splits)))

    assert found.findings == ()
    assert {"site-overlap", "fitted-outside"} <= set(found.checked)


@pytest.mark.slow
def test_clean_images_are_silent(tmp_path: Path) -> None:
    """Phantoms with images: nothing is read again, everything else is asked."""
    line = ["phantom", "--out", str(tmp_path / "cohort"), "--subjects", "160", "--size", "16"]
    assert main([*line, "--modality", "pet", "--modality", "clinical", "--censored", "0.3"]) == 0
    cohort = tmp_path / "cohort" / "cohort.yaml"
    recipe = ["--set", "encoders={pet: {use: cnn3d, dim: 4}, clinical: {use: tabular}}"]
    line = ["cv", "demo", "--cohort", str(cohort), "--out", str(tmp_path / "run"), "--quiet"]
    cache = ["--cache", str(tmp_path / "cache")]
    line += ["--folds", "3", "--replicates", "0", "--set", "training.epochs=1", *cache]
    assert main([*line, *recipe]) == 0

    found = audit_inputs(Inputs(predictions=tmp_path / "run", cohort=cohort))

    assert found.findings == ()
    assert "fitted-outside" in found.checked


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


@pytest.fixture
def hnscc(shared_data: Path, tmp_path: Path) -> dict[str, Path]:
    """The head and neck cohort: predictions from age, and all columns as features."""
    table = pd.read_csv(shared_data / "hnscc-mdacc" / "clinical.csv")
    random = np.random.default_rng(0)
    predictions = pd.DataFrame(
        {
            "subject": table["patient_id"],
            "duration": table["time_months"],
            "event": table["event"],
            "fold": random.integers(0, 5, len(table)),
            "risk_score": table["age_years"] + random.normal(0, 1, len(table)),
        }
    )
    predictions.to_csv(tmp_path / "predictions.csv", index=False)
    renamed = table.rename(columns={"patient_id": "subject", "site": "tumour_site"})
    dropped = renamed.drop(columns=["time_months", "event", "cr_event"])
    dropped.to_csv(tmp_path / "features.csv", index=False)
    return {"predictions": tmp_path / "predictions.csv", "features": tmp_path / "features.csv"}


def test_the_leaking_columns_of_a_real_cohort_are_found(hnscc: dict[str, Path]) -> None:
    """The README of the data names them; their values betray two of them."""
    found = audit_inputs(Inputs(**hnscc, unit="months"))

    known = {one.message for one in found.of("error")}
    names = next(one for one in found.of("warning") if one.rule == "outcome-names")
    assert known == {
        "cause_of_death knows the outcome",
        "disease_free_interval_months knows the outcome",
    }
    assert names.message.startswith("15 columns")
    for column in ("site_of_recurrence", "loco_regional_control_censor", "post_rt_l3"):
        assert column in names.evidence


def test_the_baseline_columns_of_a_real_cohort_are_not_accused(hnscc: dict[str, Path]) -> None:
    """Of what is known at baseline, no column is named; only the few events are."""
    features = pd.read_csv(hnscc["features"])
    told = survkit.audit(**hnscc)
    leaking = " ".join(one.evidence for one in told.findings if one.rule == "outcome-names")
    baseline = ["subject", "sex", "age_years", "tumour_site", "t", "n", "m", "stage", "hpv_status",
                "smoking_history", "current_smoker", "height_cm", "bw_start_tx_kg",
                "bmi_start_treat_kg_m2", "pre_rt_l3_skeletal_muscle_index_cm2_m2"]  # fmt: skip
    features[baseline].to_csv(hnscc["features"], index=False)

    found = survkit.audit(**hnscc)

    assert "cause_of_death" in leaking
    assert {one.rule for one in found.findings} == {"few-events"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "cohort", "data"),
    [
        ("hancock/recipe", "hancock/cohort", "hancock"),
        ("hancock/competing", "hancock/cohort-competing", "hancock"),
        ("lung1/recipe", "lung1/cohort", "lung1"),
        ("metabric/recipe", "metabric/cohort", "tabular"),
    ],
)
def test_the_examples_are_clean(
    shared_data: Path, tmp_path: Path, recipe: str, cohort: str, data: str
) -> None:
    """Real cohorts with few epochs: nothing is found, everything fitted is fitted anew."""
    examples = Path(__file__).resolve().parents[2] / "examples"
    where = ["--cohort", str(examples / f"{cohort}.yaml"), "--data", str(shared_data / data)]
    line = ["cv", str(examples / f"{recipe}.yaml"), *where, "--out", str(tmp_path / "run")]
    short = ["--set", "training.members=1", "--set", "training.epochs=15", "--replicates", "0"]
    assert main([*line, *short, "--quiet"]) == 0

    found = audit_inputs(
        Inputs(
            predictions=tmp_path / "run",
            cohort=examples / f"{cohort}.yaml",
            data_folder=shared_data / data,
        )
    )

    assert found.findings == ()
    assert {"fitted-outside", "replayed-predictions", "outcome-columns"} <= set(found.checked)
