"""Weights trained on phantoms: labelled for good, tested on what nothing has seen, made alike."""

from __future__ import annotations

import json
import logging
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.hub_server.loopback import OF_THE_CLIENT, hub, server  # noqa: F401 - fixtures
from tests.hub_server.repositories import Hub
from tests.hub_server.small_model import save_small_model

import survkit
from survkit.cli import main
from survkit.data import Cohort
from survkit.demonstration import Demonstration, DemonstrationPlan, train_demonstrations
from survkit.demonstration.fresh_cohort import fresh_seed
from survkit.errors import ConfigError, RunError
from survkit.flow import SurvivalTarget
from survkit.hub.demonstration_label import LABEL, NOTE
from survkit.hub.model_files import sha256_of
from survkit.metrics.estimate import Estimate
from survkit.metrics.harrell import harrell_concordance
from survkit.phantom import Phantom, generate_phantom, write_cohort
from survkit.plugins import default_registry

SEED = 3
HARRELL = "harrell_concordance_within_folds"
CAUSE = "cancer_death"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the core's demonstration, at the size for tests."""
    out = tmp_path_factory.mktemp("demonstration") / "weights"
    line = ["train-demo-weights", "demo", "--quick", "--seed", str(SEED), "--out", str(out)]
    assert main(line) == 0
    return out / "demo"


def phantom(subjects: int, seed: int) -> Phantom:
    """Draw a cohort of the demonstration from what the weights say of themselves."""
    demonstration = Demonstration.read("demo", default_registry())
    return generate_phantom(demonstration.phantom_config(subjects, seed=seed))


