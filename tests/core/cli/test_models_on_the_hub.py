"""Which commands take a model by its name on the Hub, and what the others say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.hub_server.loopback import hub, server  # noqa: F401 - fixtures
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import COHORT, contents, save_small_model

from survkit.cli import main

RECIPE = """\
encoders: {rna: {use: vector, dim: 4}}
head: discrete-hazard
outcome: {horizon: 2, unit: days, grid: {kind: uniform, intervals: 2}}
objective: hazard-likelihood
training: {epochs: 1, validation: 0, micro_batch: 8, optimizer: {lr: 1.0e-30, weight_decay: 0}}
"""


@pytest.fixture
def commit(
    tmp_path: Path,
    hub: Hub,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Eight patients, a recipe, and an untrained model for it on the Hub: its commit."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "prepared"))
    lines = [f"p{k},{1 + k / 4},{k % 2},{k},{-k},{k % 3}" for k in range(8)]
    Path("patients.csv").write_text("\n".join(["id,days,event,a,b,c", *lines, ""]))
    Path("cohort.yaml").write_text(COHORT)
    Path("recipe.yaml").write_text(RECIPE)
    hub.create("org/name")
    return hub.commit(
        "org/name", contents(save_small_model(tmp_path / "model", training={"cohort": "old"}))
    )


def test_training_and_preparing_start_from_a_name(
    commit: str,
    hub: Hub,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By its commit, though the branch has gone on; the screen says what nobody can tell."""
    hub.commit("org/name", {"config.json": b"{}"})
    asked = ["--cohort", "cohort.yaml", "--init-from", "org/name", "--init-revision", commit]
    assert main(["prepare", "recipe.yaml", *asked]) == 0
    prepared = capsys.readouterr().out
    given = [*asked, "--out", "tuned", "--freeze", "encoders.rna", "--quiet"]
    assert main(["fit", "recipe.yaml", *given]) == 0
    fitted = capsys.readouterr().out
    assert main(["cv", "recipe.yaml", *asked, "--out", "cv", "--folds", "2"]) == 2
    refused = capsys.readouterr().err

    assert f"with the weights of org/name at {commit[:12]}: encoders.rna" in prepared
    assert f"started from org/name at {commit[:12]} (sha256 " in fitted
    assert "which subjects of the cohort 'old' these weights have seen is not known" in fitted
    assert "--different-subjects: the run then tells that it rests on your word" in refused
    init = json.loads(Path("tuned/run.json").read_text())["init"]
    assert init["hub"] == {"repository": "org/name", "commit": commit, "revision": commit}


@pytest.mark.parametrize(
    ("command", "purpose"),
    [("stress", "a stress test"), ("importance", "feature importance"), ("prune", "pruning")],
)
def test_what_needs_test_subjects_says_so(
    command: str,
    purpose: str,
    commit: str,
    hub: Hub,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of a name and of a folder; nobody is asked."""
    hub.log.clear()
    for model in ("org/name", "model"):
        assert main([command, model, "--cohort", "cohort.yaml"]) == 2
        said = capsys.readouterr().err
        assert f"{purpose} needs a finished run of survkit cv" in said
        assert said.endswith("A model by itself, on the Hub or in a folder, has not\n")
    assert hub.log == []


def test_a_model_is_no_recipe(commit: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is counted before anything is trained is a recipe."""
    assert main(["cost", "model", "--cohort", "cohort.yaml"]) == 2
    assert "model: is a trained model, but a recipe is counted" in capsys.readouterr().err
