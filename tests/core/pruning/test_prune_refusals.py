"""What cannot be pruned is refused in a sentence, and nothing is left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from survkit.cli import main
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, PluginError, RunError
from survkit.pruning import PruneSettings, prune_run
from survkit.registry import Registry


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"retrain": True, "map": "subject"}, "one choice of tokens for everybody"),
        ({"thresholds": (1.0, 1.0)}, "threshold-1 is asked for twice"),
        ({"map": "fold"}, "map must be population or subject"),
        ({"keep": (2.0,)}, "share of the tokens"),
        ({"level": 1.0}, "level between 0 and 1"),
    ],
)
def test_settings_that_contradict_are_refused(settings: dict[str, Any], said: str) -> None:
    """Before anything is read."""
    with pytest.raises(ConfigError, match=said):
        PruneSettings(**settings)


@pytest.mark.parametrize(
    ("run", "asked", "error", "said"),
    [
        ("plain", {}, ConfigError, "no encoder of this model leaves tokens out .*read by .*vector"),
        ("run", {"modality": "vectr"}, ConfigError, "Did you mean 'vector'"),
        ("run", {"modality": "blood"}, ConfigError, "no encoder named 'blood' leaves tokens out"),
        ("run", {"cause": "flu"}, DataError, "no cause is named 'flu'"),
        ("run", {"metric": "auc"}, ConfigError, "auc"),
        ("broken", {}, PluginError, r"summing to one for each of .* subjects"),
        ("nothing", {}, RunError, "pruning needs a finished run of survkit cv"),
    ],
)
def test_what_cannot_be_pruned_is_said(
    place: Path,
    registry: Registry,
    run: str,
    asked: dict[str, Any],
    error: type[Exception],
    said: str,
) -> None:
    """And no folder stays."""
    with pytest.raises(error, match=said):
        prune_run(
            place / run,
            Cohort.read(place / "cohort.yaml"),
            out=place / "out",
            registry=registry,
            **asked,
        )

    assert not list(place.glob("*out*"))


def test_another_cohort_is_refused(place: Path, registry: Registry) -> None:
    """One whose vectors changed since does not predict what the run predicted."""
    text = (place / "vector.csv").read_text().splitlines()
    cells = text[3].split(",")
    text[3] = ",".join([cells[0], *(str(float(cell) + 1) for cell in cells[1:])])
    (place / "vector.csv").write_text("\n".join(text) + "\n")

    with pytest.raises(DataError, match=r"now predicts a risk score of .*\(1 such subjects\)"):
        prune_run(
            place / "run", Cohort.read(place / "cohort.yaml"), out=place / "out", registry=registry
        )
    assert not list(place.glob("*out*"))


def test_a_search_is_not_trained_on(place: Path, registry: Registry) -> None:
    """What each fold chose is not one recipe."""
    file = place / "run" / "recipe.yaml"
    content = yaml.safe_load(file.read_text())
    content["search"] = {"training.optimizer.lr": [0.01, 0.1]}
    file.write_text(yaml.safe_dump(content))

    with pytest.raises(ConfigError, match=r"has a search of training\.optimizer\.lr"):
        prune_run(
            place / "run",
            Cohort.read(place / "cohort.yaml"),
            out=place / "out",
            retrain=True,
            registry=registry,
        )


def test_older_results_stay_until_new_ones_are_complete(
    place: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused without ``overwrite``; kept where an attempt fails; replaced where it does not."""
    cohort, out = Cohort.read(place / "cohort.yaml"), place / "out"
    common: dict[str, Any] = {"out": out, "replicates": 0, "registry": registry}
    prune_run(place / "run", cohort, **common)
    before = (out / "prune.json").read_bytes()
    with pytest.raises(RunError, match="give --overwrite"):
        prune_run(place / "run", cohort, **common)
    with monkeypatch.context() as patch:
        module = sys.modules["survkit.pruning.prune_run"]  # its function bears the same name
        patch.setattr(module, "write_prune", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prune_run(place / "run", cohort, overwrite=True, **common)
    assert (out / "prune.json").read_bytes() == before

    prune_run(place / "run", cohort, overwrite=True, keep=(0.5,), **common)

    assert (out / "keep-0.5").is_dir()
    assert not (out / "threshold-1").exists()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"'notes\.txt' is no part of the pruning there"):
        prune_run(place / "run", cohort, overwrite=True, **common)
    (place / "mine").mkdir()
    (place / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(RunError, match="holds no pruning"):
        prune_run(place / "run", cohort, overwrite=True, **(common | {"out": place / "mine"}))
    assert (place / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("", 0, "tokens kept"),
        ("--threshold 1,5.5 --keep 0.5 --map subject --replicates 0", 0, "s more per subject"),
        ("--threshold one", 2, "--threshold takes numbers separated by commas, such as 1,1.5"),
        ("--keep 0.5,2", 2, "keep is a share of the tokens"),
        ("--retrain --map subject", 2, "--retrain needs one choice of tokens"),
        ("--device quantum", 2, "quantum"),
    ],
)
def test_the_command_prints_and_exits_as_said(
    place: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    code: int,
    said: str,
) -> None:
    """A table and the file's name, or one sentence and exit code 2."""
    monkeypatch.setattr("survkit.plugins.default_registry", lambda: registry)
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "200")

    found = main([*["prune", "run", "--cohort", "cohort.yaml"], *line.split()])

    printed = capsys.readouterr()
    assert found == code, printed.err
    assert said in " ".join((printed.out + printed.err).split())
    assert (place / "run" / "prune" / "prune.json").is_file() == (code == 0)
