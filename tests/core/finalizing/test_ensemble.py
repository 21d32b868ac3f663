"""The ensemble of folds predicts the mean of what the folds' models predict, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from tests.core.finalizing.toy import recipe
from tests.hub_server.small_model import contents, rewrite_config

import survkit
from survkit.cli import main
from survkit.data import Cohort
from survkit.errors import ConfigError, RunError
from survkit.hub import FittedEnsemble, load_model, write_card
from survkit.hub.ensemble_description import EnsembleDescription

TIMES = [40.0, 150.0, 300.0]
FOLDS = ("fold-0-0", "fold-0-1", "fold-1-0", "fold-1-1")


@pytest.fixture(scope="module")
def folder(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ensemble") / "model"
    survkit.finalize(run, made, by="ensemble")
    return made


def test_it_predicts_the_mean_of_the_folds_bit_for_bit(
    run: Path, folder: Path, cohort: Cohort
) -> None:
    """Though folds differ in levels, scalers and time grid."""
    alone = [survkit.from_pretrained(run / name) for name in FOLDS]
    grids = {one.description.outcome.time_grid for one in alone}
    levels = {one.description.inputs["clinical"].columns for one in alone}
    expected = [one.predict(cohort) for one in alone]
    incidence = torch.stack([one.cumulative_incidence(TIMES) for one in expected])

    found = survkit.from_pretrained(folder).predict(cohort)

    assert len(grids) > 1
    assert len(levels) > 1
    assert not torch.equal(incidence[0], incidence[1])
    assert torch.equal(found.cumulative_incidence(TIMES), incidence.mean(0))
    survival = torch.stack([one.survival(TIMES) for one in expected])
    assert torch.equal(found.survival(TIMES), survival.mean(0))
    assert torch.equal(found.risk_score(300.0), incidence.mean(0)[:, 0, 2])


def test_the_folder_holds_the_model_and_nobody(run: Path, folder: Path) -> None:
    """Three files; the metrics are those of the run; no subject is named in any of them."""
    files = contents(folder)

    assert {*files} == {"config.json", "model.safetensors", "metrics.json"}
    assert not any(path.is_dir() for path in folder.iterdir())
    assert files["metrics.json"] == (run / "metrics.json").read_bytes()
    assert not any(re.search(rb"patient-\d", content) for content in files.values())


def test_it_says_what_it_is_made_of(run: Path, folder: Path) -> None:
    """The run and its folds; numbers of trainings are listed, what all agree on is told once."""
    description = survkit.from_pretrained(folder).description
    facts = description.training

    assert facts["final"] == {
        "by": "ensemble", "folds": 2, "repeats": 2, "run": "cv",
        "splits_sha256": json.loads((run / "splits.json").read_text())["sha256"],
    }  # fmt: skip
    assert description.members == len(facts["epochs"]) == len(facts["best_epoch"]) == 4
    assert len(facts["train_subjects"]) == 4
    assert facts["cohort"] == "toy"
    assert facts["seed"] == [0]
    assert facts["recipe"]["title"] == "toy"


def test_saved_again_it_is_the_same(folder: Path, cohort: Cohort, tmp_path: Path) -> None:
    """By the model's own method: equal bytes, so equal curves; a model there is not replaced."""
    fitted = survkit.from_pretrained(folder)
    fitted.save_pretrained(tmp_path / "again")
    again = survkit.from_pretrained(tmp_path / "again")

    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
    one, two = (each.predict(cohort).survival(TIMES) for each in (fitted, again))
    assert torch.equal(one, two)
    with pytest.raises(RunError, match="a model is there already"):
        fitted.save_pretrained(tmp_path / "again")


def test_models_of_other_settings_are_one_ensemble(cohort: Cohort, tmp_path: Path) -> None:
    """What a search chose may differ from fold to fold, as long as the components are the same; a
    model that averages its own networks counts as one.
    """
    models = []
    for dim in (3, 5):
        members = f"training.members={dim // 2}"
        settings = recipe(f"encoders.clinical.dim={dim}", "training.epochs=1", members)
        fitted = survkit.fit(settings, cohort, tmp_path / str(dim), progress=False)
        models.append(fitted)
    described = tuple(one.description for one in models)
    whole = FittedEnsemble(tuple(models), EnsembleDescription(models=described, training={}))
    loaded = survkit.from_pretrained(whole.save_pretrained(tmp_path / "whole"))

    found = loaded.predict(cohort).survival(TIMES)
    expected = torch.stack([one.predict(cohort).survival(TIMES) for one in models]).mean(0)
    assert torch.equal(found, expected)


def test_other_components_are_no_ensemble(run: Path, cohort: Cohort, tmp_path: Path) -> None:
    """Folds that chose another head have no common table of parts: it is said, with the cure."""
    bent = tmp_path / "cv"
    shutil.copytree(run, bent)
    changes = ("head=discrete-hazard", "objective=hazard-likelihood", "training.epochs=1")
    survkit.fit(recipe(*changes), cohort, tmp_path / "other", progress=False)
    facts = json.loads((bent / "fold-1-0/config.json").read_text())["training"]
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(tmp_path / "other" / name, bent / "fold-1-0" / name)
    rewrite_config(bent / "fold-1-0", lambda config: config.update(training=facts))

    said = r"fold-0-0 and fold-1-0 differ in head \(survkit/deephit or .*make one with --by refit"
    with pytest.raises(RunError, match=said):
        survkit.finalize(bent, tmp_path / "model", by="ensemble")
    assert not (tmp_path / "model").exists()


