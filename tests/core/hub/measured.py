"""Models with numbers beside them: of a fold, of a whole cross-validation, of another cohort."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from tests.hub_server.small_model import save_small_model

from survkit.evaluation.metric_names import HARRELL, ICI
from survkit.hub.model_files import sha256_of

PART = {
    "subjects": 36,
    "events": {"death": 16},
    "censored": 20,
    "follow_up": {"unit": "days", "method": "reverse Kaplan–Meier", "median": 1.5},
    "sites": 5,
    "groups": None,
    "modalities": {"rna": {"kind": "vector", "present": 33}},
}
TRAINING: dict[str, Any] = {
    "train_subjects": 36, "validation_subjects": 4, "epochs": [20], "best_epoch": [7],
    "seed": [5, 0, 1], "splits_sha256": "ab12", "cohort": "five-hospitals",
    "recipe": {"title": "RNA alone"}, "train_part": PART,
}  # fmt: skip


def estimate(value: float, n: int, events: int, method: str = "m") -> dict[str, Any]:
    interval = {"lower": value - 0.1, "upper": value + 0.1, "level": 0.95}
    return {"value": value, "interval": interval, "method": method, "n": n, "events": events}


def calibrated(shift: float = 0.0) -> dict[str, Any]:
    """Return two groups of 20 subjects and a smooth curve."""
    groups = [
        {"predicted": 0.2, "observed": estimate(0.25 + shift, 20, 5, "Aalen–Johansen")},
        {"predicted": 0.6, "observed": estimate(0.55 + shift, 20, 13, "Aalen–Johansen")},
    ]
    curve = {
        "predicted": [0.1, 0.4, 0.8], "observed": [0.2, 0.4, 0.7], "lower": [0.1, None, 0.6],
        "upper": [0.3, None, 0.8], "method": "spline", "n": 40, "events": 18,
    }  # fmt: skip
    return {"calibration": groups, "calibration_curve": curve}


def evaluation() -> dict[str, Any]:
    """Return a metrics.json of two metrics; the calibration of fold 1 is undefined."""
    harrell = [{"repeat": 0, "fold": fold} | estimate(0.5 + fold / 10, 20, 9) for fold in (0, 1)]
    undefined = {"reason": "fewer than 10 events [site_a]", "n": 20, "events": 9}
    ici = [{"repeat": 0, "fold": 0} | estimate(0.2, 20, 9), {"repeat": 0, "fold": 1} | undefined]
    sites = {"Saint-Secret": estimate(0.9, 2, 1)}
    metrics = {
        HARRELL: {"pooled": estimate(0.625, 40, 18), "folds": harrell, "sites": sites},
        ICI: {"pooled": estimate(0.15, 40, 18), "folds": ici, "sites": sites},
    }
    death = {"events": 20, "events_by_horizon": 18, "metrics": metrics, **calibrated()}
    return {
        "format": 1, "model": "RNA alone", "splits_hash": "ab12", "run_seed": 5,
        "time_unit": "days", "horizon": 2.0, "repeats": 1, "folds": 2, "sites": ["Saint-Secret"],
        "settings": {
            "replicates": 1000, "level": 0.95, "seed": 0, "interval": "bootstrap",
            "cluster": "subject",
        },
        "causes": {"death": death},
    }  # fmt: skip


def cross_validation(run: Path, found: dict[str, Any] | None = None) -> Path:
    """Write a run whose fold 1 is a model; return the run."""
    save_small_model(run / "fold-1", training=TRAINING)
    (run / "splits.json").write_text('{"P-001": 1}')
    (run / "metrics.json").write_text(json.dumps(evaluation() if found is None else found))
    return run


def final_model(folder: Path, by: str, found: dict[str, Any] | None = None) -> Path:
    """Write the one model of a cross-validation of two folds, with its numbers beside."""
    final = {"by": by, "folds": 2, "repeats": 1, "run": "cv", "splits_sha256": "ab12"}
    facts = TRAINING | {"seed": [5], "splits_sha256": None, "final": final}
    save_small_model(folder, training=facts)
    (folder / "metrics.json").write_text(json.dumps(evaluation() if found is None else found))
    return folder


def demonstration(folder: Path) -> Path:
    """Write demonstration weights with what was measured on a fresh cohort."""
    label = {
        "cohort": "phantoms", "seed": 7, "subjects": 60,
        "command": "survkit train-demo-weights core/small --seed 7 --out demo-weights",
    }  # fmt: skip
    save_small_model(folder, training=TRAINING | {"seed": [7], "demonstration": label})
    sha256 = sha256_of(folder / "model.safetensors")
    external = {"cohort": "phantoms", "name": "fresh", "seed": 1000007, "subjects": 40}
    oracle = {"death": {HARRELL: estimate(0.8, 40, 18), ICI: estimate(0.02, 40, 18)}}
    found = evaluation() | {"folds": 1, "oracle": oracle}
    found["external"] = external | {"weights_sha256": sha256}
    (folder / "metrics.json").write_text(json.dumps(found))
    return folder


def front_matter(card: str) -> dict[str, Any]:
    _, head, _ = card.split("---\n", 2)
    return dict(yaml.safe_load(head))


def body(card: str) -> str:
    """Return a card without its last line, which holds the hash of random weights."""
    return card[: card.rindex("<!-- written")]
