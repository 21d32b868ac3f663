"""A published table, run row by row on a small cohort, as a user types it and in Python."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from survkit.cli import main
from survkit.comparison import compare, holm
from survkit.component import Plugin
from survkit.data import Cohort
from survkit.errors import ConfigError
from survkit.plugins import load_plugins
from survkit.registry import Registry
from survkit.reproduction import Chosen, Reproduction, reproduce
from survkit.reproduction.table_content import RowState, TableSettings, table_content
from survkit.reproduction.table_markdown import as_markdown
from survkit.testing.plugin import PluginConformance
from survkit.training import finish_run

from .conftest import Place

KEY = "antolini_concordance_within_folds"
TABLE: dict[str, Any] = {
    "title": "Table 9: heads",
    "source": "Nobody (2020)",
    "cohort": "LUNG1",
    "metrics": [KEY, "harrell"],
    "folds": 3,
    "reference": "deep",
    "rows": [
        {
            "label": "linear",
            "recipe": "recipe.yaml",
            "published": {"value": 0.584, "sd": 0.05, "note": "read off a figure"},
        },
        {"label": "deep", "recipe": "recipe.yaml", "set": ["encoders.clinical.hidden=[8]"]},
        {"label": "wide (half)", "recipe": "recipe.yaml", "set": ["encoders.clinical.dim=8"]},
    ],
    "notes": ["Nobody knows the rest."],
}
LINE = "reproduce table.yaml --cohort cohort.yaml --out out --replicates 20 --permutations 99"


@pytest.fixture(autouse=True)
def plain_pages(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Draw no figures, which would take most of the time, but in the test that looks at pages."""
    if "share_folds" not in request.node.name:
        monkeypatch.setattr(
            "survkit.report.write_report",
            lambda run, **_: (run / "report.html").write_text("a page"),
        )


@pytest.fixture
def table(place: Place) -> Place:
    """The place with a reproduction file."""
    (place / "table.yaml").write_text(yaml.safe_dump(TABLE))
    return place


def content(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "out/table.json").read_text())
    return found


def test_rows_share_folds_and_numbers_are_those_of_their_runs(
    table: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """One division; mean over folds, pooled value, difference, p and Holm follow from the runs."""
    assert main(LINE.split()) == 0

    printed = capsys.readouterr()
    assert "row 3 of 3: wide (half)" in printed.err
    found = content(table)
    runs = {label: table / "out/rows" / slug for label, slug in
            {"linear": "linear", "deep": "deep", "wide (half)": "wide-half"}.items()}  # fmt: skip
    hashes = {json.loads((run / "run.json").read_text())["splits"] for run in runs.values()}
    assert hashes == {json.loads((table / "out/splits.json").read_text())["sha256"]}
    expected = compare(
        runs, metric=[KEY, "harrell"], reference="deep", replicates=20, permutations=99
    )
    assert all((run / "report.html").stat().st_size > 10_000 for run in runs.values())
    for metric in found["metrics"]:
        key = metric["key"]
        rows = {row["label"]: row for row in metric["rows"]}
        for label, run in runs.items():
            own = json.loads((run / "metrics.json").read_text())["causes"]["death"]["metrics"][key]
            values = [fold["value"] for fold in own["folds"]]
            assert len(values) == 3
            assert rows[label]["across_folds"]["mean"] == pytest.approx(sum(values) / 3)
            assert rows[label]["pooled"] == own["pooled"]
        p_values = [rows[one]["permutation"]["p_value"] for one in ("linear", "wide (half)")]
        assert [rows[one]["p_holm"] for one in ("linear", "wide (half)")] == holm(p_values)
        pair = expected.metrics[key].pair("linear", "deep")
        assert rows["linear"]["difference"] == pair.difference.to_json()
        assert "difference" not in rows["deep"]


def test_another_cohort_is_said_loudly_and_the_unknown_is_not_filled(table: Place) -> None:
    """The statement, the headings, n/a, the note of a derived number; and a quiet sentence where
    the cohort is the paper's.
    """
    assert main(f"{LINE} --quiet --rows linear,wide-half".split()) == 0

    text = (table / "out/table.md").read_text()
    assert "**ANOTHER COHORT: computed here on 'toy', published on 'LUNG1'." in text
    assert "| published (on LUNG1) | mean ± sd over folds (toy) |" in text
    lines = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in text.splitlines()}
    assert lines["linear"][1] == "n/a"  # the last table is of a metric that is not published
    first = text.partition("## Harrell")[0]
    assert "| linear | 0.584 ± 0.05\\* | 0." in first
    assert "| wide (half) | n/a | 0." in first
    assert "| deep | n/a | not run |" in first
    assert "\\* linear: read off a figure" in text
    assert "No differences: the reference row 'deep' has no result." in text
    rows = list(csv.DictReader((table / "out/table.csv").read_text().splitlines()))
    assert [row["published_value"] for row in rows] == ["0.584", "", "", "", "", ""]

    alike = Reproduction.parse(TABLE | {"cohort": "Toy"}, source="table.yaml")
    states = {"linear": RowState(table / "out/rows/linear")}
    settings = TableSettings(replicates=0, permutations=9)
    found = table_content(alike, Cohort.read("cohort.yaml"), states, settings)
    text = as_markdown(found)
    assert "ANOTHER COHORT" not in text
    assert "> Computed here on a cohort of the paper's name, 'toy'." in text

    bare = [{key: row[key] for key in row if key != "published"} for row in TABLE["rows"]]
    own = Reproduction.parse(TABLE | {"rows": bare}, source="table.yaml")
    found = table_content(own, Cohort.read("cohort.yaml"), states, settings)
    assert found["statement"] == "Computed on 'toy'; nothing is published of these rows."