def read(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def up_to(target: SurvivalTarget, horizon: float) -> SurvivalTarget:
    """Return the target of a follow-up that ends at the horizon."""
    seen = target.duration <= horizon
    return SurvivalTarget(target.duration.clamp(max=horizon), target.event * seen)


def test_the_label_is_in_the_configuration(made: Path) -> None:
    """With the command that makes the same weights; nothing else of the training lies beside."""
    label = read(made / "config.json")["training"][LABEL]

    assert label == {
        "cohort": "phantoms",
        "seed": SEED,
        "subjects": 60,
        "command": f"survkit train-demo-weights demo --seed {SEED} --quick --out demo-weights",
    }
    assert {path.name for path in made.iterdir()} == {
        "config.json", "model.safetensors", "metrics.json",
    }  # fmt: skip


def test_the_fresh_cohort_is_another_one(made: Path) -> None:
    """Other subjects with other outcomes, images and scanners; the metrics are of it alone."""
    facts, label = read(made / "metrics.json"), read(made / "config.json")["training"][LABEL]
    external = facts["external"]
    known = phantom(label["subjects"], label["seed"])
    fresh = phantom(external["subjects"], external["seed"])

    assert external["seed"] == fresh_seed(SEED) != label["seed"]
    assert external["weights_sha256"] == sha256_of(made / "model.safetensors")
    assert facts["subjects"] == external["subjects"] == len(fresh)
    for name in ("duration", "event_time"):
        values = getattr(known.outcome, name), getattr(fresh.outcome, name)
        assert np.intersect1d(*values).size == (name == "duration")  # of the end of follow-up
    assert np.intersect1d(known.factors.volume, fresh.factors.volume).size == 0
    first, other = known.images(0), fresh.images(0)
    assert not np.array_equal(first.lesion, other.lesion)


def test_the_metrics_are_those_of_the_weights(made: Path, tmp_path: Path) -> None:
    """Whoever draws the cohort anew from what is recorded finds the same two concordances."""
    facts = read(made / "metrics.json")
    fresh = phantom(facts["external"]["subjects"], facts["external"]["seed"])
    cohort = Cohort.read(write_cohort(fresh, tmp_path / "fresh"))
    risk = survkit.from_pretrained(made).predict(cohort).risk_score(facts["horizon"], 1).double()
    target = up_to(fresh.target, facts["horizon"])
    truth = torch.tensor(fresh.log_hazard[:, 0])

    stated = facts["causes"][CAUSE]["metrics"][HARRELL]["pooled"]
    for score, result in ((risk, stated), (truth, facts["oracle"][CAUSE][HARRELL])):
        found = harrell_concordance(score, target)
        assert isinstance(found, Estimate)
        assert result["value"] == pytest.approx(found.value, abs=1e-12)
        assert result["interval"]["lower"] < found.value < result["interval"]["upper"]
    brier = facts["causes"][CAUSE]["metrics"]["brier_score"]["pooled"]
    assert brier["value"] is not None, "the censoring is that of the training subjects"


@pytest.mark.filterwarnings(OF_THE_CLIENT)
def test_the_same_weights_are_pushed_and_stay_labelled(
    made: Path,
    tmp_path: Path,
    hub: Hub,  # noqa: F811 - the fixture
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Made anew they are equal bit for bit; pulled, they say what they are before they predict."""
    out, pulled = tmp_path / "again", tmp_path / "pulled"
    line = ["train-demo-weights", "demo", "--quick", "--seed", str(SEED), "--out", str(out)]
    assert main([*line, "--push", "org"]) == 0
    printed = capsys.readouterr().out
    (commit,) = hub.repositories["org/survkit-demo-demo"].branches.values()
    for name in ("config.json", "model.safetensors", "metrics.json"):
        assert (out / "demo" / name).read_bytes() == (made / name).read_bytes(), name
    assert f"org/survkit-demo-demo at {commit[:12]}" in printed
    assert NOTE in printed
    assert hub.repositories["org/survkit-demo-demo"].private

    assert main(["pull", "org/survkit-demo-demo", "--to", str(pulled)]) == 0
    assert read(pulled / "config.json")["training"][LABEL]["cohort"] == "phantoms"
    cohort = write_cohort(phantom(10, 8), tmp_path / "cohort")
    caplog.clear()
    assert main(["predict", str(pulled), "--cohort", str(cohort)]) == 0
    assert [record.message for record in caplog.records] == [f"{pulled}: {NOTE}"]
    assert caplog.records[0].levelno == logging.WARNING  # shown on stderr without any settings


def test_other_models_have_no_note(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said of a model that is none of these."""
    survkit.from_pretrained(save_small_model(tmp_path / "model"))

    assert caplog.records == []


def test_nothing_is_replaced_unasked(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies there stays: a demonstration without a word, anything else also with one."""
    module = import_module("survkit.demonstration.train_demonstrations")
    monkeypatch.setattr(module, "generate_phantom", None)  # nothing may begin
    before = {path: path.read_bytes() for path in made.iterdir()}
    (tmp_path / "text" / "demo").mkdir(parents=True)
    (tmp_path / "text" / "demo" / "notes.txt").write_text("mine")
    save_small_model(tmp_path / "model" / "demo")

    with pytest.raises(RunError, match="give --overwrite"):
        train_demonstrations(made.parent, DemonstrationPlan(recipes=("demo",)))
    with pytest.raises(RunError, match="holds no model of survkit"):
        train_demonstrations(
            tmp_path / "text", DemonstrationPlan(recipes=("demo",), overwrite=True)
        )
    with pytest.raises(RunError, match="holds a model that is no demonstration"):
        train_demonstrations(
            tmp_path / "model", DemonstrationPlan(recipes=("demo",), overwrite=True)
        )
    assert {path: path.read_bytes() for path in made.iterdir()} == before


def test_a_failure_leaves_what_was_there(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither half a folder, nor the older weights gone."""
    module = import_module("survkit.demonstration.train_demonstrations")

    def failing(*_: object, **__: object) -> None:
        raise RunError("diverged")

    monkeypatch.setattr(module, "fit", failing)
    before = {path: path.read_bytes() for path in made.iterdir()}
    plan = DemonstrationPlan(recipes=("demo",), quick=True, overwrite=True)
    for out in (made.parent, tmp_path / "new"):
        with pytest.raises(RunError, match="diverged"):
            train_demonstrations(out, plan)

    assert {path: path.read_bytes() for path in made.iterdir()} == before
    assert [path.name for path in made.parent.iterdir()] == ["demo"]
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dmeo"], "no demonstration is named 'dmeo'. Did you mean 'demo'"),
        (["demo", "--push", "not/one"], "not/one"),
        (["demo", "--public"], "say where to push"),
        (["demo", "--jobs", "0"], "1 or more, or -1"),
    ],
)
def test_wrong_words_are_told(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything is drawn."""
    assert main(["train-demo-weights", *words, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_a_token_nothing_is_trained_in_vain(
    tmp_path: Path,
    hub: Hub,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the Hub would refuse after minutes of training is told before it."""
    monkeypatch.delenv("HF_TOKEN")
    out = tmp_path / "out"
    assert main(["train-demo-weights", "demo", "--push", "org", "--out", str(out)]) == 2
    assert "make a token with the right to write" in capsys.readouterr().err
    assert not out.exists()


def test_a_negative_seed_is_refused() -> None:
    """As everywhere."""
    with pytest.raises(ConfigError, match="0 or larger, not -1"):
        DemonstrationPlan(seed=-1)
