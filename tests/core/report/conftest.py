"""Runs to be reported, and a reader of the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.predictions import Predictions, concatenate
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
        """Mark, style and text of every number of ``metrics.json``."""
        self.others: list[tuple[str, str, str, str, str]] = []
        """Source, mark, mark of the divisor, style and text of every other number."""
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.text = self.unmarked = ""
        self._open: dict[str, str] | None = None
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.addresses += [found[name] for name in ("src", "href", "srcset") if name in found]
        if tag == "img":
            self.pictures.append(found)
        if "data-key" in found:
            self._open = found

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open is None:
            self.unmarked += data
            return
        mark, style = self._open["data-key"], self._open["data-style"]
        if "data-source" in self._open:
            over = self._open.get("data-over", "")
            self.others.append((self._open["data-source"], mark, over, style, data))
        else:
            self.numbers.append((mark, style, data))
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


def cohort_content(table: Predictions) -> dict[str, Any]:
    """A summary such as ``survkit cv`` writes, of as many subjects."""
    n = table.subjects
    events = {"censored": 40, **dict.fromkeys(table.causes, 25)}
    numbers = {"n": n - 6, "missing": 6, "mean": 61.234, "sd": 9.996, "median": 61.0}
    numbers |= {"q1": 55.25, "q3": 68.0}
    few = {"n": 2, "missing": 0, "reason": "fewer than 5 values"}
    levels = {"n": n, "missing": 0, "levels": {"I & II": n - 30, "III": 30}}
    column = {"modality": "clinical", "by_event": dict.fromkeys(events, few)}
    staged = {"modality": "clinical", "by_event": dict.fromkeys(events, levels)}
    return {
        "format": 1,
        "name": "phantom-lung",
        "subjects": n,
        "left_out": [{"reason": "event missing (outcome.unknown: exclude)", "n": 2}],
        "flow": [{"label": "in the table", "n": n + 2}, {"label": "analysed", "n": n}],
        "events": events,
        "follow_up": {"unit": "days", "method": "reverse Kaplan–Meier", "median": 812.5},
        "folds": [
            {"repeat": 0, "fold": fold, "train": 50, "validation": 10, "test": 30}
            | {"events": {"train": 20, "validation": 4, "test": 12}}
            for fold in range(3)
        ],
        "modalities": {"ct": {"present": n - 9, "kind": "volume", "by_event": events}},
        "sites": {"north": n // 2, "south": n - n // 2},
        "table1": [
            {"column": "age", "kind": "numeric", **column, **numbers},
            {"column": "stage", "kind": "categorical", **staged, **levels},
        ],
    }


AUDIT = {
    "format": 1,
    "findings": [
        {"rule": "seeds", "severity": "note", "message": "one seed", "evidence": "run.json"}
        | {"cure": "repeat"},
        {"rule": "leak", "severity": "error", "message": "a <subject> in both parts"}
        | {"evidence": "splits.json", "cure": "split anew"},
    ],
    "checked": ["seeds", "leak"],
    "not_checked": [{"rule": "weights", "reason": "no model folder"}],
}


def with_later_keys(metrics: dict[str, Any]) -> dict[str, Any]:
    """Set what tests look for: tests, curves over time and a calibration curve of known values."""
    interval = {"lower": 0.6, "upper": 0.8, "level": 0.95}
    point = {"value": 0.7125, "interval": interval, "method": "AUC", "n": 90, "events": 30}
    times = [point | {"time": 200.0}, point | {"time": 400.0, "value": 0.6875}]
    times.append({"time": 600.0, "reason": "nobody is left", "n": 90, "events": 30})
    test = {"statistic": 12.345, "degrees_of_freedom": 2, "p_value": 0.0004, "method": "log-rank"}
    curve = {"predicted": [0.1, 0.4, 0.8], "observed": [0.15, 0.45, 0.7]}
    curve |= {"lower": [0.05, 0.3, 0.5], "upper": [0.3, 0.6, 0.9]}
    for cause in metrics["causes"].values():
        undefined = {"reason": "too few", "n": 90, "events": 30}
        tests = {"log_rank": test | {"n": 90, "events": 30}, "d_calibration": undefined}
        cause["tests"], cause["calibration_curve"] = tests, curve
        cause["over_time"] = {"dynamic_auc": times, "brier_score": times}
    return metrics


def write_full_run(folder: Path) -> Path:
    """A run with everything that a page can show, but stress."""
    table = simulated(causes=2)
    run = make_run(folder, table, FILES)
    metrics = with_later_keys(evaluate(table, replicates=20).to_json())
    (run / "metrics.json").write_text(json.dumps(metrics))
    (run / "cohort.json").write_text(json.dumps(cohort_content(table)))
    (run / "audit.json").write_text(json.dumps(AUDIT))
    for fold in range(2):
        subjects = table.subject[table.fold == fold]
        parts = [
            pd.DataFrame(
                {"subject": subjects, "repeat": 0, "fold": fold, "quantity": "modality_weight"}
                | {"modality": name, "value": np.linspace(low, low + 0.2, len(subjects))}
            )
            for name, low in (("ct", 0.1), ("clinical", 0.6))
        ]
        pd.concat(parts).to_parquet(run / f"fold-{fold}" / "attention.parquet")
    return run


@pytest.fixture(scope="session")
def full_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_full_run(tmp_path_factory.mktemp("template") / "fused")


@pytest.fixture(scope="session")
def full_page(tmp_path_factory: pytest.TempPathFactory, full_template: Path) -> Path:
    """The page of a run with everything, compared with another one."""
    folder = tmp_path_factory.mktemp("full")
    other = make_run(folder / "other", replace_risk(simulated(causes=2)), FILES)
    run = Path(shutil.copytree(full_template, folder / "fused"))
    return write_report(run, others={"other": other})


def replace_risk(table: Predictions) -> Predictions:
    """The same subjects with predictions of less use."""
    random = np.random.default_rng(8)
    return replace(table, risk_score=table.risk_score + random.normal(0, 2, (len(table), 2)))


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """What the tests of this folder make runs of and read pages with."""
    return SimpleNamespace(
        Page=Page,
        simulated=simulated,
        make_run=make_run,
        value_at=value_at,
        cohort_content=cohort_content,
        FILES=FILES,
    )


@pytest.fixture
def full_run(tmp_path: Path, full_template: Path) -> Path:
    """A copy of the run with everything, to be bent."""
    return Path(shutil.copytree(full_template, tmp_path / "full"))
