"""Strata: compared within, kept in the file, cut out of folds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.core.evaluation.simulated import (
    HARRELL_ALL,
    simulated,
    stratified,
    value,
)

from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.metric_names import (
    HARRELL,
)
from survkit.evaluation.pair_statistics import within_folds
from survkit.evaluation.predictions import Predictions
from survkit.metrics.estimate import Estimate
from survkit.metrics.harrell import harrell_concordance


@pytest.mark.parametrize("name", [HARRELL, HARRELL_ALL])
def test_concordances_compare_within_strata_only(name: str) -> None:
    """As the model was trained: moving the scores of a whole stratum changes nothing."""
    table = stratified(simulated())
    unmoved = replace(table, risk_score=simulated().risk_score)
    strata = torch.from_numpy(table.fold * 2 if name == HARRELL else 0 * table.fold)
    both = replace(table.target(), strata=strata + torch.from_numpy(table.strata))
    score = torch.from_numpy(table.risk_score[:, 0].copy())
    known = harrell_concordance(score, both, tau=table.horizon)

    assert isinstance(known, Estimate)
    assert value(evaluate(table, replicates=0), name) == pytest.approx(known.value, abs=1e-12)
    assert value(evaluate(unmoved, replicates=0), name) == pytest.approx(known.value, abs=1e-12)


def test_strata_survive_the_file(tmp_path: Path) -> None:
    """Written and read back, the table evaluates to the same numbers."""
    table = stratified(simulated())

    again = Predictions.read(table.write(tmp_path / "predictions.parquet"))

    assert again.fingerprint() == table.fingerprint()
    assert evaluate(again, replicates=0).facts["strata"] == 2


def test_folds_are_cut_further_by_strata() -> None:
    """Two subjects share a group if they share fold and stratum."""
    table = stratified(simulated())
    group = within_folds(table).strata

    assert group is not None
    same = (table.fold[:, None] == table.fold) & (table.strata[:, None] == table.strata)  # type: ignore[index]
    assert ((group[:, None] == group).numpy() == same).all()
