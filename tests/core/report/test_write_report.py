"""The page: self-contained, readable by machines and people, and equal to metrics.json."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from survkit.errors import DataError, RunError
from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.metric_names import HARRELL
from survkit.evaluation.predictions import Predictions, concatenate
from survkit.metrics.estimate import Undefined
from survkit.report.numbers import shown
from survkit.report.protocol import epoch_choice
from survkit.report.write_report import write_report


def simulated(n: int = 90, *, causes: int = 1, folds: int = 3, seed: int = 0) -> Predictions:
    """Exponential causes, noisy predictions."""
    random = np.random.default_rng(seed)
    rate = 0.002 * np.exp(random.normal(0, 0.8, (n, causes)))
    times = random.exponential(1 / rate)
    censored = random.uniform(100, 1500, n)
    event = np.where(times.min(axis=1) <= censored, times.argmin(axis=1) + 1, 0)
    grid = np.linspace(60, 600, 10)
    total = rate.sum(axis=1)[:, None, None]
    return Predictions(
        subject=np.array([f"s{number:03d}" for number in range(n)]),
        repeat=np.zeros(n, dtype=np.int64),
        fold=np.arange(n) % folds,
        duration=np.minimum(times.min(axis=1), censored),
        event=event.astype(np.int64),
        causes=("death", "relapse")[:causes],
        time_unit="days",
        horizon=600.0,
        time_grid=grid,
        cumulative_incidence=rate[:, :, None] / total * (1 - np.exp(-total * grid)),
        risk_score=np.log(rate) + random.normal(0, 0.5, rate.shape),
        model="gated <deephit>",
        splits_hash="abc123",
        seed=4,
        site=np.array(["north", "south"])[np.arange(n) % 2],
    )


class Page(HTMLParser):
    """Collects the marked numbers, addresses, pictures and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self.numbers: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.text = self.unmarked = ""
        self._open: tuple[str, str] | None = None
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids.add(found.get("id", ""))
        self.addresses += [found[name] for name in ("src", "href", "srcset") if name in found]
        if tag == "img":
            self.pictures.append(found)
        if "data-key" in found:
            self._open = (found["data-key"], found["data-style"])

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open is None:
            self.unmarked += data
            return
        self.numbers.append((*self._open, data))
        self._open = None


def value_at(metrics: Any, mark: str) -> Any:
    for step in mark.split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        metrics = metrics[int(name)] if isinstance(metrics, list) else metrics[name]
    return metrics


