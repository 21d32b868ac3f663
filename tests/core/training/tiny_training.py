"""A small training that can be started in a process of its own and killed: folder, resume,
epochs.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from collections.abc import Sequence

import torch

from conftest import build_batches, build_model, build_objective
from survkit.flow import Batch, concatenate, select
from survkit.model import SurvivalModel
from survkit.specs import OutcomeSpec
from survkit.training.plan import TrainingPlan
from survkit.training.train import TrainingResult, train
from survkit.training.training_corruptions import TrainingCorruption
from survkit.training.weights_file import write_weights
from survkit.training_config import TrainingConfig


@dataclass
class TensorStore:
    everybody: Batch
    in_memory: bool = True

    def batch(self, rows: Sequence[int]) -> Batch:
        return select(self.everybody, torch.as_tensor(rows))


def run(
    folder: Path,
    *,
    resume: bool = False,
    validation: int = 10,
    model: SurvivalModel | None = None,
    corruptions: Sequence[TrainingCorruption] = (),
    **settings: object,
) -> TrainingResult:
    """Train the noisy network, or a given one, on 40 subjects, the last of them for validation."""
    store = TensorStore(concatenate(build_batches([40], torch.float32)))
    chosen: dict[str, object] = {
        "epochs": 6,
        "micro_batch": 4,
        "risk_set": 12,
        "gradient": "two-pass",
    }
    config = TrainingConfig.model_validate(chosen | {"accelerator": "cpu"} | settings)
    cut = 40 - validation
    plan = TrainingPlan(
        config=config,
        objective=build_objective(),
        outcome=OutcomeSpec(causes=("death",), horizon=1.0, time_grid=(1.0,)),
        store=store,
        train=range(cut),
        train_target=store.batch(range(cut)).target,
        validation=range(cut, 40),
        corruptions=corruptions,
        seed=(config.seed, 0),
    )
    model = build_model(torch.float32) if model is None else model
    folder.mkdir(parents=True, exist_ok=True)
    result = train(model, plan, folder, resume=resume, progress=False)
    write_weights(model, folder / "weights.pt")
    return result


def be_killed(folder: Path, *, kills: int, seed: int) -> None:
    """Train in processes that are killed at random moments, each going on where the last one
    died.
    """
    torch.set_num_threads(1)
    random = Random(seed)
    for attempt in range(kills + 1):
        process = os.fork()
        if process == 0:
            run(folder, resume=attempt > 0)
            os._exit(0)
        if attempt < kills:
            time.sleep(random.uniform(0.05, 1.0))
            os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
    assert status == 0


if __name__ == "__main__":
    be_killed(Path(sys.argv[1]), kills=int(sys.argv[2]), seed=int(sys.argv[3]))
