"""A pruning finds what was planted, and its numbers are those of the tables that it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.core.pruning.conftest import ALONE, DECIDE, PIECES, SUBJECTS

from survkit.comparison.compare import compare
from survkit.data import Cohort, Splits, store_for
from survkit.evaluation import Predictions, evaluate
from survkit.evaluation.metric_names import HARRELL
from survkit.hub import from_pretrained
from survkit.hub.fitted_model import as_model_input
from survkit.metrics.estimate import Estimate
from survkit.pruning import Pruned, prune_run
from survkit.registry import Registry

KEYS = ("threshold-1", "threshold-0", "keep-0.25", "keep-1")


@pytest.fixture(scope="module")
def found(made: Path, registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Pruned:
    """The run under thresholds and shares, everybody alike."""
    return pruned(made, registry, tmp_path_factory.mktemp("found") / "prune")


def pruned(made: Path, registry: Registry, out: Path, run: str = "run", **changes: Any) -> Pruned:
    asked: dict[str, Any] = {
        "thresholds": (1.0, 0.0),
        "keep": (0.25, 1.0),
        "replicates": 60,
        "registry": registry,
    }
    cohort = Cohort.read(made / "cohort.yaml")
    return prune_run(made / run, cohort, out=out, **(asked | changes))


def row(found: Pruned, key: str) -> dict[str, Any]:
    """Return the row whose predictions lie in the folder of that name."""
    return next(dict(each) for each in found.content["rows"] if each["predictions"] == key)


def test_the_planted_pieces_are_kept(found: Pruned) -> None:
    """Two of eight, in every fold, by threshold and by share; and the model loses nothing."""
    tokens = pd.read_csv(found.folder / "tokens.csv")

    for key in ("threshold-1", "keep-0.25"):
        assert set(tokens["token"][tokens[key] == 1]) == set(DECIDE)
        assert tokens[key].sum() == 2 * len(DECIDE)
        assert row(found, key)["kept"] == len(DECIDE) / PIECES
        assert row(found, key)["pruned"]["value"] > row(found, key)["full"]["value"] - 0.05
    assert len(tokens) == 2 * PIECES


def test_keeping_everything_is_the_run_itself(found: Pruned, made: Path) -> None:
    """No bit differs, so no number does."""
    run = Predictions.read(made / "run" / "predictions.parquet")

    for key in ("threshold-0", "keep-1"):
        assert np.array_equal(found.tables[key].risk_score, run.risk_score)
        assert row(found, key)["difference"]["value"] == 0
        assert row(found, key)["kept"] == 1
    assert not np.array_equal(found.tables["threshold-1"].risk_score, run.risk_score)


def test_importance_is_the_mean_over_training_subjects_alone(
    found: Pruned, made: Path, registry: Registry
) -> None:
    """By hand, subject by subject: who is tested or chooses the epoch has no part in it."""
    cohort = Cohort.read(made / "cohort.yaml")
    splits = Splits.read(made / "run" / "splits.json", subjects=cohort.subjects)
    tokens = pd.read_csv(found.folder / "tokens.csv")
    for fold in splits.folds:
        fitted = from_pretrained(made / "run" / f"fold-{fold.fold}", registry=registry)
        encoder: Any = fitted.members[0].encoders["vector"]
        shares = []
        for name in fold.train:
            place = cohort.subjects.index(name)
            store = store_for(cohort, [place], fitted.description.inputs)
            given = as_model_input(store.inputs([place]), torch.float32, "cpu")["vector"]
            if bool(given.present.all()):
                shares.append(encoder.token_importance(given.values)[0])
        expected = torch.stack(shares).double().mean(dim=0)

        said = tokens["importance"][tokens["fold"] == f"fold-{fold.fold}"]
        assert len(shares) < len(fold.train)
        np.testing.assert_allclose(said, expected.detach(), rtol=1e-5)


def test_predictions_are_those_of_the_model_with_those_tokens(
    found: Pruned, made: Path, registry: Registry
) -> None:
    """Every fold's own model, told to keep the two pieces, predicts its test subjects so."""
    cohort = Cohort.read(made / "cohort.yaml")
    table = found.tables["threshold-1"]
    kept = torch.zeros(PIECES, dtype=torch.bool)
    kept[list(DECIDE)] = True
    for number in range(2):
        own = table.select(table.fold == number)
        fitted = from_pretrained(made / "run" / f"fold-{number}", registry=registry)
        encoder: Any = fitted.members[0].encoders["vector"]
        encoder.keep_tokens(kept)
        rows = [cohort.subjects.index(str(name)) for name in own.subject]

        expected = fitted.predict(cohort, rows).risk_score(table.horizon)

        np.testing.assert_allclose(own.risk_score[:, 0], expected, rtol=1e-5, atol=1e-6)