def test_a_model_of_another_fold_is_noticed(run: Path, tmp_path: Path) -> None:
    """A folder that somebody copied over another one."""
    bent = tmp_path / "cv"
    shutil.copytree(run, bent)
    shutil.rmtree(bent / "fold-0-1")
    shutil.copytree(bent / "fold-0-0", bent / "fold-0-1")

    with pytest.raises(RunError, match="fold-0-1: holds a model of another run or fold"):
        survkit.finalize(bent, tmp_path / "model", by="ensemble")


@pytest.mark.parametrize(
    "missing", ["metrics.json", "splits.json", "fold-1-1/config.json", "fold-0-0/training.json"]
)
def test_an_unfinished_run_is_refused(missing: str, run: Path, tmp_path: Path) -> None:
    """Whatever is not there yet is named, with how to go on."""
    bent = tmp_path / "cv"
    shutil.copytree(run, bent)
    (bent / missing).unlink()

    with pytest.raises(RunError, match=f"has not finished: no {missing} is there.* --resume"):
        survkit.finalize(bent, tmp_path / "model", by="ensemble")


def test_only_a_cross_validation_of_networks_has_one(
    run: Path, folder: Path, tmp_path: Path
) -> None:
    """Not a model, not a folder of something else, not a run of a baseline, not metrics of another
    run.
    """
    bent = tmp_path / "cv"
    shutil.copytree(run, bent)
    with pytest.raises(RunError, match="holds one model already"):
        survkit.finalize(folder, tmp_path / "model", by="ensemble")
    with pytest.raises(RunError, match="is no run of survkit cv"):
        survkit.finalize(tmp_path, tmp_path / "model", by="ensemble")
    rewrite_json(bent / "metrics.json", splits_hash="0" * 64)
    with pytest.raises(RunError, match="the files are of different runs"):
        survkit.finalize(bent, tmp_path / "model", by="ensemble")
    rewrite_json(bent / "run.json", command="fit")
    with pytest.raises(RunError, match="no run of survkit cv but of survkit fit"):
        survkit.finalize(bent, tmp_path / "model", by="ensemble")
    rewrite_json(bent / "run.json", command="cv")
    (bent / "recipe.yaml").write_text(
        "baseline: {use: coxnet}\ninputs: [clinical]\noutcome: {horizon: 300}\n"
    )
    with pytest.raises(RunError, match=r"of the baseline 'coxnet', .* never stored"):
        survkit.finalize(bent, tmp_path / "model", by="ensemble")


def rewrite_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_nothing_is_overwritten_unasked(run: Path, folder: Path, tmp_path: Path) -> None:
    """A model made so before is replaced on request, with a card that nobody edited; a fold of the
    run, what somebody wrote and other things never.
    """
    place = tmp_path / "model"
    shutil.copytree(folder, place)
    card = write_card(place, "org/name")

    with pytest.raises(RunError, match="give --overwrite"):
        survkit.finalize(run, place, by="ensemble")
    survkit.finalize(run, place, by="ensemble", overwrite=True)
    assert contents(place) == contents(folder)
    card.write_text("what somebody wrote")
    with pytest.raises(RunError, match=r"'README\.md' is no part .* would be lost"):
        survkit.finalize(run, place, by="ensemble", overwrite=True)
    card.unlink()
    survkit.finalize(run, place, by="ensemble", overwrite=True)
    assert contents(place) == contents(folder)
    with pytest.raises(RunError, match="is no part of the model there and would be lost"):
        survkit.finalize(run, run / "fold-0-0", by="ensemble", overwrite=True)
    fold = load_model(run / "fold-0-0").save_pretrained(tmp_path / "fold")
    with pytest.raises(RunError, match="did not make, so it is not overwritten"):
        survkit.finalize(run, fold, by="ensemble", overwrite=True)
    with pytest.raises(RunError, match="holds no model of survkit"):
        survkit.finalize(run, run, by="ensemble", overwrite=True)


def test_what_belongs_to_a_refit_is_refused(run: Path, cohort: Cohort, tmp_path: Path) -> None:
    """An ensemble trains nothing, so nothing of a training can be asked."""
    with pytest.raises(ConfigError, match="leave out --cohort"):
        survkit.finalize(run, tmp_path / "model", by="ensemble", cohort=cohort)
    with pytest.raises(ConfigError, match="leave out --resume"):
        survkit.finalize(run, tmp_path / "model", by="ensemble", resume=True)
    with pytest.raises(ConfigError, match="by 'refit' or by 'ensemble', not by 'vote'"):
        survkit.finalize(run, tmp_path / "model", by="vote")  # type: ignore[arg-type]


def test_what_needs_one_network_refuses_an_ensemble(
    folder: Path, cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line and exit code 2 from every command that looks inside or predicts folds again."""
    file = tmp_path / "recipe.yaml"
    file.write_text(recipe().to_yaml())
    source = ["--cohort", cohort.source]
    for words, said in (
        (["explain", str(folder), *source, "--out", str(tmp_path / "e")], "is an ensemble"),
        (["fit", str(file), *source, "--init-from", str(folder), "--out", str(tmp_path / "f")],
         "is an ensemble"),
        (["stress", str(folder), *source], "needs a finished run of survkit cv"),
        (["importance", str(folder), *source], "needs a finished run of survkit cv"),
        (["prune", str(folder), *source], "needs a finished run of survkit cv"),
    ):  # fmt: skip
        assert main(words) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    assert not (tmp_path / "f").exists()
