"""State that follows training is moved once per step, by what the step's subjects left, exactly."""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from survkit.flow import Batch, select
from survkit.model import SurvivalModel
from survkit.objective import Objective
from survkit.protocols import FollowsTraining, TellsHealth
from survkit.training.execution import Execution
from survkit.training.following import followers, move
from survkit.training.gradient_cache import GradientMode, accumulate_gradients
from survkit.training.gradient_choice import choose_gradient
from survkit.training.resume_point import ResumePoint

HERE = Path(__file__).parent


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    """The script that trains."""
    return module("tiny_training")


@pytest.fixture
def coded(model_factory: Callable[..., SurvivalModel]) -> Callable[..., SurvivalModel]:
    """Build a model with codes, and nothing random in any forward."""

    def build(dtype: torch.dtype = torch.float64) -> SurvivalModel:
        noisy = model_factory(dtype)
        noisy.fusion.drop.p = 0.0
        model: SurvivalModel = module("following_codes").coded_model(
            noisy.fusion, noisy.head, dtype
        )
        return model

    return build


def state(model: SurvivalModel) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.named_buffers()}


def step(
    model: SurvivalModel, batches: list[Batch], objective: Objective, mode: GradientMode
) -> dict[str, Tensor]:
    """Take one step, and return all buffers."""
    model.zero_grad()
    accumulate_gradients(model, objective, batches, mode=mode)
    move(followers(model), 7, 0, 0)
    return state(model)


def test_the_fake_offers_what_the_engine_looks_for(coded: Callable[..., SurvivalModel]) -> None:
    """Found at any depth, each once."""
    model = coded()

    assert [type(one).__name__ for one in followers(model)] == ["FollowingCodes"] * 2
    assert all(isinstance(one, FollowsTraining | TellsHealth) for one in followers(model))
    shared = nn.ModuleList([model.encoders["ct"], model.encoders["ct"].codes])
    assert len(followers(shared)) == 1


@pytest.mark.parametrize("sizes", [[12], [4, 4, 4], [5, 5, 2], [1] * 12])
def test_state_is_that_of_one_pass_over_everybody(
    sizes: list[int],
    coded: Callable[..., SurvivalModel],
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """Trainable or frozen part, one graph or two passes, whatever the micro-batches."""
    objective = objective_factory()
    (everybody,) = batches_factory([12])
    cut = [select(everybody, rows) for rows in torch.arange(12).split(sizes)]
    right = step(coded(), [everybody], objective, "one-graph")

    one = step(coded(), cut, objective, "one-graph")
    two = step(coded(), cut, objective, "two-pass")

    for name, value in right.items():
        assert torch.equal(one[name], two[name]), name
        torch.testing.assert_close(one[name], value, rtol=1e-12, atol=1e-12)
    for part in ("ct", "rna"):
        assert two[f"encoders.{part}.codes.seen"].sum() == 12
        assert not two[f"encoders.{part}.codes.count"].any()
        assert not torch.equal(
            two[f"encoders.{part}.codes.codes"], state(coded())[f"encoders.{part}.codes.codes"]
        )


def test_a_part_kept_in_eval_mode_is_left_alone(
    coded: Callable[..., SurvivalModel],
    objective_factory: Callable[..., Objective],
    batches_factory: Callable[..., list[Batch]],
) -> None:
    """A frozen part neither adds anything up nor is moved."""
    model = coded()
    model.encoders["rna"].eval()
    before = state(model)

    after = step(model, batches_factory([4, 4]), objective_factory(penalties=False), "two-pass")

    same = [name for name, value in before.items() if torch.equal(value, after[name])]
    assert {name for name in before if name.startswith("encoders.rna")} <= set(same)
    assert "encoders.ct.codes.codes" not in same


def test_the_choice_of_the_gradient_leaves_no_trace(
    coded: Callable[..., SurvivalModel], batches_factory: Callable[..., list[Batch]]
) -> None:
    """Its trial forward is not counted."""
    model = coded()
    before = state(model)

    choice = choose_gradient(
        model,
        batches_factory([4])[0],
        micro_batches=3,
        penalties=False,
        execution=Execution(),
        limit=10**9,
    )

    assert choice.reason.startswith("3 micro-batches")
    assert all(torch.equal(before[name], value) for name, value in state(model).items())


def test_random_numbers_are_those_of_the_step(coded: Callable[..., SurvivalModel]) -> None:
    """The same after any draws; others in another step; none of a gradient."""
    drifted = []
    for numbers in ((7, 0, 0), (7, 0, 0), (7, 0, 1)):
        torch.rand(len(drifted) + 3)
        model = coded()
        move(followers(model), *numbers)
        drifted.append(model.encoders["ct"].codes.codes)

    assert torch.equal(drifted[0], drifted[1])
    assert not torch.equal(drifted[0], drifted[2])


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(folder / "weights.pt")
    return found


@pytest.mark.parametrize("changed", [{"gradient": "one-graph"}, {"micro_batch": 6}])
def test_training_ends_with_the_same_codes(
    changed: dict[str, Any],
    coded: Callable[..., SurvivalModel],
    tiny: ModuleType,
    tmp_path: Path,
) -> None:
    """Through the whole engine, two epochs with validation."""
    given: dict[str, Any] = {"epochs": 2, "precision": "64-true", "monitor": "loss"}
    tiny.run(tmp_path / "a", model=coded(), **given)
    tiny.run(tmp_path / "b", model=coded(), **(given | changed))

    one, two = weights(tmp_path / "a"), weights(tmp_path / "b")
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-9, atol=1e-9)
    epochs = tiny.run(tmp_path / "c", model=coded(), validation=0, **given).epochs
    assert weights(tmp_path / "c")["encoders.ct.codes.seen"].sum() == 40 * epochs


