"""The numbers on the card of a final model, counted anew from the run's out-of-fold predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

import survkit
from survkit.evaluation.metric_names import HARRELL
from survkit.hub import write_card

HORIZON = 300.0


def test_the_card_of_an_ensemble_says_what_the_predictions_say(run: Path, tmp_path: Path) -> None:
    """Harrell's concordance pair by pair; observed incidence as one minus Kaplan and Meier's."""
    survkit.finalize(run, tmp_path / "model", by="ensemble")
    card = write_card(tmp_path / "model", "org/name").read_text()
    (results,) = yaml.safe_load(card.split("---\n")[1])["model-index"][0]["results"]
    table = pd.read_parquet(run / "predictions.parquet")
    first = table[table["repeat"] == 0]
    groups = json.loads((run / "metrics.json").read_text())["causes"]["death"]["calibration"]

    told = {one["type"]: one["value"] for one in results["metrics"]}
    expected = [pairs_within_folds(one) for _, one in table.groupby("repeat")]
    np.testing.assert_allclose(told[HARRELL], np.mean(expected), rtol=1e-12)
    predicted = first[f"cumulative_incidence.death@{HORIZON:g}"].to_numpy()
    for group in groups:
        inside = (predicted >= group["lowest"]) & (predicted <= group["highest"])
        np.testing.assert_allclose(group["predicted"], predicted[inside].mean(), rtol=1e-9)
        np.testing.assert_allclose(group["observed"]["value"], incidence(first[inside]), rtol=1e-9)


def pairs_within_folds(table: pd.DataFrame) -> float:
    """Return the share of concordant pairs of the same fold whose earlier one had the event."""
    right = all_pairs = 0.0
    for _, fold in table.groupby("fold"):
        rows = list(zip(fold["duration"], fold["event"], fold["risk_score.death"], strict=True))
        for time, event, risk in rows:
            if not event or time > HORIZON:
                continue
            for _, _, other in (one for one in rows if one[0] > time):
                all_pairs += 1
                right += 0.5 * (1 + np.sign(risk - other))
    return right / all_pairs


def incidence(table: pd.DataFrame) -> float:
    """Return one minus the Kaplan-Meier estimate at the horizon."""
    survival = 1.0
    for time in np.unique(table["duration"][(table["event"] == 1)]):
        if time <= HORIZON:
            at_risk = (table["duration"] >= time).sum()
            events = ((table["duration"] == time) & (table["event"] == 1)).sum()
            survival *= 1 - events / at_risk
    return 1 - survival
