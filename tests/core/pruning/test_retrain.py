"""Training on with the kept tokens alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.core.pruning.conftest import DECIDE, PIECES

from survkit.data import Cohort
from survkit.evaluation import Predictions, evaluate
from survkit.evaluation.metric_names import HARRELL
from survkit.hub import from_pretrained
from survkit.pruning import Pruned, prune_run
from survkit.registry import Registry


@pytest.fixture(scope="module")
def found(made: Path, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Pruned:
    """The run pruned and trained on."""
    told: list[tuple[int, int]] = []
    result = prune_run(
        made / "run",
        Cohort.read(made / "cohort.yaml"),
        out=tmp_path_factory.mktemp("retrained") / "prune",
        thresholds=(1.0,),
        retrain=True,
        replicates=60,
        registry=registry,
        progress=lambda *step: told.append(step),
    )
    assert told[-1][0] == told[-1][1]
    return result


def test_a_run_of_its_own_comes_of_it(found: Pruned, made: Path, registry: Registry) -> None:
    """In the same folds, each from its own model's weights, and its models leave tokens out."""
    run = found.folder / "threshold-1-retrained"
    kept = torch.zeros(PIECES, dtype=torch.bool)
    kept[list(DECIDE)] = True

    for number in range(2):
        before = from_pretrained(made / "run" / f"fold-{number}", registry=registry).members[0]
        after = from_pretrained(run / f"fold-{number}", registry=registry).members[0]
        facts = json.loads((run / f"fold-{number}" / "training.json").read_text())
        assert torch.equal(after.encoders["vector"].get_buffer("kept"), kept)
        assert bool(before.encoders["vector"].get_buffer("kept").all())
        assert not torch.equal(
            after.encoders["vector"].get_parameter("place"),
            before.encoders["vector"].get_parameter("place"),
        )
        assert set(facts["init"]["loaded"]) >= {"encoders.vector", "head"}
    assert (run / "splits.json").read_bytes() == (made / "run" / "splits.json").read_bytes()
    assert not list(found.folder.glob("start-*"))


def test_both_rows_are_there_with_the_same_columns(found: Pruned) -> None:
    """Prune only, then retrained; each number that of its table."""
    alone, again = found.content["rows"]
    run = found.folder / "threshold-1-retrained"

    assert [alone["retrained"], again["retrained"]] == [False, True]
    assert alone.keys() == again.keys()
    assert again["kept"] == alone["kept"] == len(DECIDE) / PIECES
    value = evaluate(run, replicates=0).metric(HARRELL).pooled.to_json()["value"]
    assert again["pruned"]["value"] == value
    assert again["full"] == alone["full"]
    table = Predictions.read(run / "predictions.parquet")
    assert not np.array_equal(table.risk_score, found.tables["threshold-1"].risk_score)
    assert again["speed_up"] == pytest.approx(again["seconds_full"] / again["seconds_pruned"])


def test_a_pruned_model_is_not_pruned_again(
    found: Pruned, made: Path, registry: Registry, tmp_path: Path
) -> None:
    """Its importance with all tokens is that of a network that it is not."""
    from survkit.errors import ConfigError

    with pytest.raises(ConfigError, match="fold-0: the encoder of 'vector' leaves tokens out"):
        prune_run(
            found.folder / "threshold-1-retrained",
            Cohort.read(made / "cohort.yaml"),
            out=tmp_path / "again",
            registry=registry,
        )
    assert not list(tmp_path.iterdir())
