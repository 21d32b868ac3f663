"""The model of each fold, asked again: are these its predictions?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some
from survkit.auditing.run_files import FoldFiles
from survkit.auditing.table import Floats, Table
from survkit.data import Cohort
from survkit.hub import load_model

NAME = "replayed-predictions"
TOLERANCE = 1e-3
"""Of the scores' spread: another device rounds otherwise, another model predicts otherwise."""


def _check(evidence: Evidence) -> Answer:
    run, cohort, table = evidence.run, evidence.cohort, evidence.table
    folds = [] if run is None else [fold for fold in run.folds if fold.config]
    if run is None or not folds:
        return NotChecked("not a run folder of survkit with models in its folds")
    if cohort is None:
        return NotChecked("models can be asked again only with the cohort; give --cohort")
    if cohort.fingerprint() != run.run.get("cohort"):
        return NotChecked("the cohort is not the one of the run, or has changed since")
    kinds = {one["kind"] for one in folds[0].config["inputs"].values()}
    if not kinds <= {"table", "vector"}:
        return NotChecked("images are not read again")
    wrong, others = [], []
    for fold in folds:
        subjects, written = _written(table, fold, cohort)
        if not subjects:
            continue
        differs = _differs(written, _asked(fold, cohort, subjects, table.horizon))
        if differs.any():
            wrong += [f"{s} in {fold.name}" for s, d in zip(subjects, differs, strict=True) if d]
            others += [
                other.name
                for other in folds
                if other is not fold
                and not _differs(written, _asked(other, cohort, subjects, table.horizon)).any()
            ]
    if not wrong:
        return []
    by = f"; the model of {others[0]} gives them" if others else ""
    return [
        Finding(
            rule=NAME,
            severity="error",
            message=f"{len(wrong)} predictions are not by the model of their fold",
            evidence=some(wrong) + by,
            cure="run `survkit cv` again; predictions must be by the model that tests the subject",
        )
    ]


def _written(table: Table, fold: FoldFiles, cohort: Cohort) -> tuple[list[str], Floats]:
    """Return the subjects that the table has in a fold, and their scores (subject, cause)."""
    known = set(cohort.subjects)
    member = np.array([name in known for name in table.subject], dtype=bool)
    here = (table.repeat == fold.repeat) & (table.fold == fold.fold) & table.reported & member
    rows = np.flatnonzero(here)
    scores = np.stack([table.risk[cause][rows] for cause in table.causes], axis=1)
    return [str(name) for name in table.subject[rows]], scores


def _asked(fold: FoldFiles, cohort: Cohort, subjects: list[str], horizon: float | None) -> Floats:
    """Return risk scores (subject, cause)."""
    place = {name: row for row, name in enumerate(cohort.subjects)}
    fitted = load_model(fold.folder)
    until = fitted.description.outcome.horizon if horizon is None else horizon
    prediction = fitted.predict(cohort, [place[name] for name in subjects])
    causes = range(1, len(fitted.description.outcome.causes) + 1)
    scores = [prediction.risk_score(until, cause).double().numpy() for cause in causes]
    return np.stack(scores, axis=1)


def _differs(written: Floats, asked: Floats) -> NDArray[np.bool_]:
    """Return which rows differ by more than rounding; NaN differs."""
    spread = np.maximum(np.ptp(asked, axis=0), 1e-9 * np.abs(asked).max(axis=0) + 1e-30)
    return np.asarray(~(np.abs(written - asked) <= TOLERANCE * spread).all(axis=1))


RULE = Rule(
    name=NAME,
    asks="Are the predictions those of the model of each fold?",
    guard="0.1 % of the spread is allowed; asked only where the cohort is the one of the run",
    source="predictions of the best fold's model for everybody",
    check=_check,
)
