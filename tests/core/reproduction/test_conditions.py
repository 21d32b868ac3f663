"""Rows tested under worse inputs: the same subjects and seeds in all rows, numbers that follow."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from survkit.cli import main
from survkit.comparison import compare, holm
from survkit.errors import ConfigError
from survkit.evaluation import Predictions, concatenate, evaluate
from survkit.reproduction import Reproduction
from survkit.stress.chance import chosen
from survkit.stress.measure import mixed

from .conftest import CONDITION, KEY, NOISE, table

PART = "pet:poisson-noise:high"


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished table, in which commands are typed."""
    folder = Path(shutil.copytree(made, tmp_path / "place"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SURVKIT_CACHE", str(folder / "cache"))
    monkeypatch.setattr(
        "survkit.report.write_report",
        lambda run, **_: (run / "report.html").write_text("a page"),
    )
    return folder


def content(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "out/table.json").read_text())
    return found


def rows(found: dict[str, Any], metric: int = 0) -> dict[str, Any]:
    return {row["label"]: row for row in found["metrics"][metric]["rows"]}


def noisy(place: Path, label: str) -> Predictions:
    """Mix a row's predictions again from the files of its stress test, seeds as repeats."""
    if label == "blind":
        tables = [Predictions.read(place / "out/rows/blind/predictions.parquet")] * 2
    else:
        folder = place / f"out/conditions/noisy/{label}/predictions"
        clean = Predictions.read(folder / "clean.parquet")
        tables = []
        for seed in (0, 1):
            (file,) = folder.glob(f"*.seed-{seed}.parquet")
            tables.append(mixed(clean, Predictions.read(file), chosen(clean, 0.5, seed)))
    return concatenate([replace(each, repeat=each.repeat + k) for k, each in enumerate(tables)])


def test_numbers_are_those_of_the_corrupted_predictions(made: Path) -> None:
    """Value, loss and folds follow from the stress test's files; what stress.json says is equal."""
    found = rows(content(made))
    for label in ("both", "blood"):
        own = found[label]["conditions"]["noisy"]
        stress = json.loads((made / f"out/conditions/noisy/{label}/stress.json").read_text())
        said = stress["corruptions"][0]["fractions"][0]
        metric = evaluate(noisy(made, label), replicates=0).causes["death"].metrics[KEY]

        assert own["pooled"]["value"] == pytest.approx(said["noisy"]["value"])
        assert own["degradation"]["value"] == pytest.approx(said["degradation"]["value"])
        assert own["clean"]["value"] == pytest.approx(found[label]["pooled"]["value"], abs=1e-6)
        values = np.array([one.result.value for one in metric.folds]).reshape(2, 2)  # seed, fold
        assert own["across_folds"]["mean"] == pytest.approx(values.mean())
        assert own["across_folds"]["sd"] == pytest.approx(values.mean(axis=0).std(ddof=1))
        assert own["pooled"]["value"] < own["clean"]["value"] - 0.05


def test_rows_are_compared_on_their_corrupted_predictions(made: Path) -> None:
    """Difference, permutation test and Holm are those of the tables with seeds as repeats, not of
    the clean ones.
    """
    found = content(made)
    tables = {label: noisy(made, label) for label in ("both", "blood", "blind")}
    expected = compare(
        tables, metric=[KEY, "ibs"], reference="both", replicates=20, permutations=99
    )
    for place, key in enumerate((KEY, "integrated_brier_score")):
        own = {label: row["conditions"]["noisy"] for label, row in rows(found, place).items()}
        p_values = [own[label]["permutation"]["p_value"] for label in ("blood", "blind")]
        for label in ("blood", "blind"):
            pair = expected.metrics[key].pair(label, "both")
            assert own[label]["difference"] == pair.difference.to_json()
            assert own[label]["permutation"] == pair.permutation.to_json()
        assert [own[label]["p_holm"] for label in ("blood", "blind")] == holm(p_values)
        assert "difference" not in own["both"]


def test_what_a_model_does_not_read_is_left_out_and_said(made: Path) -> None:
    """No row reads PET; one reads nothing that is corrupted and stays as it is, without a stress
    test.
    """
    states = content(made)["conditions"]["noisy"]["rows"]
    blind = rows(content(made))["blind"]
    text = (made / "out/table.md").read_text()

    assert states["both"]["left_out"] == [PART]
    assert states["both"]["reached"]
    assert not states["blind"]["reached"]
    assert blind["conditions"]["noisy"]["pooled"]["value"] == pytest.approx(
        blind["pooled"]["value"]
    )
    assert blind["conditions"]["noisy"]["degradation"]["value"] == 0
    assert blind["conditions"]["noisy"]["across_folds"] == pytest.approx(blind["across_folds"])
    assert not (made / "out/conditions/noisy/blind").exists()
    assert f"† both, noisy: left out, as its model has no such input: {PART}" in text
    assert "† blind, noisy: its model reads nothing that is corrupted" in text


def test_without_a_data_set_all_published_numbers_are_shown(made: Path) -> None:
    """A column per data set, n/a where nothing is printed, notes with their data set."""
    text = (made / "out/table.md").read_text()
    lines = csv.DictReader((made / "out/table.csv").read_text().splitlines())
    both = [line for line in lines if line["row"] == "both"]

    assert "| row | published (HECKTOR) | published (H&N1) | mean ± sd over folds (toy) |" in text
    assert "| both | 0.771 ± 0.13 | 0.742 | 0." in text
    assert "| both † | 0.742 ± 0.14\\* | 0.702 | 0." in text
    assert "| blood | n/a | n/a | 0." in text
    assert f"noisy: {NOISE} at 50% of the test subjects, 2 seeds" in text
    assert "\\* both, HECKTOR, noisy: misprinted" in text
    assert [line["condition"] for line in both] == ["clean", "noisy"] * 2
    assert both[1]["published_columns"] == "HECKTOR 0.742 ± 0.14; H&N1 0.702"
    assert "ANOTHER COHORT" in text


def test_a_data_set_is_chosen_by_name_or_by_the_cohort(place: Path) -> None:
    """Its numbers alone are shown and its changes apply to every row; another data set is another
    table.
    """
    line = "reproduce table.yaml --cohort cohort.yaml --quiet --replicates 0 --rows both"
    assert main([*line.split(), "--out", "named", "--column", "H&N1"]) == 0
    named = json.loads(Path("named/table.json").read_text())
    text = Path("named/table.md").read_text()
    assert "| row | published (on HN1) | mean" in text
    assert "| both | 0.742 | 0." in text
    assert "HECKTOR" not in text
    assert named["run"]["horizon"] == 250
    assert rows(named)["both"]["conditions"]["noisy"]["published"]["value"] == 0.702

    cohort = yaml.safe_load(Path("cohort.yaml").read_text())
    Path("cohort.yaml").write_text(yaml.safe_dump(cohort | {"name": "hn1"}))
    table = Reproduction.read("table.yaml")
    assert table.column(None, "hn1") == "H&N1"
    assert table.column(None, "toy") is None
    with pytest.raises(ConfigError, match=r"column: there is no 'HN'. Did you mean 'H&N1'"):
        table.column("HN", "hn1")


def test_resume_keeps_conditions_and_a_new_training_makes_them_anew(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is predicted again for finished rows; the table is the same to the byte."""
    from survkit.reproduction import row_condition as module

    calls: list[str] = []
    real = module.stress_run

    def counted(run: Path, *given: Any, **options: Any) -> Any:
        calls.append(Path(run).name)
        return real(run, *given, **options)

    monkeypatch.setattr(module, "stress_run", counted)
    before = (place / "out/table.json").read_bytes()
    line = "reproduce table.yaml --cohort cohort.yaml --out out --quiet --replicates 20"
    again = [*line.split(), "--permutations", "99", "--resume"]

    assert main(again) == 0
    assert calls == []
    assert (place / "out/table.json").read_bytes() == before

    shutil.rmtree(place / "out/rows/blood")
    assert main(again) == 0
    assert calls == ["blood"]
    assert (place / "out/table.json").read_bytes() == before


def test_a_condition_that_fails_keeps_the_clean_numbers(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and the reason, in the row's place under the condition alone."""
    from survkit.errors import DataError
    from survkit.reproduction import row_condition as module

    def broken(*_: Any, **__: Any) -> Any:
        raise DataError("the scans are gone")

    monkeypatch.setattr(module, "stress_run", broken)
    line = "reproduce table.yaml --cohort cohort.yaml --out new --quiet --replicates 0"
    assert main([*line.split(), "--rows", "both"]) == 1

    assert "row 'both, noisy' failed: the scans are gone" in capsys.readouterr().err
    found = rows(json.loads(Path("new/table.json").read_text()))["both"]
    assert found["state"] == "finished"
    assert found["conditions"]["noisy"]["state"] == "failed"
    text = Path("new/table.md").read_text()
    assert "| both † | 0.742 ± 0.14\\* | 0.702 | failed | – |" in text
    assert "both, noisy, failed: the scans are gone" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"corruption": "blood:colum-noise"}, "row 'both': no corruption is named 'colum-noise'"),
        ({"corruption": "blood:gaussian-noise"}, "gaussian-noise applies to image and volume"),
        (
            {"corruption": "bloood:column-noise"},
            "conditions.noisy: bloood:column-noise is about no modality of the cohort",
        ),
        ({"corruption": "blood:column-noise +"}, "nothing is on one side of it"),
        ({"fraction": 0.0}, "conditions.noisy.fraction"),
        ({"seeds": 0}, "conditions.noisy.seeds"),
    ],
)
def test_a_wrong_condition_is_refused_before_anything_trains(
    change: dict[str, Any], said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one sentence, no folder."""
    bent = table(conditions={"noisy": CONDITION | change})
    Path("bent.yaml").write_text(yaml.safe_dump(bent))

    line = "reproduce bent.yaml --cohort cohort.yaml --out bent --quiet"
    assert main(line.split()) == 2
    assert said in capsys.readouterr().err
    assert not Path("bent").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"columns": {}}, "columns of 'both': there is no 'HECKTOR'"),
        ({"conditions": {"noise": CONDITION}}, "there is no 'noisy'. Did you mean 'noise'"),
        ({"conditions": {"clean": CONDITION}}, "'clean' is every table's own"),
        ({"rows": [{"label": "a", "recipe": "x", "published": {"value": 1.0}}]}, "no data set"),
        ({"rows": [{"label": "a", "recipe": "x", "published": {"value": 73.4}}]}, "not 73.4"),
        ({"rows": [{"label": "a", "recipe": "x", "published": {"value": -0.1}}]}, "not -0.1"),
        ({"figure": {"kind": "robustness", "condition": "wet"}}, "figure.condition"),
        (
            {"figure": {"kind": "robustness", "condition": "noisy", "shares": [0.5, 0.1]}},
            "shares: increasing",
        ),
        (
            {
                "figure": {
                    "kind": "kaplan-meier",
                    "condition": "noisy",
                    "published": [{"row": "bth", "value": 0.1}],
                }
            },
            "figure.published: no row is named 'bth'",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change: dict[str, Any], said: str) -> None:
    """Numbers of data sets, conditions and rows that are not there."""
    with pytest.raises(ConfigError) as error:
        Reproduction.parse(table(**change), source="table.yaml")
    assert said in str(error.value)
