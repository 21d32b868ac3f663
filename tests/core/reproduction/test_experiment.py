"""``survkit reproduce`` of an experiment: what is written, what is refused, what is left behind."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joblib.externals.loky import get_reusable_executor

from survkit.cli import main
from survkit.component import Component, Plugin
from survkit.errors import ConfigError, DataError, PluginError, RunError
from survkit.findings import Curve, Measure
from survkit.registry import Registry
from survkit.reproduction import run_experiment
from survkit.reproduction.named import names_experiment

TOY = '''
"""Draws nothing: its numbers follow from part, seed and settings."""

from survkit.findings import Curve, ExperimentFigure, ExperimentPlan, Findings, Measure


class Toy:
    """Tells its seed."""

    def __init__(self, *, scale: float = 1.0, undefined: int = -1, odd: bool = False) -> None:
        self.scale, self.undefined, self.odd = scale, undefined, odd

    @property
    def plan(self) -> ExperimentPlan:
        figure = ExperimentFigure("line", "A line", "x", "y", "It rises.")
        return ExperimentPlan(
            title="Toy", source="Nobody (2020).", reference="expected | by nobody",
            parts=("low", "high"), figures=(figure,), notes=("A note.",),
        )

    def __call__(self, part: str, *, seed: int) -> Findings:
        value = self.scale * seed + (part == "high")
        measures = [Measure("seed", value, (0.5, 1.5)), Measure("constant", 2.0, (2.0, 2.0))]
        if seed == self.undefined:
            measures.append(Measure("rare", float("nan"), reason="no pair"))
        else:
            measures.append(Measure("rare", 1.0))
        if self.odd and seed % 2:
            measures.reverse()
        return Findings(tuple(measures), (Curve("line", "rising", (0.0, 1.0), (0.0, value)),))
'''


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry with the toy experiment, which the command line sees too."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/toy_experiment.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    monkeypatch.chdir(tmp_path)
    registry = Registry()
    with registry.adding_for(Plugin("paper", "survkit-paper", "1.2")):
        registry.add("experiment", "toy", "toy_experiment:Toy", summary="tells its seed")
        registry.add("reproduction", "table1", "toy_experiment:t.yaml", summary="a table")
    monkeypatch.setattr("survkit.plugins.default_registry", lambda: registry)
    yield registry
    sys.modules.pop("toy_experiment", None)


@pytest.fixture
def toy(registry: Registry) -> Component:
    return registry.find("experiment", "toy")


def result(folder: str = "out") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(folder, "result.json").read_text())
    return found


@pytest.mark.usefixtures("registry")
def test_mean_and_range_over_seeds_stand_beside_the_reference(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """2 x seeds 0, 1, 5 in 'low', one more in 'high'; the heading says whose the reference is."""
    assert (
        main(["reproduce", "paper/toy", "--out", "out", "--seeds", "0,1,5", "--set", "scale=2"])
        == 0
    )

    text = capsys.readouterr().out
    assert text.startswith(Path("out/table.md").read_text())
    assert "| measure | here: mean of 3 seeds (lowest to highest) | expected / by nobody |" in text
    low, high = text.split("## high")
    assert "| seed | 4.000 (0.000 to 10.000) | 0.5 to 1.5 |" in low
    assert "| seed | 5.000 (1.000 to 11.000) | 0.5 to 1.5 |" in high
    assert "| constant | 2.000 (2.000 to 2.000) | 2 |" in high
    assert "| rare | 1.000 (1.000 to 1.000) | n/a |" in high
    assert "](line.svg)" in text
    assert "- A note." in text
    first = result()["parts"][0]["measures"][0]
    assert first["values"] == [0, 2, 10]
    assert result()["parts"][1]["curves"][0]["y"] == [[0, 1], [0, 3], [0, 11]]
    rows = list(csv.DictReader(Path("out/table.csv").read_text().splitlines()))
    assert [row["mean"] for row in rows if row["measure"] == "seed"] == ["4.0", "5.0"]
    assert rows[2]["reference_lowest"] == ""


def test_the_settings_in_full_are_stored(toy: Component) -> None:
    """Enough to run it again: the defaults too, who provides it, and which version."""
    run_experiment(toy, "out", seeds=[3], settings={"scale": 2})

    described = json.loads(Path("out/experiment.json").read_text())
    assert described["settings"] == {"scale": 2, "undefined": -1, "odd": False}
    assert (described["experiment"], described["seeds"]) == ("paper/toy", [3])
    assert (described["distribution"], described["version"]) == ("survkit-paper", "1.2")
    assert "| seed | 6.000 | 0.5 to 1.5 |" in Path("out/table.md").read_text()
    assert {path.name for path in Path("out").iterdir()} == {
        "experiment.json", "line.svg", "result.json", "table.csv", "table.md",
    }  # fmt: skip


def test_what_rounds_to_zero_has_no_sign(toy: Component) -> None:
    run_experiment(toy, "out", seeds=[1], settings={"scale": -0.0001})

    assert "| seed | 0.000 | 0.5 to 1.5 |" in Path("out/table.md").read_text()


def test_what_one_seed_cannot_compute_is_not_averaged(toy: Component) -> None:
    """The other seeds do not stand for it, and the reason is told."""
    run_experiment(toy, "out", seeds=[0, 1], settings={"undefined": 1})

    rare = result()["parts"][0]["measures"][2]
    assert (rare["values"], rare["mean"], rare["reason"]) == ([1, None], None, "seed 1: no pair")
    text = Path("out/table.md").read_text()
    assert "| rare | n/a | n/a |" in text
    assert "- rare is not defined, seed 1: no pair" in text


def test_processes_find_the_same(toy: Component) -> None:
    """Two at a time give the files of one at a time, byte for byte, and progress is told."""
    get_reusable_executor().shutdown(wait=True)  # older workers do not know where the toy is
    told: list[tuple[int, int]] = []
    run_experiment(toy, "one", seeds=[0, 1], progress=lambda *each: told.append(each))
    run_experiment(toy, "two", seeds=[0, 1], jobs=2)

    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    for path in Path("one").iterdir():
        assert path.read_bytes() == Path("two", path.name).read_bytes()


def test_a_folder_is_replaced_only_when_asked_and_only_by_a_whole_one(
    toy: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An experiment stays until the next is complete; what is no experiment stays for good."""
    run_experiment(toy, "out", seeds=[0])
    with pytest.raises(RunError, match="is there already; give --overwrite"):
        run_experiment(toy, "out", seeds=[1])
    with monkeypatch.context() as broken:
        broken.setattr("toy_experiment.Findings", None)
        with pytest.raises(TypeError):
            run_experiment(toy, "out", seeds=[1], overwrite=True)
    assert result()["seeds"] == [0]

    run_experiment(toy, "out", seeds=[1], overwrite=True)
    assert result()["seeds"] == [1]
    Path("out/letter.txt").touch()
    with pytest.raises(RunError, match=r"'letter\.txt' is no part of the experiment there"):
        run_experiment(toy, "out", seeds=[1], overwrite=True)
    Path("mine").mkdir()
    Path("mine/letter.txt").touch()
    with pytest.raises(RunError, match="mine: holds no experiment of survkit"):
        run_experiment(toy, "mine", seeds=[0], overwrite=True)
    assert {path.name for path in Path().iterdir()} == {"lib", "out", "mine"}


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("paper/toy --cohort c.yaml --folds 3", "--cohort and --folds are options of published"),
        ("toy --column A", "--column is an option of published tables; 'toy' is an experiment"),
        ("toy --seed 3", "--seed is an option of published tables"),
        ("toy --resume", "takes --out, --set, --jobs, --overwrite, --quiet, --seeds"),
        ("paper/table1 --seeds 1,2", "--seeds is an option of experiments; 'paper/table1' is a"),
        ("t.yaml", "a published table is run on a cohort; give its file with --cohort"),
        ("toy --seeds 1,x", "--seeds takes whole numbers separated by commas, such as 0,1,2"),
        ("toy --seeds 1,1", "seed 1 is given twice"),
        ("toy --seeds=-1", "a seed is a whole number from 0 on, not -1"),
        ("toy --jobs 0", "jobs must be 1 or more"),
        ("toy --set scal=2", "experiment 'paper/toy' has no setting 'scal'. Did you mean 'scale'"),
        ("toy --set scale=wide", "setting 'scale' must be a number, not \"wide\""),
        ("paper/toi", "no experiment is named 'paper/toi'. Did you mean 'paper/toy'?"),
        ("paper/tabel1", "no reproduction is named 'paper/tabel1'. Did you mean 'paper/table1'?"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, exit code 2, nothing written."""
    rows = "rows: [{label: a, recipe: b.yaml}]"
    Path("t.yaml").write_text(f"{{title: T, source: S, cohort: C, metrics: [harrell], {rows}}}")
    assert main(["reproduce", *words.split(), "--out", "out"]) == 2

    assert said in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_name_of_both_kinds_is_ambiguous(registry: Registry) -> None:
    """A bare name that a table and an experiment share asks for the full one, which is unique."""
    with registry.adding_for(Plugin("other", "survkit-other", "1")):
        registry.add("reproduction", "toy", "toy_experiment:t.yaml", summary="a table")

    with pytest.raises(ConfigError, match="'toy' is ambiguous: reproduction 'other/toy' and exper"):
        names_experiment("toy", registry)
    assert names_experiment("paper/toy", registry)
    assert not names_experiment("other/toy", registry)
    assert not names_experiment("toy.yaml", registry)


def test_seeds_must_find_the_same_things(toy: Component) -> None:
    """A mean over different measures would be of nothing."""
    with pytest.raises(PluginError, match="'paper/toy', low: seed 1 finds other measures"):
        run_experiment(toy, "out", seeds=[0, 1], settings={"odd": True})
    assert not Path("out").exists()


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_a_measure_is_finite_or_says_why_not(value: float) -> None:
    """Neither infinity, nor NaN without a reason, nor a reason beside a number."""
    with pytest.raises(DataError, match="finite, or NaN with a reason"):
        Measure("lost", value)
    with pytest.raises(DataError, match="finite, or NaN with a reason"):
        Measure("found", 1.0, reason="none")
    with pytest.raises(DataError, match="finite and equally many"):
        Curve("line", "torn", (0.0, 1.0), (0.0, value))
