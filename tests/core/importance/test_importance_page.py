"""The command line prints the groups, and the report shows them with every number marked."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from survkit.cli import main
from survkit.errors import RunError
from survkit.report import write_report
from survkit.report.importance_section import importance_figure
from survkit.report.numbers import shown

LINE = "importance linear --cohort cohort.yaml --repeats 2 --replicates 20 --groups groups.yaml"
MARK = re.compile(
    r'<span data-key="([^"]+)" data-style="([a-z]+)" data-source="importance.json">([^<]+)</span>'
)


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A run of which the command has been asked; what it printed is still to be read."""
    monkeypatch.chdir(place)
    (place / "groups.yaml").write_text("other values: [ldh, psa]\n")
    assert main(LINE.split()) == 0
    return place / "linear"


def test_the_table_of_the_command_is_that_of_the_files(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Groups in the order of their importance, with what the numbers mean and where they lie."""
    printed = capsys.readouterr().out
    content = json.loads((run / "importance/importance.json").read_text())
    with (run / "importance/importance.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    names = [entry["name"] for entry in content["groups"]]
    assert names == ["blood: crp", "blood: other values"]
    assert [row["group"] for row in rows] == names
    for entry, row in zip(content["groups"], rows, strict=True):
        value = entry["importance"]["value"]
        assert float(row["importance"]) == value
        assert f"{value:+.3f}" in printed
        assert float(row["repeat_sd"]) == entry["repeat_sd"]
        assert float(row["gradient"]) == entry["gradient"]["value"]
        assert row["importance_not_defined"] == ""
    assert rows[1]["columns"] == "ldh psa"
    words = " ".join(printed.split())
    assert "drop of concordance when the features of a group are exchanged" in words
    assert "Correlated groups share importance or hide it" in words
    assert printed.splitlines()[-1] == str(Path("linear/importance/importance.json"))
    assert (run / "importance/forest.svg").read_bytes().startswith(b"<?xml")


def test_the_page_shows_the_forest_and_says_what_it_means(run: Path) -> None:
    """The section stands in the contents; each number is the rounded value of its place."""
    page = write_report(run).read_text(encoding="utf-8")
    content = json.loads((run / "importance/importance.json").read_text())
    marked = MARK.findall(page)

    assert '<a href="#importance">Feature groups</a>' in page
    assert "share importance or hide it" in page
    assert (run / "report/figures/importance.svg").is_file()
    assert len(marked) == 2 * (3 + 1 + 3 + 3)
    for place, style, text in marked:
        value: Any = content
        for step in place.split("/"):
            value = value[int(step) if isinstance(value, list) else step]
        assert text == shown(value, style), place


def test_a_file_of_other_predictions_is_refused(run: Path) -> None:
    """As is a damaged one: a page never mixes two runs."""
    file = run / "importance/importance.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"predictions": "other"}))
    with pytest.raises(RunError, match="of other predictions"):
        write_report(run)
    file.write_text(json.dumps({"format": 1, "predictions": content["predictions"]}))
    with pytest.raises(RunError, match=r"importance\.json: damaged \(KeyError"):
        write_report(run)


def test_many_groups_are_left_to_the_table() -> None:
    """A picture of hundreds of columns could not be read; what is left out is counted."""
    result = {"value": 0.1, "interval": None}
    groups = [{"name": f"g{k}", "importance": result} for k in range(40)]
    content = {"groups": groups, "metric_label": "C", "cause": "death"}
    figure = importance_figure(content)
    undefined = [{"name": "g", "importance": {"reason": "no event"}}]

    assert figure is not None
    assert "g29" in figure.alt
    assert "g30" not in figure.alt
    assert "10 groups of less" in figure.caption
    assert importance_figure(content | {"groups": undefined}) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("importance baseline --cohort cohort.yaml", "which a baseline"),
        ("importance linear --cohort nowhere.yaml", "nowhere.yaml"),
        ("importance linear --cohort cohort.yaml --groups none.yaml", "there is no such file"),
        ("importance linear --cohort cohort.yaml --metric ibs", "must be harrell or antolini"),
        ("importance linear --cohort cohort.yaml --device abacus", "--device abacus cannot"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    line: str,
    message: str,
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No traceback."""
    monkeypatch.chdir(made)

    assert main(line.split()) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1
