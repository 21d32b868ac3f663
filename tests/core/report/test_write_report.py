"""The page: self-contained, readable by machines and people, and equal to metrics.json."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from survkit.errors import DataError, RunError
from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.metric_names import HARRELL
from survkit.metrics.estimate import Undefined
from survkit.report.numbers import shown
from survkit.report.protocol import epoch_choice
from survkit.report.write_report import write_report


def test_every_number_equals_the_file(page_and_metrics: tuple[Any, Any], kit: Any) -> None:
    """Each marked number is the rounded value at its place in metrics.json."""
    page, metrics = page_and_metrics
    assert len(page.numbers) > 15
    for mark, style, text in page.numbers:
        assert text == shown(kit.value_at(metrics, mark), style), mark  # type: ignore[arg-type]


def test_no_result_is_written_without_its_mark(page_and_metrics: tuple[Any, Any]) -> None:
    """Whatever looks like a result and is not marked would escape the comparison."""
    page, _ = page_and_metrics
    body = page.unmarked.split("</style>")[-1]

    assert re.findall(r"\b\d\.\d{3}\b|\b\d+\.\d%", body) == []


def test_the_page_needs_nothing_else(page_and_metrics: tuple[Any, Any]) -> None:
    """No address leaves the file; links point to places in it; no script."""
    page, _ = page_and_metrics
    for address in page.addresses:
        assert address.startswith(("data:", "#"))
        assert not address.startswith("#") or address[1:] in page.ids
    assert "script" not in page.tags
    assert "url(" not in page.source
    assert "@import" not in page.source


def test_pictures_have_texts_and_no_outer_links(page_and_metrics: tuple[Any, Any]) -> None:
    """Each picture is an SVG inside the page whose text says what it shows."""
    page, _ = page_and_metrics
    assert page.pictures
    for found in page.pictures:
        kind, encoded = found["src"].split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        assert b"<image" not in base64.b64decode(encoded)
        assert len(found["alt"]) > 30
        assert any(sign.isdigit() for sign in found["alt"])


def test_the_protocol_is_told(tmp_path: Path, kit: Any) -> None:
    """Cohort, folds, epoch choice, splits, choices and the recipe are on the page."""
    page = kit.Page(write_report(kit.make_run(tmp_path / "run", kit.simulated(), kit.FILES)))
    for words in (
        "A trial run",
        "phantom-lung",
        "Cross-validation by subject with 3 folds",
        "25% of the training subjects of each fold were set aside",
        "the one with the highest concordance on them was kept, stopping after 5 epochs",
        "abc123",
        "fold-0 epoch: 12",
        "1000 bootstrap resamples",
        "gated <deephit>",
        "P-7, P-9 (2 of the table): their event is missing",
    ):
        assert words in page.text, words


def test_learning_curves_appear_only_with_logs(tmp_path: Path, kit: Any) -> None:
    """Without logs there is no section, with ragged logs what is there is drawn."""
    table = kit.simulated(n=30)
    without = kit.Page(write_report(kit.make_run(tmp_path / "a", table)))
    with_logs = kit.Page(write_report(kit.make_run(tmp_path / "b", table, kit.FILES)))
    alt = [found["alt"] for found in with_logs.pictures if found["alt"].startswith("Learning")]

    assert "learning" not in without.ids
    assert "Learning curves of 2 trainings" in alt[0]
    assert "Training loss goes from 2 to 1.45 on average." in alt[0]


def test_other_models_stand_beside(tmp_path: Path, kit: Any) -> None:
    """Evaluations, single estimates and undefined ones are rows, and are in metrics.json."""
    table = kit.simulated()
    other = evaluate(replace(table, risk_score=-table.risk_score), replicates=5)
    pooled = other.metric(HARRELL).pooled
    run = kit.make_run(tmp_path / "run", table)
    comparison = {
        "ridge / Cox": other,
        "PET alone": pooled,
        "oracle": Undefined("no event", 90, 0),
    }
    page = kit.Page(write_report(run, comparison=comparison))
    stored = json.loads((run / "metrics.json").read_text())["comparison"]

    assert list(stored) == ["ridge / Cox", "PET alone", "oracle"]
    assert stored["PET alone"]["death"][HARRELL] == pooled.to_json()
    assert any(mark.startswith("comparison/ridge ~1 Cox/death") for mark, _, _ in page.numbers)
    assert "not defined: no event" in page.text
    assert "ridge / Cox" in page.text
    assert "ridge / Cox 0." in " ".join(found["alt"] for found in page.pictures)


def test_stored_metrics_are_used_only_for_the_same_predictions(tmp_path: Path, kit: Any) -> None:
    """Numbers evaluated before are kept; those of other predictions are computed anew."""
    table = kit.simulated(n=30)
    run = kit.make_run(tmp_path / "run", table)
    evaluate(table, replicates=7).write(run / "metrics.json")
    write_report(run)
    assert json.loads((run / "metrics.json").read_text())["settings"]["replicates"] == 7

    kit.make_run(run, kit.simulated(n=30, seed=5))
    write_report(run)
    assert json.loads((run / "metrics.json").read_text())["settings"]["replicates"] == 1000


def test_the_same_run_gives_the_same_page(tmp_path: Path, kit: Any) -> None:
    """No date, no random identifier."""
    run = kit.make_run(tmp_path / "run", kit.simulated(n=40), kit.FILES)

    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_a_run_that_cannot_be_reported_says_why(tmp_path: Path, kit: Any) -> None:
    """Missing folder, unfinished run, damaged files, foreign evaluation: one line each."""
    table = kit.simulated(n=30)
    with pytest.raises(RunError, match="is no run folder"):
        write_report(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has no predictions\.parquet"):
        write_report(tmp_path)
    run = kit.make_run(tmp_path / "run", table, {"recipe.yaml": "a: [1"})
    with pytest.raises(RunError, match=r"recipe\.yaml: damaged"):
        write_report(run)
    run = kit.make_run(tmp_path / "other", table, {"metrics.json": "{"})
    with pytest.raises(RunError, match=r"metrics\.json: damaged .* delete it"):
        write_report(run)
    with pytest.raises(DataError, match="evaluation is not of the predictions"):
        write_report(run, evaluation=evaluate(kit.simulated(n=30, seed=3), replicates=0))


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ({"validation": 0, "epochs": 40}, "No choice: every model was trained for all 40 epochs."),
        ({"monitor": "loss"}, "of up to 100 epochs the one with the lowest loss on them was kept."),
    ],
)
def test_the_choice_of_the_epoch_is_said_as_the_recipe_has_it(
    training: Mapping[str, Any], words: str
) -> None:
    """Each setting has its sentence."""
    assert words in epoch_choice(training)
