"""How good weights are on a phantom cohort that nothing has seen: external validation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.data import Cohort, Fold
from survkit.demo.oracle import evaluate_oracle
from survkit.evaluation import Evaluation, evaluate
from survkit.flow import SurvivalTarget
from survkit.hub import FittedModel
from survkit.phantom import Phantom
from survkit.recipe import Recipe
from survkit.training.fold_predictions import as_table

SEED_DISTANCE = 1_000_000
"""Between the seeds of the two cohorts. All streams of a phantom follow from its seed, so the fresh
cohort has other subjects, and other scanners too."""


def fresh_seed(seed: int) -> int:
    """Return the seed of the cohort that weights of a seed are tested on."""
    return seed + SEED_DISTANCE


def evaluate_fresh(
    fitted: FittedModel,
    recipe: Recipe,
    cohort: Cohort,
    phantom: Phantom,
    *,
    training: SurvivalTarget,
    replicates: int,
) -> tuple[Evaluation, Evaluation]:
    """Return the metrics of the weights on a fresh cohort, and those of the truth beside them.

    Args:
        fitted: The weights.
        recipe: What they were trained by.
        cohort: The fresh one.
        phantom: The truth of it.
        training: What was observed of the training cohort, from whom the censoring is estimated.
        replicates: Bootstrap resamples of the intervals.
    """
    everybody = list(range(len(cohort)))
    prediction = fitted.predict(cohort, micro_batch=recipe.training.micro_batch)
    fold = Fold(0, 0, (), (), cohort.subjects)
    splits = str(fitted.description.training["splits_sha256"])
    table = as_table(prediction, recipe, cohort, fold, everybody, splits)
    found = evaluate(table, training=training, replicates=replicates)
    return found, evaluate_oracle(phantom, table, training=training, replicates=replicates)


def write_metrics(
    folder: Path, weights: Evaluation, oracle: Evaluation, external: Mapping[str, Any]
) -> Path:
    """Write ``metrics.json`` beside a model: its numbers, and those of the oracle.

    The file has the form of every evaluation, and two more keys: ``external`` says which cohort
    the numbers are of, and ``oracle`` has the pooled results of the truth by cause and metric.

    Args:
        folder: Of the model.
        weights: Metrics of the model.
        oracle: Metrics of the truth.
        external: Facts of the fresh cohort.
    """
    truth = {
        cause: {name: metric.pooled.to_json() for name, metric in result.metrics.items()}
        for cause, result in oracle.causes.items()
    }
    content = {**weights.to_json(), "external": dict(external), "oracle": truth}
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return write_bytes(folder / "metrics.json", text.encode())