def test_a_failed_row_does_not_lose_the_others_and_resume_keeps_them(
    table: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, the reason in the table; afterwards only what is missing is run, and the whole
    equals an uninterrupted table.
    """
    real, calls = finish_run.cross_validate, []

    def flaky(recipe: Any, cohort: Any, folder: Path, **options: Any) -> Any:
        calls.append(folder.name)
        if folder.name == "deep" and len(calls) < 3:
            raise RuntimeError("out of memory")
        return real(recipe, cohort, folder, **options)

    monkeypatch.setattr(finish_run, "cross_validate", flaky)
    assert main(f"{LINE} --quiet --rows linear,deep".split()) == 1
    assert "row 'deep' failed: out of memory" in capsys.readouterr().err
    row = content(table)["metrics"][0]["rows"][1]
    assert (row["state"], row["reason"]) == ("failed", "out of memory")
    assert "deep failed: out of memory" in (table / "out/table.md").read_text()
    assert "RuntimeError" in (table / "out/rows/deep-error.txt").read_text()
    kept = (table / "out/rows/linear/metrics.json").stat().st_mtime_ns

    assert main(f"{LINE} --quiet --rows linear,deep --resume".split()) == 0
    assert calls == ["linear", "deep", "deep"]
    assert (table / "out/rows/linear/metrics.json").stat().st_mtime_ns == kept
    assert not (table / "out/rows/deep-error.txt").exists()
    resumed = (table / "out/table.json").read_bytes()

    assert main(f"{LINE} --quiet --rows linear,deep --overwrite".split()) == 0
    assert (table / "out/table.json").read_bytes() == resumed


def test_rows_can_be_added_but_not_of_another_table(
    table: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows run before stay in the table; another seed, division or change is another table."""
    assert main(f"{LINE} --quiet --rows linear".split()) == 0
    assert main(f"{LINE} --quiet --rows deep --resume".split()) == 0
    rows = content(table)["metrics"][0]["rows"]
    assert [row["state"] for row in rows] == ["finished", "finished", "not run"]

    assert main(f"{LINE} --quiet --resume --folds 4".split()) == 2
    assert "the interrupted run had another splits" in capsys.readouterr().err
    assert main(f"{LINE} --quiet".split()) == 2
    assert "something is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metrics": ["beauty"]}, "no metric to compare by is named 'beauty'"),
        ({"reference": "best"}, "reference: no row is named 'best'"),
        ({"rows": [TABLE["rows"][0]] * 2}, "'linear' and 'linear' are named alike"),
        ({"rows": [{"label": "a,b", "recipe": "x"}]}, "rows.0.label"),
        ({"rows": []}, "rows"),
        ({"published": 3}, "unknown key 'published'"),
        ({"folds": 1}, "folds"),
    ],
)
def test_a_wrong_table_is_refused_by_its_key(change: dict[str, Any], said: str) -> None:
    """One line names the key and what came."""
    with pytest.raises(ConfigError, match=r"table\.yaml: ") as error:
        Reproduction.parse(TABLE | change, source="table.yaml")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--rows deepest", "no row is named 'deepest'. Did you mean 'deep'"),
        ("--set training.epoch=3", "row 'linear': recipe.yaml: unknown key 'training.epoch'"),
        ("--resume", "there is no interrupted run to resume"),
        ("--folds 30", "cannot be spread"),
    ],
)
def test_a_wrong_command_leaves_nothing_behind(
    words: str, said: str, table: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line, no folder."""
    assert main(f"{LINE} --quiet {words}".split()) == 2

    assert said in capsys.readouterr().err
    assert not (table / "out").exists()


def test_rows_that_cannot_stand_in_one_table_are_refused(table: Place) -> None:
    """Another validation part is another division, another horizon another question."""
    rows = [TABLE["rows"][0], TABLE["rows"][1] | {"set": ["outcome.horizon=200"]}]
    cohort = Cohort.read("cohort.yaml")
    with pytest.raises(ConfigError, match=r"outcome.horizon is 300.0 in row 'linear' and 200.0 in"):
        reproduce(Reproduction.parse(TABLE | {"rows": rows}, source="t"), cohort, "out")


def test_a_plugin_ships_tables(table: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered name reads the file of its package, and the kit checks what a plugin ships."""
    package = table / "lib/paper_tables"
    (package / "reproductions").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "reproductions/table9.yaml").write_text(yaml.safe_dump(TABLE))
    monkeypatch.syspath_prepend(str(table / "lib"))
    registry = Registry()
    load_plugins(registry, [])
    with registry.adding_for(Plugin("paper", "survkit-paper", "1")):
        registry.add(
            "reproduction", "table9", "paper_tables:reproductions/table9.yaml", summary="heads"
        )

    named = Reproduction.read("paper/table9", registry=registry)
    assert named == Reproduction.read("table.yaml")
    assert [each.full_name for each in registry.iterate("reproduction")] == ["paper/table9"]
    found = reproduce(
        named,
        Cohort.read("cohort.yaml"),
        "out",
        chosen=Chosen(rows=["linear"]),
        registry=registry,
        replicates=0,
        progress=False,
    )
    assert found.content["metrics"][0]["rows"][0]["pooled"]["interval"] is None
    sys.modules.pop("paper_tables", None)


