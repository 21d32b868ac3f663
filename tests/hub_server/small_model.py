"""A small untrained model in a folder, and a way to bend it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file, save

from survkit.build import Part, Parts, build_model
from survkit.flow import ModalityInput
from survkit.hub import FittedEnsemble, FittedModel, load_model, save_pretrained
from survkit.hub.description import ModelDescription, Provider
from survkit.hub.ensemble_description import EnsembleDescription
from survkit.plugins import API_VERSION, default_registry
from survkit.specs import InputSpec, OutcomeSpec

COHORT = """\
name: small
table: patients.csv
subject: id
outcome: {duration: days, unit: days, event: event, causes: {1: death}}
modalities:
  rna: {kind: vector, columns: [a, b, c]}
"""
"""A cohort file for these models."""


def save_small_model(
    folder: Path, seed: int = 0, *, mixed: bool = False, training: Mapping[str, Any] | None = None
) -> Path:
    """Save an untrained vector model; if ``mixed``, with a precision of its own in one part."""
    parts = Parts(
        encoders={"rna": Part("encoder", "survkit/vector", {"dim": 4})},
        fusion=Part("fusion", "survkit/concat", {}),
        head=Part("head", "survkit/discrete-hazard", {}),
    )
    inputs = {"rna": InputSpec(kind="vector", shape=(3,))}
    outcome = OutcomeSpec(causes=("death",), horizon=2.0, time_grid=(1.0, 2.0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, named = build_model(parts, inputs, outcome, default_registry())
        vectors = ModalityInput(torch.randn(8, 3), torch.ones(8, dtype=torch.bool))
    cast(Any, model.encoders["rna"]).fit(vectors)
    if mixed:
        model.encoders["rna"].double()
    description = ModelDescription(
        parts=named,
        providers={part.name: Provider("survkit-core", "0") for _, part in named},
        outcome=outcome,
        inputs=inputs,
        preparation={},
        members=1,
        training=training or {},
        api_version=API_VERSION,
    )
    return save_pretrained(FittedModel((model,), description), folder)


def save_small_ensemble(folder: Path) -> Path:
    """Save three untrained vector models as one."""
    beside = folder.parent / f"{folder.name}-models"
    models = tuple(load_model(save_small_model(beside / str(seed), seed)) for seed in range(3))
    described = tuple(one.description for one in models)
    ensemble = EnsembleDescription(models=described, training={"final": {"by": "ensemble"}})
    return save_pretrained(FittedEnsemble(models, ensemble), folder)


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    """Change the weights as somebody who also corrects the hash would."""
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    rewrite_weights(folder, save(tensors))


def rewrite_weights(folder: Path, content: bytes) -> None:
    """Put other bytes in the place of the weights, and their hash into the configuration."""
    (folder / "model.safetensors").write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    rewrite_config(folder, lambda config: config.update(weights_sha256=sha256))


def rewrite_config(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the configuration."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
