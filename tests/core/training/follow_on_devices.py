"""Train codes that follow training, under corruptions, on as many processes as asked; started by
test_following.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from following_codes import coded_model
from tiny_training import run

from conftest import build_model
from survkit.corruptions.modality_corruption import build_part
from survkit.plugins import default_registry
from survkit.protocols import Sample
from survkit.specs import InputSpec
from survkit.training.training_corruptions import TrainingCorruption

if __name__ == "__main__":
    noisy = build_model(torch.float64)
    noisy.fusion.drop.p = 0.0
    model = coded_model(noisy.fusion, noisy.head, torch.float64)
    noise = TrainingCorruption(
        part=build_part(default_registry().find("corruption", "column-noise"), "rna", {}),
        probability=0.5,
        readers=("rna",),
        spec=InputSpec(kind="vector", shape=(5,)),
        known=Sample(values=torch.empty(0)),
    )
    settings = {"precision": "64-true", "monitor": "loss", "epochs": 2, "devices": int(sys.argv[2])}
    print(run(Path(sys.argv[1]), model=model, corruptions=[noise], **settings))
