"""What the page shows beside the metrics: subjects, tests, times, attention, audit, checklist."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from survkit.errors import RunError
from survkit.evaluation.metric_names import HARRELL
from survkit.report.checklist import checklist_table
from survkit.report.checklist_items import PARTS
from survkit.report.figure import canvas, picture
from survkit.report.numbers import shown
from survkit.report.page_files import PageFiles
from survkit.report.tables import Table
from survkit.report.write_report import write_report

SOURCES = {"cohort.json": ".", "attention.json": "report", "comparison.json": "report"}


@pytest.fixture(scope="module")
def page(full_page: Path, kit: Any) -> Any:
    return kit.Page(full_page)


def test_every_number_equals_its_file(full_page: Path, page: Any, kit: Any) -> None:
    """Each number is the rounded value at its place in the file that its mark names."""
    folder = full_page.parent
    metrics = json.loads((folder / "metrics.json").read_text())
    assert len(page.numbers) > 100
    for mark, style, text in page.numbers:
        assert text == shown(kit.value_at(metrics, mark), style), mark
    held = {name: json.loads((folder / at / name).read_text()) for name, at in SOURCES.items()}
    assert {source for source, *_ in page.others} == set(SOURCES)
    for source, mark, over, style, text in page.others:
        value = kit.value_at(held[source], mark)
        if over:
            value /= kit.value_at(held[source], over)
        assert text == shown(value, style), (source, mark)


def test_no_result_is_written_without_its_mark(page: Any) -> None:
    """Whatever looks like a result and is not marked would escape the comparison."""
    body = page.unmarked.split("</style>")[-1]

    assert re.findall(r"\b\d\.\d{3}\b|\b\d+\.\d%", body) == []


def test_places_are_named_once_and_links_lead_to_them(page: Any) -> None:
    """Two places of one name would send a reader to the wrong one."""
    assert len(page.ids) == len(set(page.ids))
    assert all(a.startswith(("data:", "#")) for a in page.addresses)
    assert [a for a in page.addresses if a.startswith("#") and a[1:] not in page.ids] == []
    assert "script" not in page.tags


def test_the_sections_stand_in_the_contents(page: Any) -> None:
    """Everything that the run has is a section with an entry in the contents."""
    for name in (
        *("cohort", "cause-1", "cause-2", "comparison", "attention", "learning", "audit"),
        *("protocol", "checklist", "meaning", "files"),
    ):
        assert name in page.ids
        assert f"#{name}" in page.addresses


def test_later_keys_are_told(page: Any) -> None:
    """The log-rank test says what it is with competing causes; curves over time are drawn."""
    text = " ".join(page.text.split())
    alts = [found["alt"] for found in page.pictures]

    assert "χ² = 12.3 with 2 degrees of freedom, p < 0.001" in text
    assert "Gray's test would, and is another test" in text
    assert "D-calibration: not defined: too few." in text
    assert any("over time in days: 0.713 at 200; 0.688 at 400." in alt for alt in alts)
    assert "Not defined at 1 of 3 times." in text


def test_subjects_are_told_in_counts(page: Any) -> None:
    """The flow, who was left out, what is missing; a group of two has no statistics."""
    text = " ".join(page.text.split())
    alts = " ".join(found["alt"] for found in page.pictures)

    assert "table, n = 92; left out: event missing (outcome.unknown: exclude), n = 2" in alts
    assert "61.2 (10.0)61 [55.2, 68]missing: 6" in text
    assert "Median follow-up 812 days (reverse Kaplan–Meier)." in text
    assert "60 (66.7%)" in text


def test_audit_findings_come_first(page: Any) -> None:
    """Errors stand above notes, and the top of the page says that there are some."""
    assert page.text.index("a <subject> in both parts") < page.text.index("one seed")
    assert "The audit of this run found errors" in page.text
    assert "2 rules were checked: 1 error, 1 note." in page.text


def test_runs_are_compared(full_page: Path, page: Any) -> None:
    """Matrix, pairs and influential subjects of both causes are on the page and beside it."""
    found = json.loads((full_page.parent / "report/comparison.json").read_text())
    pair = found["causes"]["death"]["metrics"]["harrell_concordance_within_folds"]["pairs"][0]
    with (full_page.parent / "report/tables/pairs-1.csv").open() as file:
        row = next(csv.DictReader(file))

    assert (row["first"], row["second"]) == ("fused", "other")
    assert float(row["value"]) == pair["difference"]["value"]
    assert float(row["p_holm"]) == pair["p_holm"]
    assert pair["verdict"] in page.text
    assert pair["influential"][0]["subject"] in page.text


def test_every_figure_and_table_lies_beside_the_page(full_page: Path, page: Any) -> None:
    """All listed files are there, whole, and named on the page; nothing else is."""
    folder = full_page.with_suffix("")
    made = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    with (folder / "contents.csv").open() as file:
        listed = {row[0] for row in list(csv.reader(file))[1:]}

    assert made == listed | {"contents.csv"}
    assert len([name for name in listed if name.endswith(".svg")]) == len(page.pictures)
    for name in listed:
        assert f"report/{name}" in page.text
        assert (folder / name).stat().st_size > 20
    with (folder / "tables/cause-1-metrics.csv").open() as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    metrics = json.loads((full_page.parent / "metrics.json").read_text())
    held = metrics["causes"]["death"]["metrics"]["brier_score"]["pooled"]["value"]
    assert float(rows["brier_score"]["value"]) == held
    assert rows["brier_score"]["group"] == "overall"


def test_figures_of_an_earlier_page_are_taken_away_and_nothing_else(
    tmp_path: Path, kit: Any
) -> None:
    """Without its logs a run has no learning curve, and no old one either."""
    run = kit.make_run(tmp_path / "run", kit.simulated(n=30), kit.FILES)
    write_report(run)
    figures = run / "report" / "figures"
    (figures / "mine.svg").write_text("<svg/>")
    assert (figures / "learning.svg").exists()
    for log in run.glob("fold-*/log.csv"):
        log.unlink()
    write_report(run)

    assert not (figures / "learning.svg").exists()
    assert (figures / "mine.svg").exists()


def test_a_summary_of_other_subjects_is_refused(full_run: Path) -> None:
    """A cohort.json that does not belong to the predictions would tell of other people."""
    content = json.loads((full_run / "cohort.json").read_text())
    (full_run / "cohort.json").write_text(json.dumps(content | {"subjects": 12}))
    with pytest.raises(
        RunError, match="speaks of 12 predicted subjects, but the predictions are of 90"
    ):
        write_report(full_run)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("audit.json", "{", r"audit\.json: damaged"),
        ("audit.json", '{"format": 2}', "format 1 was expected, not 2"),
        ("cohort.json", "[]", "format 1 was expected, not list"),
        ("splits.json", "{", r"splits\.json: damaged"),
        ("run.json", "[]", r"run\.json: damaged \(it holds list"),
        ("stress/stress.json", '{"format": 1}', r"stress\.json: damaged \(KeyError"),
        ("fold-0/attention.parquet", "PAR1", r"attention\.parquet: damaged"),
    ],
)
def test_damaged_files_are_refused(full_run: Path, name: str, content: str, words: str) -> None:
    """One line names the file."""
    (full_run / name).parent.mkdir(exist_ok=True)
    (full_run / name).write_text(content)
    with pytest.raises(RunError, match=words):
        write_report(full_run)


def test_a_damaged_list_of_files_is_refused(tmp_path: Path) -> None:
    """What an earlier page left cannot be told from what somebody else did."""
    (tmp_path / "contents.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(RunError, match="not a list of files"):
        PageFiles().write(tmp_path)


def test_stress_is_shown_where_it_was_run(
    tmp_path: Path, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures and the table of the stress test are called with its file."""

    def figures(content: dict[str, Any]) -> tuple[Any, ...]:
        with canvas(3, 2) as figure:
            figure.subplots().plot([0, 1])
            return (picture(figure, alt=f"noise in {content['metric']} 1", caption="noise"),)

    def table(content: dict[str, Any]) -> Table:
        return Table(title="Degradation", caption="", labels=("a", "b"), rows=(("x", "y"),))

    module = SimpleNamespace(stress_figures=figures, stress_table=table)
    monkeypatch.setitem(sys.modules, "survkit.report.stress_figure", module)
    result = {"value": 0.6125, "interval": None, "method": "", "n": 30, "events": 9}
    subset = {"modalities": ["ct"], "subjects": 30, "noisy": result, "difference": result}
    whole = subset | {"modalities": ["ct", "pet"]}
    content = {"format": 1, "metric": HARRELL, "subsets": [whole, subset]}
    files = {"stress/stress.json": json.dumps(content)}
    run = kit.make_run(tmp_path / "run", kit.simulated(n=30), files)
    page = kit.Page(write_report(run))

    assert "stress" in page.ids
    assert f"noise in {HARRELL} 1" in [found["alt"] for found in page.pictures]
    assert (run / "report/figures/stress-1.svg").exists()
    assert (run / "report/tables/degradation.csv").read_text() == "a,b\nx,y\n"
    assert ("stress.json", "subsets/1/noisy/value", "", "three", "0.613") in page.others
    assert (run / "report/figures/forest-modalities.svg").exists()
    (run / "stress/stress.json").write_text(json.dumps(content | {"predictions": "other"}))
    with pytest.raises(RunError, match="of other predictions"):
        write_report(run)


def test_the_checklist_has_all_items_in_order() -> None:
    """27 numbered items with their letters; nothing is reported on a page without places."""
    records = checklist_table(set()).records
    numbers = [record["item"] for record in records]
    plain = [int(re.sub(r"\D", "", number)) for number in numbers]

    assert sorted(set(plain)) == list(range(1, 28))
    assert len(numbers) == len(set(numbers)) == sum(map(len, PARTS.values())) == 52
    assert plain == sorted(plain)
    assert {record["state"] for record in records} == {"to be written by the authors"}


def test_the_checklist_follows_the_page(page: Any, kit: Any, tmp_path: Path) -> None:
    """Flow and table 1 are reported where cohort.json is, and left to the authors where not."""
    bare = kit.make_run(tmp_path / "bare", kit.simulated(n=30))
    write_report(bare)

    def states(folder: Path) -> dict[str, str]:
        with (folder / "report/tables/tripod-ai-checklist.csv").open() as file:
            return {row["item"]: row["state"] for row in csv.DictReader(file)}

    without = states(bare)
    assert without["20a"] == "to be written by the authors"
    assert without["17"] == "to be written by the authors"
    assert without["12g"] == "reported here"
    assert "Reported here: Flow of subjects" in page.text
