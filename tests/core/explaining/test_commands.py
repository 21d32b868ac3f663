"""``survkit explain``, and what ``survkit cv`` does by itself."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.hub_server.loopback import hub, server  # noqa: F401 - fixtures
from tests.hub_server.repositories import Hub

from survkit.cli import main
from survkit.cli.explain_afterwards import explain_afterwards
from survkit.data import Cohort, PreparationCache
from survkit.hub.model_files import NEEDED_FILES
from survkit.registry import Registry


@pytest.fixture(autouse=True)
def installed(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands find the encoders of slices, and keep nothing in the user's cache."""
    monkeypatch.setattr("survkit.plugins.default_registry", lambda: registry)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))


def words(place: Path, *others: str) -> list[str]:
    return ["--cohort", str(place / "phantom/cohort.yaml"), *others]


def test_subjects_are_told_line_by_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who, why, what was predicted and observed, and what the masks say."""
    asked = ("--subjects", "S0003, S0005", "--top", "2", "--mask-subjects", "10")
    assert main(["explain", str(place / "slices"), *words(place, *asked)]) == 0
    lines = capsys.readouterr().out.splitlines()
    content = json.loads((place / "slices/explain/explain.json").read_text())

    assert [line.partition(";")[0] for line in lines[:2]] == [
        "S0003: asked for",
        "S0005: asked for",
    ]
    assert "by 700 days; observed: " in lines[0]
    assert lines[2].startswith("ct: attention on what the mask touches is ")
    assert lines[2].endswith("times that of equal weights, 10 subjects")
    assert lines[3] == str(place / "slices/explain/explain.json")
    assert content["rule"] == "Subjects were asked for by name"
    assert [len(each["modalities"][0]["top"]) for each in content["subjects"]] == [2, 2]


def test_a_model_needs_a_folder(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own folder is what one publishes."""
    given = words(place, "--count", "1", "--mask-subjects", "0")
    assert main(["explain", str(place / "fitted"), *given]) == 2
    assert "give a folder for them with --out" in capsys.readouterr().err
    assert main(["explain", str(place / "fitted"), *given, "--out", str(place / "shown")]) == 0
    assert "observed: outcome not read" in capsys.readouterr().out
    assert main(["explain", str(place / "slices"), *words(place, "--subjects", "a,,b")]) == 2
    assert "names separated by commas" in capsys.readouterr().err


def test_a_name_on_the_hub_is_as_good_as_a_folder(
    place: Path,
    hub: Hub,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same pictures and words; the model is called by its commit, which is on the screen."""
    hub.create("org/slices")
    files = {name: (place / "fitted" / name).read_bytes() for name in NEEDED_FILES}
    commit = hub.commit("org/slices", files)
    hub.commit("org/slices", {"config.json": b"{}"})
    given = words(place, "--count", "1", "--mask-subjects", "0", "--out")
    named = ["explain", "org/slices", "--revision", commit, *given]
    assert main(["explain", str(place / "fitted"), *given, str(place / "a")]) == 0
    capsys.readouterr()
    assert main([*named, str(place / "b")]) == 0
    said = capsys.readouterr().err
    one, two = (json.loads((place / name / "explain.json").read_text()) for name in "ab")

    assert f"model: org/slices at {commit[:12]}\n" in said
    assert two.pop("model") == f"org/slices at {commit[:12]}"
    assert one.pop("model") == "fitted"
    assert one == two
    assert main(named[:-1]) == 2
    assert "org/slices is a model, which may be published" in capsys.readouterr().err


def recipe(place: Path, encoder: str) -> str:
    """Write the recipe of slices with another encoder."""
    text = (place / "slices/recipe.yaml").read_text()
    changed = text.replace("slices", encoder).replace("members: 2", "members: 1")
    (place / f"{encoder}.yaml").write_text(changed)
    return str(place / f"{encoder}.yaml")


def cross_validated(place: Path, encoder: str, *others: str) -> Path:
    out = place / f"cv-{encoder}{len(others)}"
    given = words(place, "--out", str(out), "--folds", "2", "--replicates", "0", "--quiet", *others)
    assert main(["cv", recipe(place, encoder), *given]) == 0
    return out


def test_cross_validation_shows_four_subjects(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By itself, on the page, where an encoder shows its tokens; not where it was told not to."""
    run = cross_validated(place, "slices")
    content = json.loads((run / "explain/explain.json").read_text())

    assert len(content["subjects"]) == 4
    assert 'id="explain"' in (run / "report.html").read_text()
    assert "is not shown" not in capsys.readouterr().err
    without = cross_validated(place, "slices", "--no-explain", "--set", "training.epochs=1")
    assert not (without / "explain").exists()
    assert list(without.glob("fold-*/token_attention.parquet"))


def test_cross_validation_never_fails_for_a_picture(
    place: Path,
    registry: Registry,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line of warning; the run and its page stay as they are."""

    def fails(self: Any, sample: Any) -> Any:
        raise IndexError("no such slice")

    monkeypatch.setattr(registry.find("encoder", "slices").load(), "token_images", fails)
    run = place / "slices"
    finished: Any = SimpleNamespace(folder=run, evaluation=None)
    cohort = Cohort.read(place / "phantom/cohort.yaml")
    explain_afterwards(finished, cohort, PreparationCache(place / "cache"), quiet=True)
    (line,) = capsys.readouterr().err.splitlines()

    assert line.startswith("warning: what the models looked at is not shown (PluginError")
    assert "no such slice" in line
    assert "the run itself is complete" in line
    assert (run / "report.html").is_file()
    assert not (run / "explain").exists()
    assert not list(run.glob(".explain*"))
