"""Which weights are taken, which parts stay as they were, and what is written down about it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from survkit.data import Cohort, PreparationCache
from survkit.errors import ConfigError, DataError, RunError
from survkit.hub import FittedModel, from_pretrained
from survkit.registry import Registry
from survkit.training import cross_validate, fit

from .conftest import STILL, recipe


@pytest.fixture
def tune(tmp_path: Path, new: Cohort, registry: Registry) -> Any:
    """Fit on the new cohort from given weights."""

    def run(source: Any = None, *, plan: Any = None, out: str = "tuned", **options: Any) -> Any:
        given = {"progress": False, "registry": registry} | options
        return fit(plan or recipe(), new, tmp_path / out, init_from=source, **given)

    return run


def state(fitted: FittedModel) -> dict[str, Tensor]:
    return fitted.members[0].state_dict()


def source(home: Path, registry: Registry, fold: int = 0) -> dict[str, Tensor]:
    return state(from_pretrained(home / f"run/fold-{fold}", registry=registry))


def test_weights_that_do_not_move_are_the_trained_ones(
    home: Path, tune: Any, registry: Registry
) -> None:
    """Every part is loaded, statistics apart that follow the data; the hash is the source's."""
    fitted = tune(f"{home}/run:fold-0", plan=recipe(training=STILL))

    before, after = source(home, registry), state(fitted)
    for name in before:
        if "running" not in name and "batches" not in name and not name.startswith("head."):
            torch.testing.assert_close(after[name], before[name])
    facts = fitted.description.training["init"]
    config = json.loads((home / "run/fold-0/config.json").read_text())
    assert facts["sha256"] == config["weights_sha256"]
    assert (facts["loaded"], facts["fresh"]) == (["encoders.clinical", "head"], {})
    assert facts["tensors"] == len([name for name in before if not name.startswith("fusion")])


@pytest.mark.parametrize(("monitor", "best"), [("concordance", 1), ("loss", 2)])
def test_the_fold_is_chosen_by_its_validation_part(
    monitor: str, best: int, home: Path, tune: Any, tmp_path: Path
) -> None:
    """The highest concordance or the lowest loss, whatever the test subjects say."""
    shutil.copytree(home / "run", tmp_path / "copied")
    for number, score in enumerate((0.5, 0.9, 0.1)):
        path = tmp_path / f"copied/fold-{number}/training.json"
        facts = json.loads(path.read_text()) | {"score": score, "monitor": monitor}
        path.write_text(json.dumps(facts))
    for name in ("predictions.parquet", "metrics.json"):
        (tmp_path / "copied" / name).unlink()  # test numbers are not even there

    fitted = tune(tmp_path / "copied", plan=recipe(training=STILL))

    assert fitted.description.training["init"]["source"] == f"copied:fold-{best}"