def make_run(folder: Path, table: Predictions, files: Mapping[str, str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    table.write(folder / "predictions.parquet")
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


FILES = {
    "recipe.yaml": "title: A trial run\ntraining: {epochs: 30, validation: 0.25, patience: 5}\n",
    "cohort.yaml": "name: phantom-lung\n",
    "run.json": '{"left_out": ["P-7", "P-9"]}',
    "choices.json": '{"fold-0": {"epoch": 12}, "fold-1": {"epoch": 9}}',
    "fold-0/log.csv": "epoch,train_loss,validation_loss,validation_concordance\n"
    "0,2.0,2.1,0.5\n1,1.5,1.8,0.6\n",
    "fold-1/log.csv": "epoch,train_loss,validation_loss\n0,2.0,\n1,1.4,1.9\n",
}


def two_repeats() -> Predictions:
    first = simulated(causes=2)
    return concatenate(
        [first, replace(first, repeat=first.repeat + 1, fold=(np.arange(90) // 7) % 3)]
    )


def undefined_fold() -> Predictions:
    table = simulated(n=60)
    return replace(table, event=np.where(table.fold == 1, 0, table.event))


TABLES = {
    "one cause": lambda: simulated(),
    "competing": lambda: simulated(causes=2),
    "repeats": two_repeats,
    "undefined fold": undefined_fold,
    "held out": lambda: simulated(folds=1),
    "tiny": lambda: simulated(n=4, folds=2),
    "single": lambda: simulated(n=1, folds=1),
}


@pytest.fixture(scope="module", params=TABLES)
def page_and_metrics(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Page, Any]:
    table = TABLES[request.param]()
    run = make_run(tmp_path_factory.mktemp("run"), table, FILES)
    path = write_report(run, evaluation=evaluate(table, replicates=20))
    return Page(path), json.loads((run / "metrics.json").read_text())


def test_every_number_equals_the_file(page_and_metrics: tuple[Page, Any]) -> None:
    """Each marked number is the rounded value at its place in metrics.json."""
    page, metrics = page_and_metrics
    assert len(page.numbers) > 15
    for mark, style, text in page.numbers:
        assert text == shown(value_at(metrics, mark), style), mark  # type: ignore[arg-type]


def test_no_result_is_written_without_its_mark(page_and_metrics: tuple[Page, Any]) -> None:
    """Whatever looks like a result and is not marked would escape the comparison."""
    page, _ = page_and_metrics
    body = page.unmarked.split("</style>")[-1]

    assert re.findall(r"\b\d\.\d{3}\b|\b\d+\.\d%", body) == []


def test_the_page_needs_nothing_else(page_and_metrics: tuple[Page, Any]) -> None:
    """No address leaves the file; links point to places in it; no script."""
    page, _ = page_and_metrics
    for address in page.addresses:
        assert address.startswith(("data:", "#"))
        assert not address.startswith("#") or address[1:] in page.ids
    assert "script" not in page.tags
    assert "url(" not in page.source
    assert "@import" not in page.source


def test_pictures_have_texts_and_no_outer_links(page_and_metrics: tuple[Page, Any]) -> None:
    """Each picture is an SVG inside the page whose text says what it shows."""
    page, _ = page_and_metrics
    assert page.pictures
    for found in page.pictures:
        kind, encoded = found["src"].split(",", 1)
        assert kind == "data:image/svg+xml;base64"
        assert b"<image" not in base64.b64decode(encoded)
        assert len(found["alt"]) > 30
        assert any(sign.isdigit() for sign in found["alt"])


def test_the_protocol_is_told(tmp_path: Path) -> None:
    """Cohort, folds, epoch choice, splits, choices and the recipe are on the page."""
    page = Page(write_report(make_run(tmp_path / "run", simulated(), FILES)))
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


def test_learning_curves_appear_only_with_logs(tmp_path: Path) -> None:
    """Without logs there is no section, with ragged logs what is there is drawn."""
    table = simulated(n=30)
    without = Page(write_report(make_run(tmp_path / "a", table)))
    with_logs = Page(write_report(make_run(tmp_path / "b", table, FILES)))
    alt = [found["alt"] for found in with_logs.pictures if found["alt"].startswith("Learning")]

    assert "learning" not in without.ids
    assert "Learning curves of 2 trainings" in alt[0]
    assert "Training loss goes from 2 to 1.45 on average." in alt[0]


def test_other_models_stand_beside(tmp_path: Path) -> None:
    """Evaluations, single estimates and undefined ones are rows, and are in metrics.json."""
    table = simulated()
    other = evaluate(replace(table, risk_score=-table.risk_score), replicates=5)
    pooled = other.metric(HARRELL).pooled
    run = make_run(tmp_path / "run", table)
    comparison = {
        "ridge / Cox": other,
        "PET alone": pooled,
        "oracle": Undefined("no event", 90, 0),
    }
    page = Page(write_report(run, comparison=comparison))
    stored = json.loads((run / "metrics.json").read_text())["comparison"]

    assert list(stored) == ["ridge / Cox", "PET alone", "oracle"]
    assert stored["PET alone"]["death"][HARRELL] == pooled.to_json()
    assert any(mark.startswith("comparison/ridge ~1 Cox/death") for mark, _, _ in page.numbers)
    assert "not defined: no event" in page.text
    assert "ridge / Cox" in page.text
    assert "ridge / Cox 0." in " ".join(found["alt"] for found in page.pictures)


def test_stored_metrics_are_used_only_for_the_same_predictions(tmp_path: Path) -> None:
    """Numbers evaluated before are kept; those of other predictions are computed anew."""
    table = simulated(n=30)
    run = make_run(tmp_path / "run", table)
    evaluate(table, replicates=7).write(run / "metrics.json")
    write_report(run)
    assert json.loads((run / "metrics.json").read_text())["settings"]["replicates"] == 7

    make_run(run, simulated(n=30, seed=5))
    write_report(run)
    assert json.loads((run / "metrics.json").read_text())["settings"]["replicates"] == 1000


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    """No date, no random identifier."""
    run = make_run(tmp_path / "run", simulated(n=40), FILES)

    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_a_run_that_cannot_be_reported_says_why(tmp_path: Path) -> None:
    """Missing folder, unfinished run, damaged files, foreign evaluation: one line each."""
    table = simulated(n=30)
    with pytest.raises(RunError, match="is no run folder"):
        write_report(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has no predictions\.parquet"):
        write_report(tmp_path)
    run = make_run(tmp_path / "run", table, {"recipe.yaml": "a: [1"})
    with pytest.raises(RunError, match=r"recipe\.yaml: damaged"):
        write_report(run)
    run = make_run(tmp_path / "other", table, {"metrics.json": "{"})
    with pytest.raises(RunError, match=r"metrics\.json: damaged .* delete it"):
        write_report(run)
    with pytest.raises(DataError, match="evaluation is not of the predictions"):
        write_report(run, evaluation=evaluate(simulated(n=30, seed=3), replicates=0))


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
