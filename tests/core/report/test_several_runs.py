"""Several runs on one page, and where the page goes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from survkit.cli import report as report_command
from survkit.errors import ConfigError, DataError, RunError
from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.metric_names import HARRELL
from survkit.evaluation.predictions import Predictions
from survkit.report.numbers import Numbers
from survkit.report.page import PageParts, render
from survkit.report.page_files import PageFiles
from survkit.report.run_facts import RunFacts
from survkit.report.runs import Run
from survkit.report.summary import summary
from survkit.report.title import page_title
from survkit.report.write_report import write_report


@pytest.fixture
def two(tmp_path: Path, kit: Any) -> tuple[Path, Path]:
    """Two runs of the same subjects, one of them guessing."""
    table = kit.simulated(n=60)
    noise = np.random.default_rng(2).normal(size=table.risk_score.shape)
    recipe = {"recipe.yaml": "encoders: {ct: {use: cnn3d}, blood: {use: tabular}}\n"}
    first = kit.make_run(tmp_path / "first", table, recipe)
    second = kit.make_run(tmp_path / "second", replace(table, risk_score=noise))
    for run in (first, second):
        evaluate(run, replicates=20).write(run / "metrics.json")
    return first, second


def invoke(*arguments: str) -> Any:
    application = typer.Typer()
    application.command()(report_command.command)
    return CliRunner().invoke(application, list(arguments))


def test_the_page_of_the_first_run_says_so(two: tuple[Path, Path]) -> None:
    """Without --out the page is the first run's, and the command says where the comparison is."""
    result = invoke(f"deep={two[0]}", str(two[1]))
    words = " ".join(result.output.split())
    page = (two[0] / "report.html").read_text()

    assert result.exit_code == 0, result.exception
    assert "the comparison of 2 runs is in the page of deep" in words
    assert "deep − second" in page
    assert '<td data-label="deep">ct + blood</td>' in page
    assert not (two[1] / "report.html").exists()


def test_the_page_goes_where_it_is_asked_and_replaces_nothing(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    """Figures and tables go to the folder of the page's name; a page that is there stays."""
    out = tmp_path / "compared.html"
    result = invoke(*map(str, two), "--out", str(out))
    before = out.read_bytes()
    again = invoke(*map(str, two), "--out", str(out))

    assert result.exit_code == 0, result.exception
    assert (tmp_path / "compared/tables/matrix.csv").exists()
    assert "compared/figures/runs.svg" in out.read_text()
    assert isinstance(again.exception, RunError)
    assert "compared.html: something is there already" in str(again.exception)
    assert invoke(*map(str, two), "--out", str(out), "--overwrite").exit_code == 0
    assert out.read_bytes() == before


def test_a_page_needs_a_name_and_a_folder(two: tuple[Path, Path], tmp_path: Path) -> None:
    """Before anything is computed."""
    with pytest.raises(ConfigError, match=r"ends in \.html"):
        write_report(two[0], out=tmp_path / "page")
    with pytest.raises(RunError, match="no such folder"):
        write_report(two[0], out=tmp_path / "nowhere" / "page.html")
    (tmp_path / "taken").mkdir()
    with pytest.raises(RunError, match="taken: something is there already"):
        write_report(two[0], out=tmp_path / "taken.html")


def test_other_subjects_are_refused(two: tuple[Path, Path], tmp_path: Path, kit: Any) -> None:
    """With the sentence of the comparison, and without a page."""
    other = kit.make_run(tmp_path / "other", kit.simulated(n=50))
    with pytest.raises(DataError, match=r"first and other cannot be compared: .* subject"):
        write_report(two[0], others={"other": other})

    assert not (two[0] / "report.html").exists()
    assert "comparison" not in json.loads((two[0] / "metrics.json").read_text())


def test_two_runs_of_one_name_are_refused(two: tuple[Path, Path]) -> None:
    """One of them would be lost."""
    with pytest.raises(ConfigError, match="two runs are named 'first'"):
        write_report(two[0], others={"first": two[1]})


def test_guessing_is_said(two: tuple[Path, Path]) -> None:
    """An interval that holds 0.5 shows no discrimination; one below it a turned sign."""
    metrics = evaluate(two[1], replicates=200).to_json()
    pooled = metrics["causes"]["death"]["metrics"]["harrell_concordance_within_folds"]["pooled"]
    said = []
    for lower, upper in ((0.45, 0.55), (0.5, 0.6), (0.51, 0.6), (0.3, 0.4)):
        pooled["interval"] |= {"lower": lower, "upper": upper}
        said.append(str(summary(Numbers(metrics))[0]))

    assert ["no evidence" in words for words in said] == [True, True, False, False]
    assert ["the wrong way round" in words for words in said] == [False, False, False, True]


def test_the_title_says_what_is_predicted_from_what(two: tuple[Path, Path]) -> None:
    """Never the name of a head: the given title, the recipe's, or outcome, modalities, cohort."""
    numbers = Numbers({"causes": {"death": {}}, "model": "cox"})
    encoders = {"encoders": {"ct": {}, "blood": {}}}

    assert page_title("", RunFacts(recipe=encoders, cohort="hn"), numbers) == (
        "Predicting death from ct + blood in hn"
    )
    for inputs in (["blood"], [{"modality": "blood", "components": None}]):
        facts = RunFacts(recipe={"encoders": {}, "inputs": inputs})
        assert page_title("", facts, numbers) == "Predicting death from blood"
    assert page_title("", RunFacts(), numbers) == "Predicting death with cox"
    assert page_title("", RunFacts(recipe={"title": "Trial"}), numbers) == "Trial"
    assert page_title("Mine", RunFacts(recipe={"title": "Trial"}), numbers) == "Mine"


def test_an_older_file_of_numbers_is_enough(two: tuple[Path, Path]) -> None:
    """Metrics that an older evaluation did not know are left out, not asked for."""
    table = Predictions.read(two[0] / "predictions.parquet")
    metrics = json.loads((two[0] / "metrics.json").read_text())
    found = metrics["causes"]["death"]["metrics"]
    for key in [name for name in found if name not in (HARRELL, "brier_score")]:
        del found[key]
    for later in ("tests", "over_time", "calibration_curve"):
        metrics["causes"]["death"].pop(later, None)
    run = Run(name="old", predictions=table, metrics=metrics, facts=RunFacts())
    parts = PageParts(
        run=run,
        folder=two[0],
        numbers=Numbers(metrics),
        files=PageFiles(),
        compared=None,
        title="",
    )
    page = render(parts, beside="report")

    assert "Harrell&#39;s concordance, pairs within folds" in page
    assert "Brier score at the horizon" in page
    assert "Integrated Brier score" not in page
    assert 'id="cause-1-time"' not in page
