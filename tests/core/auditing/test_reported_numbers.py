"""Reported numbers that are the best of many, wrongly weighted, turned or undefined are found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.core.auditing.accusation import harrell, only, target

from survkit.errors import DataError
from survkit.metrics import brier_score, uno_concordance


def test_the_best_fold_instead_of_the_mean_is_found(study: Any) -> None:
    """The folds' own values are computed from the table."""
    study.metrics = {"c_index": round(max(harrell(f) for _, f in study.table.groupby("fold")), 4)}

    found = only(study.audit(), "best-of-many")

    assert "best of 5 folds" in found.message


@pytest.mark.parametrize("dimension", ["seed", "epoch", "fold"])
def test_the_best_of_reported_values_is_found(study: Any, dimension: str) -> None:
    """Three reported values and a headline that is their largest."""
    study.metrics = {"auc_concordance": {"value": 0.74, f"{dimension}s": [0.66, 0.74, 0.69, 0.68]}}
    found = study.audit()

    errors = {one.rule: one for one in found.of("error")}
    assert set(errors) == {"best-of-many"}
    assert "best 0.7400, mean 0.6925" in errors["best-of-many"].evidence


def test_the_mean_of_folds_is_not_accused(study: Any) -> None:
    """Nor is the pooled value, nor a best that is also the last epoch."""
    values = [round(harrell(fold), 3) for _, fold in study.table.groupby("fold")]
    study.metrics = {"harrell": {"value": round(float(np.mean(values)), 3), "folds": values}}
    first = study.audit()
    study.metrics = {"antolini": {"value": 0.7, "epochs": [0.6, 0.65, 0.7]}}

    assert (first.findings, study.audit().findings) == ((), ())


def reported(study: Any, metric: str, weighting: str) -> float:
    """Compute a metric of every fold with right or wrong weights, and average."""
    values = []
    for fold in study.splits:
        test = study.table[study.table["subject"].isin(fold.test)]
        rest = study.table[study.table["subject"].isin(fold.train)]
        trained = target(test if weighting == "test" else rest)
        if weighting == "events":
            trained = replace(trained, event=1 - trained.event)
        if metric == "uno":
            score = torch.from_numpy(test["risk_score"].to_numpy())
            values.append(uno_concordance(score, target(test), trained, tau=500.0).value)
        else:
            survival = torch.from_numpy(test[["survival@300"]].to_numpy().copy())
            values.append(brier_score(survival, [300.0], target(test), trained)[0].value)
    return float(np.mean(values))


@pytest.mark.parametrize("metric", ["uno", "brier@300"])
@pytest.mark.parametrize(
    ("weighting", "severity"), [("events", "error"), ("test", "warning"), ("training", None)]
)
def test_wrong_weights_for_censoring_are_found(
    study: Any, metric: str, weighting: str, severity: str | None
) -> None:
    """Censoring fitted to events (Sybil) or on the test part; the right way is not accused."""
    study.metrics = {metric: round(reported(study, metric.partition("@")[0], weighting), 6)}
    found = study.audit()

    if severity is None:
        assert found.findings == ()
    else:
        only(found, "wrong-ipcw", severity)
    assert "wrong-ipcw" in found.checked


def test_one_minus_the_concordance_is_found(study: Any) -> None:
    """The reported value belongs to the turned score."""
    study.metrics = {"cindex": round(1 - harrell(study.table), 5)}

    assert "reversed risk score" in only(study.audit(), "reported-numbers").message


def test_zero_for_an_undefined_metric_is_found(study: Any) -> None:
    """A perfect Brier score, and a concordance that the table contradicts."""
    study.metrics = {"ibs": 0.0, "c_index": {"value": round(harrell(study.table), 5)}}
    first = only(study.audit(), "undefined-as-number")
    study.metrics = {"c_index": {"value": round(harrell(study.table), 5), "folds": [0.5, 0.68]}}
    second = only(study.audit(), "undefined-as-number")

    assert "perfect forecast" in first.evidence
    assert second.message.endswith("exactly 0.5 (fold 0)")


def test_a_reported_number_that_is_none_is_refused(study: Any) -> None:
    """The file is named with the row, the metric and what stands there."""
    metrics = study.folder / "reported.csv"
    metrics.write_text("metric,value\nuno,0.7\nharrell,abc\n")

    with pytest.raises(DataError, match="row 3: a reported number is expected for 'harrell', not"):
        study.audit(metrics=metrics)