def test_published_weights_are_not_read_where_trained_ones_are(
    home: Path, tune: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encoder that starts from published weights needs none then, and does without it."""
    monkeypatch.setenv("NO_PUBLISHED_WEIGHTS", "1")

    tune(f"{home}/run:fold-0")
    with pytest.raises(DataError, match=r"encoders.clinical: the published weights are not at"):
        tune(f"{home}/run:fold-0", init_parts=["head"], out="head")
    with pytest.raises(DataError, match=r"encoders.clinical: the published weights are not at"):
        tune(out="plain")


def test_what_is_prepared_follows_the_loaded_trunk(
    home: Path, tune: Any, tmp_path: Path, registry: Registry
) -> None:
    """A trunk with other weights prepares other arrays under other names."""
    other = shutil.copytree(home / "run/fold-0", tmp_path / "other")
    changed = from_pretrained(other, registry=registry)
    with torch.no_grad():
        changed.members[0].encoders["clinical"].trunk.weight.fill_(-1.0)  # type: ignore[union-attr]
    from survkit.hub import save_pretrained

    save_pretrained(changed, other, overwrite=True)

    def arrays(source: Any, out: str) -> set[str]:
        folder = tmp_path / f"cache-{out}"
        tune(source, plan=recipe(training=STILL), out=out, cache=PreparationCache(folder))
        return {path.name for path in folder.rglob("*.npy")}

    first, second = arrays(f"{home}/run:fold-0", "a"), arrays(other, "b")
    assert len(first) == len(second) == 42
    assert not first & second
    assert arrays(None, "c") == first  # the run's trunk is the published one


def test_a_frozen_part_keeps_weights_and_statistics(
    home: Path, tune: Any, registry: Registry
) -> None:
    """Its normalisation does not follow the new data; what is not frozen moves."""
    before = source(home, registry)
    frozen = tune(f"{home}/run:fold-0", freeze=["encoders.clinical"])
    moving = tune(f"{home}/run:fold-0", out="moving")

    after, moved = state(frozen), state(moving)
    for name in (name for name in before if name.startswith("encoders.")):
        assert torch.equal(after[name], before[name]), name
    assert not torch.equal(after["head.output.weight"], before["head.output.weight"])
    assert not torch.equal(
        moved["encoders.clinical.norm.running_mean"], before["encoders.clinical.norm.running_mean"]
    )
    assert not torch.equal(
        moved["encoders.clinical.adapter.weight"], before["encoders.clinical.adapter.weight"]
    )
    assert frozen.description.training["init"]["frozen"] == ["encoders.clinical"]


def test_scaling_comes_with_the_weights(
    home: Path, old: Cohort, new: Cohort, tmp_path: Path, registry: Registry
) -> None:
    """The first layer expects inputs as the trained model scaled them."""
    plan = recipe(encoders={"clinical": {"use": "tabular"}}, training=STILL)
    options: dict[str, Any] = {"progress": False, "registry": registry}
    first = fit(plan, old, tmp_path / "first", **options)
    second = fit(plan, new, tmp_path / "second", init_from=tmp_path / "first", **options)
    alone = fit(plan, new, tmp_path / "alone", **options)

    key = next(name for name in state(first) if "mean" in name or "shift" in name)
    assert torch.equal(state(second)[key], state(first)[key])
    assert not torch.equal(state(alone)[key], state(first)[key])


def test_a_part_that_differs_stays_fresh_and_says_why(home: Path, tune: Any) -> None:
    """Another head, another width; and the parts that were not used are listed."""
    fitted = tune(f"{home}/run:fold-0", plan=recipe(head={"use": "weibull"}, objective="weibull"))
    facts = fitted.description.training["init"]
    assert facts["loaded"] == ["encoders.clinical"]
    assert facts["fresh"] == {"head": "it is survkit/cox there, not weibull"}
    assert facts["unused"] == ["head"]

    wider = recipe(encoders={"clinical": {"use": "trunk", "dim": 5}})
    with pytest.raises(
        ConfigError, match=r"nothing of run:fold-0 fits this recipe \(encoders.clin"
    ):
        tune(f"{home}/run:fold-0", plan=wider, out="wider")


def test_another_time_grid_is_another_head(
    home: Path, new: Cohort, old: Cohort, tmp_path: Path, registry: Registry
) -> None:
    """Interval 3 of 20 up to 300 days is not interval 3 of 20 up to 200, whatever the shapes."""
    options: dict[str, Any] = {"progress": False, "registry": registry}
    changes: dict[str, Any] = {"head": {"use": "discrete-hazard"}, "objective": "hazard-likelihood"}
    fit(recipe(training=STILL, **changes), old, tmp_path / "first", **options)
    shorter = recipe(training=STILL, outcome={"horizon": 200}, **changes)

    fitted = fit(shorter, new, tmp_path / "second", init_from=tmp_path / "first", **options)
    reason = fitted.description.training["init"]["fresh"]["head"]
    assert reason == "its time grid is another there (20 intervals up to 300, not 20 up to 200)"
    with pytest.raises(ConfigError, match="init_parts: head cannot start from first: its time gr"):
        fit(shorter, new, tmp_path / "x", init_from=tmp_path / "first", init_parts=["head"],
            **options)  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"init_parts": ["hed"]}, "no part with weights is named 'hed'. Did you mean 'head'"),
        ({"init_parts": ["fusion"]}, "no part with weights is named 'fusion'"),
        ({"freeze": ["encoders.ct"]}, "freeze: 'encoders.ct' is not among the parts that start"),
        ({"init_parts": ["head"], "freeze": ["encoders.clinical"]}, "is not among the parts"),
        ({"freeze": ["encoders.clinical", "head"]}, "nothing in the model is trainable"),
    ],
)
def test_wrong_parts_are_refused_before_training(
    options: dict[str, Any], said: str, home: Path, tune: Any, tmp_path: Path
) -> None:
    """One sentence, and no folder."""
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        tune(f"{home}/run:fold-0", **options)
    assert not (tmp_path / "tuned").exists()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nowhere", "there is no model or run to start from"),
        ("run:fold-9", "no config.json is there"),
        ("old", "neither a model nor a run of survkit cv"),
    ],
)
def test_a_source_that_is_none_is_refused(place: str, said: str, home: Path, tune: Any) -> None:
    """The message says what would do."""
    with pytest.raises(RunError, match=said):
        tune(f"{home}/{place}")


def test_options_without_a_source_and_baselines_are_refused(
    home: Path, tune: Any, new: Cohort, registry: Registry, tmp_path: Path
) -> None:
    """Both would be ignored otherwise."""
    with pytest.raises(ConfigError, match="--freeze needs --init-from"):
        tune(None, freeze=["head"])
    content = {"baseline": {"use": "ridge-cox"}, "inputs": ["clinical"],
               "outcome": {"horizon": 300}}  # fmt: skip
    (tmp_path / "ridge.yaml").write_text(yaml.safe_dump(content))
    from survkit.recipe import Recipe

    with pytest.raises(ConfigError, match="only networks start from trained weights"):
        cross_validate(
            Recipe.read(tmp_path / "ridge.yaml"), new, tmp_path / "out",
            init_from=home / "run", registry=registry,
        )  # fmt: skip


def test_a_resumed_run_ends_with_the_weights_of_the_whole_one(
    home: Path, new: Cohort, tmp_path: Path, registry: Registry
) -> None:
    """The interrupted fold starts from the same weights again; other weights are another run."""

    def run(name: str, **options: Any) -> Any:
        given = {"init_from": home / "run", "folds": 2, "replicates": 0} | options
        return cross_validate(
            recipe(), new, tmp_path / name, progress=False, registry=registry, **given
        )

    whole = run("whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "torn")
    shutil.rmtree(tmp_path / "torn/fold-1")
    again = run("torn", resume=True)

    weights = [tmp_path / name / "fold-1/model.safetensors" for name in ("whole", "torn")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert again.starts == whole.starts
    for options in ({"init_from": f"{home}/run:fold-0"}, {"freeze": ["head"]}, {"init_from": None}):
        if options.get("init_from") and whole.starts["fold-0"]["source"] == "run:fold-0":
            options = {"init_from": f"{home}/run:fold-1"}
        with pytest.raises(RunError, match="the interrupted run had another init"):
            run("torn", resume=True, **options)
