"""Scores whose direction was turned, wholly or by part, are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.core.auditing.accusation import MakeStudy, only


def test_a_reversed_score_is_found(study: Any) -> None:
    """Higher scores live longer."""
    study.table["risk_score"] *= -1
    study.table = study.table.drop(columns=[c for c in study.table if "@" in c])

    found = only(study.audit(), "flipped-sign")

    assert "standard errors below chance" in found.evidence


def test_a_score_against_its_own_curves_is_found(study: Any) -> None:
    """The score is turned, the curves are not: both are said."""
    study.table["risk_score"] *= -1

    errors = {one.rule for one in study.audit().of("error")}

    assert errors == {"flipped-sign", "score-against-curves"}


@pytest.mark.parametrize("curves", [True, False])
def test_a_direction_chosen_by_fold_is_found(make_study: MakeStudy, curves: bool) -> None:
    """Two of three folds are turned, with or without curves to show it."""
    study = make_study(folds=3, subjects=600)
    study.table.loc[study.table["fold"] == 1, "risk_score"] *= -1
    if not curves:
        study.table = study.table.drop(columns=[c for c in study.table if "@" in c])

    found = only(study.audit(), "mixed-orientation")

    assert ("its own curves" in found.message) == curves


def test_a_direction_chosen_by_repeat_is_found(make_study: MakeStudy) -> None:
    """Useless scores, so that the outcome does not tell, turned in the second repeat.

    The seed of the noise is not the study's: it would repeat the draws that made the ages.
    """
    study = make_study(repeats=2)
    noise = dict(zip(study.names, np.random.default_rng(4).normal(size=300), strict=True))
    study.table["risk_score"] = study.table["subject"].map(noise)
    study.table.loc[study.table["repeat"] == 1, "risk_score"] *= -0.9
    study.table = study.table.drop(columns=[c for c in study.table if "@" in c])

    assert "two repeats -1.00" in only(study.audit(), "mixed-orientation").evidence