def test_numbers_are_those_of_the_tables_that_were_written(found: Pruned, made: Path) -> None:
    """``survkit evaluate`` and ``survkit compare`` say the same of the folders."""
    out = found.folder
    said = compare({name: out / name for name in ("threshold-1", "full")}, metric="harrell",
                   reference="full", replicates=60, permutations=10)  # fmt: skip
    between = said.metrics[HARRELL].pairs[0].difference
    assert isinstance(between, Estimate)

    for key in KEYS:
        assert (
            evaluate(out / key, replicates=60).metric(HARRELL).pooled.to_json()["value"]
            == (row(found, key)["pruned"]["value"])
        )
    whole = evaluate(made / "run", replicates=60).metric(HARRELL).pooled.to_json()
    assert row(found, "keep-1")["full"]["value"] == whole["value"]
    assert row(found, "threshold-1")["difference"]["value"] == pytest.approx(between.value)


def test_files_say_what_the_content_says(found: Pruned) -> None:
    """JSON, CSV and Markdown have a row per choice; times are positive and their ratio stated."""
    content = json.loads((found.folder / "prune.json").read_text())
    table = pd.read_csv(found.folder / "prune.csv")
    text = (found.folder / "prune.md").read_text()

    assert content == found.content
    assert list(table["pruned"]) == [each["pruned"]["value"] for each in content["rows"]]
    assert text.count("\n| ") == 2 + len(KEYS)
    assert "mean importance over its training subjects" in text
    for each in content["rows"]:
        assert each["seconds_full"] > 0
        ratio = each["seconds_full"] / each["seconds_pruned"]
        assert each["speed_up"] == pytest.approx(ratio)
    assert content["tokens"] == PIECES
    assert content["subjects"] == SUBJECTS


def test_each_subject_may_choose_for_itself(made: Path, registry: Registry, tmp_path: Path) -> None:
    """By its own importance, predicted as alone with its own tokens; no map is written, and the
    price of choosing is said.
    """
    out = pruned(made, registry, tmp_path / "own", thresholds=(0.38,), keep=(), map="subject")
    cohort = Cohort.read(made / "cohort.yaml")
    table = out.tables["threshold-0.38"]
    shares = []
    for line, name in enumerate(table.subject):
        place = cohort.subjects.index(str(name))
        fitted = from_pretrained(made / "run" / f"fold-{table.fold[line]}", registry=registry)
        encoder: Any = fitted.members[0].encoders["vector"]
        store = store_for(cohort, [place], fitted.description.inputs)
        given = as_model_input(store.inputs([place]), torch.float32, "cpu")["vector"]
        if bool(given.present.all()):
            kept = encoder.token_importance(given.values) >= 0.38 / PIECES
            encoder.keep_tokens(kept[0])
            shares.append(float(kept.double().mean()))
        expected = fitted.predict(cohort, [place]).risk_score(table.horizon)
        np.testing.assert_allclose(table.risk_score[line, 0], expected[0], rtol=1e-5, atol=1e-6)

    only = row(out, "threshold-0.38")
    assert len(shares) == SUBJECTS - ALONE
    assert len(set(shares)) > 1
    assert only["kept"] == pytest.approx(np.mean(shares))
    assert (only["kept_lowest"], only["kept_highest"]) == (min(shares), max(shares))
    assert only["seconds_importance"] > 0
    assert not (out.folder / "tokens.csv").exists()


def test_networks_that_are_averaged_choose_each_for_itself(
    made: Path, registry: Registry, tmp_path: Path
) -> None:
    """Two repeats of two folds of two members: a map each, and everybody predicted twice."""
    out = pruned(made, registry, tmp_path / "several", run="several", keep=(0.25,), thresholds=())

    tokens = pd.read_csv(out.folder / "tokens.csv")
    assert len(tokens) == 4 * 2 * PIECES
    importance = tokens.pivot_table(index="token", columns=["fold", "member"], values="importance")
    assert importance.sum().to_numpy() == pytest.approx(1)
    assert len({tuple(column) for column in importance.to_numpy().T}) == 8
    assert len(out.tables["keep-0.25"]) == 2 * SUBJECTS


def test_progress_ends_where_it_said(made: Path, registry: Registry, tmp_path: Path) -> None:
    """The bar is full at the end, not before."""
    told: list[tuple[int, int]] = []

    pruned(made, registry, tmp_path / "bar", progress=lambda *step: told.append(step))

    assert told[-1][0] == told[-1][1]
    assert all(done < total for done, total in told[:-1])
