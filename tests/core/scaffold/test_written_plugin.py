"""A new plugin at work: listed, mixed, trained, saved, loaded, missed; and its own tests."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.core.scaffold.installed import installed, run_beside, write_metadata

from survkit.cli import main
from survkit.compose import compose
from survkit.data import Cohort
from survkit.errors import CompositionError, UnknownComponentError
from survkit.hub import from_pretrained
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.scaffold import PluginName, write_plugin
from survkit.specs import ColumnSpec, InputSpec, OutcomeSpec

NAME = PluginName("my-paper")
SPECS = {
    "cxr": InputSpec(kind="image", shape=(1, 16, 16)),
    "ct": InputSpec(kind="volume", shape=(1, 16, 16, 16)),
    "clinical": InputSpec(kind="table", shape=(1,), columns=(ColumnSpec("age"),)),
}
PATCHES: dict[str, Any] = {"use": "my-paper/patches", "dim": 4}
TABLE: dict[str, Any] = {"use": "tabular", "dim": 3}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return what goes on the path once a new plugin is installed."""
    place = tmp_path_factory.mktemp("new")
    write_plugin(NAME, place / NAME.distribution)
    return write_metadata(place / NAME.distribution, place / "site")


@pytest.fixture
def there(path: list[Path]) -> Iterator[None]:
    """Have it installed in this process."""
    with installed(path, NAME.package):
        yield


def composed(**changes: Any) -> Any:
    """Compose a recipe of the plugin's parts, some of them changed."""
    outcome = OutcomeSpec(
        causes=changes.pop("causes", ("death",)), horizon=24.0, time_grid=(6.0, 12.0, 24.0)
    )
    recipe = {
        "encoders": {"cxr": PATCHES, "clinical": TABLE},
        "fusion": {"use": "my-paper/weighted"},
        "head": {"use": "my-paper/proportional-odds"},
        "outcome": {"horizon": 24.0, "grid": {"kind": "uniform", "intervals": 3}},
        "objective": [{"use": "hazard-likelihood"}, {"use": "my-paper/pair-ranking"}],
    }
    return compose(Recipe.model_validate(recipe | changes), SPECS, outcome, default_registry())


def test_it_is_listed_without_anything_heavy(path: list[Path]) -> None:
    """Every kind, by the plugin's name; neither torch nor the parts are imported for it."""
    code = (
        "import runpy, sys; sys.argv = ['survkit', 'list', 'my-paper/*']\n"
        "try: runpy.run_module('survkit', run_name='__main__')\n"
        "finally: print('heavy:', {'torch', 'jinja2', 'survkit_my_paper.patches'} & {*sys.modules})"
    )
    script = path[1] / "look.py"
    script.write_text(code)

    said = run_beside(path, "look", cwd=path[1]).stdout

    for kind, name in [
        ("encoder", "patches"), ("fusion", "weighted"), ("head", "proportional-odds"),
        ("loss", "pair-ranking"), ("recipe", "small"),
    ]:  # fmt: skip
        assert any(line.split()[:2] == [kind, f"my-paper/{name}"] for line in said.splitlines())
    assert "heavy: set()" in said


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"encoders": {"ct": PATCHES, "cxr": PATCHES, "clinical": TABLE}},
        {"encoders": {"ct": {"use": "cnn3d", "channels": [4], "halvings": 1}, "cxr": PATCHES}},
        {"encoders": {"cxr": PATCHES}},
        *({"fusion": {"use": fusion}} for fusion in ("concat", "mean", "gated", "attention")),
        {"head": {"use": "discrete-hazard", "hidden": [4]}},
        {"objective": [{"use": "deephit-ranking"}, {"use": "hazard-likelihood"}]},
        {"head": {"use": "cox"}, "objective": [{"use": "cox"}]},
    ],
)
def test_it_mixes_with_the_parts_of_others(changes: dict[str, Any]) -> None:
    """Any other part in the place of one of its own passes the dry run."""
    model = composed(**changes).model

    assert set(model.modalities) == set(changes.get("encoders", {"cxr": 0, "clinical": 0}))


@pytest.mark.usefixtures("there")
def test_what_does_not_fit_is_refused_with_what_does() -> None:
    """A head of another meaning, competing causes, a table in the place of an image."""
    with pytest.raises(
        CompositionError, match=r"my-paper/pair-ranking reads interval-hazard, but "
    ):
        composed(head={"use": "cox"}, objective=[{"use": "my-paper/pair-ranking"}])
    with pytest.raises(CompositionError, match="cause-hazard fits"):
        composed(causes=("cancer", "other"))
    with pytest.raises(
        CompositionError, match="one image or volume per subject, but this modality"
    ):
        composed(encoders={"clinical": PATCHES})


def test_a_saved_model_loads_with_the_plugin_and_names_it_without(
    path: list[Path], tmp_path: Path
) -> None:
    """A model of its recipe and of core's parts; the same subjects, the same curves."""
    cohort, run = tmp_path / "phantom" / "cohort.yaml", tmp_path / "run"
    assert main([
        "phantom", "--out", str(cohort.parent), "--subjects", "30", "--size", "16",
        "--modality", "cxr", "--modality", "clinical",
    ]) == 0  # fmt: skip
    with installed(path, NAME.package):
        assert main([
            "fit", "my-paper/small", "--cohort", str(cohort), "--out", str(run),
            "--set", "training.epochs=1", "--set", "fusion=gated",
        ]) == 0  # fmt: skip
        first = from_pretrained(run).predict(Cohort.read(cohort), range(30)).survival([365.0])
    with installed(path, NAME.package):
        again = from_pretrained(run).predict(Cohort.read(cohort), range(30)).survival([365.0])
        head = from_pretrained(run).description.parts.head.name

    assert torch.equal(first, again)
    assert float(first.std()) > 0
    assert head == "my-paper/proportional-odds"
    with pytest.raises(
        UnknownComponentError,
        match=r"my-paper/patches of survkit-my-paper 0\.1\.0, which is not installed; "
        r"pip install survkit-my-paper \(survkit does not know it: look at it before",
    ):
        from_pretrained(run)


@pytest.mark.slow
def test_the_commands_of_its_readme_run(
    path: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As they stand; and the recipe learns: the interval of its concordance lies above chance."""
    readme = (path[0].parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```", readme, flags=re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("survkit")]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))

    with installed(path, NAME.package):
        codes = {line: main(shlex.split(line)[1:]) for line in lines}

    assert len(codes) == 5
    assert set(codes.values()) == {0}
    said = capsys.readouterr().out
    lower = re.findall(r"Harrell's concordance, pairs within folds [\d.]+ \(([\d.]+) to", said)
    assert float(lower[0]) > 0.5, said


@pytest.mark.slow
def test_its_own_tests_pass(path: list[Path]) -> None:
    """The conformance kit on every part, its closed forms, and a training from its recipe."""
    done = run_beside(path, "pytest", "-q", "-p", "no:cacheprovider", cwd=path[0].parent)

    assert " passed" in done.stdout
    assert not any(word in done.stdout for word in ("skipped", "failed", "warning", "xfailed"))


@pytest.mark.slow
def test_its_types_are_strict(path: list[Path], tmp_path: Path) -> None:
    """Parts and tests, by its own settings."""
    done = run_beside(path, "mypy", "--cache-dir", str(tmp_path), cwd=path[0].parent)

    assert "Success: no issues found in 12 source files" in done.stdout