def test_the_kit_refuses_a_table_whose_own_recipe_is_not_shipped(
    table: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that names a recipe of the same plugin must find it."""
    row = TABLE["rows"][0] | {"recipe": "session/nowhere"}
    package = table / "lib/lost_tables"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "t.yaml").write_text(yaml.safe_dump(TABLE | {"rows": [row], "reference": None}))
    monkeypatch.syspath_prepend(str(table / "lib"))

    class Kit(PluginConformance):
        plugin = "session"

        def registry(self) -> Registry:
            registry = Registry()
            registry.add("reproduction", "t", "lost_tables:t.yaml", summary="lost")
            return registry

    with pytest.raises(AssertionError, match="session/t"):
        Kit().test_every_reproduction_is_read()
    sys.modules.pop("lost_tables", None)


def test_a_damaged_row_is_said(table: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A run.json that was cut off is not taken for an unfinished run, and nothing is deleted."""
    assert main(f"{LINE} --quiet --rows linear".split()) == 0
    (table / "out/rows/linear/run.json").write_text("{")

    assert main(f"{LINE} --quiet --rows linear --resume".split()) == 1
    assert "row 'linear' failed: out/rows/linear/run.json: damaged" in capsys.readouterr().err
    assert (table / "out/rows/linear/predictions.parquet").is_file()


def test_rows_start_from_trained_weights(table: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """The run is named on the command line; what it has seen may not be tested by a row either."""
    rows = [TABLE["rows"][0] | {"init_from": "pretrained"}, TABLE["rows"][1]]
    table.yaml("table.yaml", lambda found: found.update(rows=rows))
    line = f"{LINE} --quiet --rows linear"

    assert main(line.split()) == 2
    assert "row 'linear' starts from trained weights: give --init-from pretrained=RUN" in (
        capsys.readouterr().err
    )
    assert main(f"{line} --init-from other=cv --init-from pretrained=cv".split()) == 2
    assert "no row that is run starts from 'other'" in capsys.readouterr().err
    assert main(f"{line} --init-from pretrained=fitted".split()) == 1
    assert "row 'linear' failed: repeat-0-fold-0: 12 of the 12 test" in capsys.readouterr().err

    assert main(f"{line} --init-from pretrained=cv --resume".split()) == 0
    facts = json.loads((table / "out/rows/linear/fold-2/training.json").read_text())
    assert facts["init"]["source"] == "cv:fold-2"
    assert content(table)["metrics"][0]["rows"][0]["init_from"] == "pretrained"
