"""Training is exact: by seed, across interruption, and blind to everybody outside its two parts."""

from __future__ import annotations

import csv
import gc
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from survkit.errors import RunError
from survkit.training import resume_point
from survkit.training.resume_point import ResumePoint

SCRIPT = Path(__file__).with_name("tiny_training.py")


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("tiny_training", SCRIPT)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "weights.pt")


def assert_equal_weights(one: Path, two: Path) -> None:
    first, second = weights(one), weights(two)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_weights(tiny: ModuleType, tmp_path: Path) -> None:
    """Bit for bit, whatever was drawn before; another seed gives other weights."""
    tiny.run(tmp_path / "a", epochs=2)
    torch.rand(17)
    tiny.run(tmp_path / "b", epochs=2)
    tiny.run(tmp_path / "c", epochs=2, seed=1)

    assert_equal_weights(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a" / "log.csv").read_bytes() == (tmp_path / "b" / "log.csv").read_bytes()
    changed = weights(tmp_path / "c")["head.linear.weight"]
    assert not torch.equal(weights(tmp_path / "a")["head.linear.weight"], changed)


def test_the_best_validation_epoch_is_taken(tiny: ModuleType, tmp_path: Path) -> None:
    """The weights are those of the epoch whose validation loss is lowest in the log."""
    rate = {"use": "sgd", "lr": 0.5}
    result = tiny.run(tmp_path, epochs=8, monitor="loss", optimizer=rate, gradient_clip=1.0)
    losses = [float(line["validation_loss"]) for line in lines(tmp_path)]

    assert result.best_epoch == losses.index(min(losses))
    assert result.score == pytest.approx(min(losses))


def test_patience_stops_training(tiny: ModuleType, tmp_path: Path) -> None:
    """Training ends once the given number of epochs were not better."""
    rate = {"use": "sgd", "lr": 1e-9}
    result = tiny.run(tmp_path, epochs=50, patience=2, monitor="loss", optimizer=rate)

    assert result.epochs == result.best_epoch + 1 + 2
    again = tiny.run(tmp_path, epochs=50, patience=2, monitor="loss", optimizer=rate, resume=True)
    assert again == result  # a stopped run stays stopped


def test_without_validation_the_last_epoch_is_taken(tiny: ModuleType, tmp_path: Path) -> None:
    """No part is set aside, and the log has no validation numbers."""
    result = tiny.run(tmp_path, epochs=2, validation=0)

    assert (result.best_epoch, result.score) == (1, None)
    assert [line["validation_loss"] for line in lines(tmp_path)] == ["", ""]


def test_checkpoints_take_a_small_share_of_the_time(
    tiny: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch of no time and a checkpoint of one second: only the first and the last are kept; an
    epoch of ten seconds and more has its own.
    """
    clock, written = [0.0], list[int]()
    write, epoch_end = ResumePoint._write, ResumePoint.on_train_epoch_end

    def slow(self: ResumePoint, trainer: Any) -> None:
        written.append(trainer.current_epoch)
        clock[0] += 1.0
        write(self, trainer)

    monkeypatch.setattr(resume_point, "monotonic", lambda: clock[0])
    monkeypatch.setattr(ResumePoint, "_write", slow)
    tiny.run(tmp_path / "short", epochs=5)
    assert written == [0, 4]

    def long(self: ResumePoint, *given: Any) -> None:
        clock[0] += 10.0
        epoch_end(self, *given)

    monkeypatch.setattr(ResumePoint, "on_train_epoch_end", long)
    written.clear()
    tiny.run(tmp_path / "long", epochs=3)
    assert written == [0, 1, 2]


def test_a_finished_training_leaves_no_optimizer_behind(tiny: ModuleType, tmp_path: Path) -> None:
    """Its state is twice the weights, and a search over folds trains many times."""
    gc.disable()  # so that nothing but the training itself cleans up
    try:
        tiny.run(tmp_path, epochs=1)
        kinds = [type(found) for found in gc.get_objects()]
    finally:
        gc.enable()

    assert [kind for kind in kinds if issubclass(kind, torch.optim.Optimizer)] == []


def test_a_loss_that_explodes_is_an_error_with_a_cure(tiny: ModuleType, tmp_path: Path) -> None:
    """Training does not go on with weights that are not numbers."""
    with pytest.raises(RunError, match=r"lower training\.optimizer\.lr"):
        tiny.run(tmp_path, optimizer={"use": "sgd", "lr": 1e30})


@pytest.mark.parametrize("precision", ["bf16-mixed", "64-true"])
def test_precision_is_passed_through(precision: str, tiny: ModuleType, tmp_path: Path) -> None:
    """Mixed and double precision train the same recipe."""
    tiny.run(tmp_path, epochs=1, precision=precision)

    wanted = torch.float64 if precision == "64-true" else torch.float32
    assert weights(tmp_path)["head.linear.weight"].dtype == wanted


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_killed_at_random_moments_it_ends_with_the_same_weights(seed: int, tmp_path: Path) -> None:
    """SIGKILL twelve times, resume each time: weights and log of the uninterrupted run."""
    for name, kills in (("whole", 0), ("killed", 12)):
        subprocess.run(
            [sys.executable, str(SCRIPT), str(tmp_path / name), str(kills), str(seed)],
            check=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # sums depend on the number of threads
            timeout=300,
        )

    assert_equal_weights(tmp_path / "whole", tmp_path / "killed")
    assert lines(tmp_path / "whole") == lines(tmp_path / "killed")


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """Ragged risk sets shared by two ranks train, validate, and end with finite weights and a
    log.
    """
    for name in ("a", "b"):
        subprocess.run(
            [sys.executable, str(SCRIPT.with_name("train_on_two.py")), str(tmp_path / name)],
            check=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            timeout=300,
        )

    assert len(lines(tmp_path / "a")) == 2
    assert all(value.isfinite().all() for value in weights(tmp_path / "a").values())
    assert_equal_weights(tmp_path / "a", tmp_path / "b")