def test_resumed_is_uninterrupted(
    coded: Callable[..., SurvivalModel],
    tiny: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Weights, codes, log and warnings, when it breaks after the first epoch."""
    whole = tiny.run(tmp_path / "a", model=coded(), epochs=4, validation=0)
    end = ResumePoint.on_train_epoch_end

    def break_off(self: ResumePoint, trainer: Any, given: Any) -> None:
        end(self, trainer, given)
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(ResumePoint, "on_train_epoch_end", break_off)
        with pytest.raises(OSError, match="the disk is gone"):
            tiny.run(tmp_path / "b", model=coded(), epochs=4, validation=0)
    resumed = tiny.run(tmp_path / "b", model=coded(), epochs=4, validation=0, resume=True)

    assert resumed == whole
    one, two = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    assert (tmp_path / "a" / "log.csv").read_bytes() == (tmp_path / "b" / "log.csv").read_bytes()


def test_health_goes_to_the_log_and_warnings_are_kept(
    coded: Callable[..., SurvivalModel],
    tiny: ModuleType,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A column per value; a module is warned of once, and how often it warned is a fact."""
    with caplog.at_level("WARNING", logger="survkit.training"):
        result = tiny.run(tmp_path, model=coded(), epochs=3)

    with (tmp_path / "log.csv").open() as file:
        lines = list(csv.DictReader(file))
    for part in ("ct", "rna"):
        shown = [float(line[f"health/{part}.perplexity"]) for line in lines]
        assert len(shown) == 3
        assert all(1 <= value <= 3 + 1e-5 for value in shown)
        (told,) = [one for one in result.health if one["module"] == part]
        assert told["epochs"] == sum(value < 3 for value in shown)
        assert "codes are in use; choose fewer" in told["warning"]
        assert sum(f"{part}, epoch" in record.getMessage() for record in caplog.records) == 1


def test_without_such_modules_nothing_is_said(tiny: ModuleType, tmp_path: Path) -> None:
    """No column, and no fact."""
    result = tiny.run(tmp_path, epochs=1)

    assert result.health is None
    assert "health" not in (tmp_path / "log.csv").read_text()


@pytest.mark.slow
def test_two_processes_end_with_the_codes_of_one(tmp_path: Path) -> None:
    """What the ranks saw is added up, they draw alike, and health is of them all."""
    for devices in ("1", "2"):
        subprocess.run(
            [sys.executable, str(HERE / "follow_on_devices.py"), str(tmp_path / devices), devices],
            check=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            timeout=300,
        )

    one, two = weights(tmp_path / "1"), weights(tmp_path / "2")
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-8, atol=1e-8)
    texts = [(tmp_path / devices / "log.csv").read_text() for devices in ("1", "2")]
    for line, other in zip(*(csv.DictReader(text.splitlines()) for text in texts), strict=True):
        for column in line:
            assert float(other[column] or 0) == pytest.approx(float(line[column] or 0), rel=1e-7)
