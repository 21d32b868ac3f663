"""The commands and examples of docs/slices.md, run as they stand."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from tests.hub_server.loopback import OF_THE_CLIENT, hub, server  # noqa: F401 - fixtures
from tests.hub_server.repositories import Hub

from survkit.cli import main
from survkit.data.cohort_config import CohortConfig
from survkit.plugins import default_registry
from survkit.validation import validate

PAGE = (Path(__file__).parents[2] / "docs" / "slices.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phantom cohort in HU, and a cross-validation with attention over the slices."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    make, fit = blocks("bash")[0].splitlines()

    assert main(shlex.split(make)[1:]) == 0
    assert main(shlex.split(fit)[1:]) == 0

    assert json.loads((tmp_path / "runs/slices/metrics.json").read_text(encoding="utf-8"))
    assert list((tmp_path / "runs/slices").rglob("attention.parquet"))


@pytest.mark.filterwarnings(OF_THE_CLIENT)
def test_the_two_stages_run_through_the_hub(
    tmp_path: Path,
    hub: Hub,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In every fold the frozen encoder is the pushed one to the last bit after training, while the
    attention has moved on from the pushed one and the head was never taken. Where nothing moves,
    the attention is the pushed one, too.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "prepared"))
    monkeypatch.setattr("survkit.cli.cv.explain_afterwards", lambda *_, **__: None)
    monkeypatch.setattr("survkit.report.write_report", lambda run, **_: run)  # no figures
    text = [blocks("bash")[0].splitlines()[0], *blocks("bash")[1].splitlines()]
    lines = [shlex.split(line)[1:] for line in text]
    for words in lines:
        assert main(words) == 0, words
    still = [
        "training.epochs=1",
        "training.optimizer.lr=1e-30",
        "training.optimizer.weight_decay=0",
    ]
    changes = [word for change in still for word in ("--set", change)]
    given = lines[-1][lines[-1].index("--init-from") : -1]  # but for --different-subjects
    again = ["fit", "slicetention/small", "--cohort", "chests/cohort.yaml", "--out", "runs/still"]
    assert main([*again, *changes, *given]) == 0

    (commit,) = hub.repositories["org/slices-first"].branches.values()
    assert same(Path("runs/still")) == {"encoders.ct", "fusion"}
    for fold in ("fold-0", "fold-1"):
        assert same(Path("runs/second", fold)) == {"encoders.ct"}
        facts = json.loads((tmp_path / "runs/second" / fold / "training.json").read_text())["init"]
        assert facts["hub"]["commit"] == commit
        assert facts["loaded"] == ["encoders.ct", "fusion"]
        assert facts["frozen"] == ["encoders.ct"]
        assert facts["fresh"] == {"head": "not asked for"}
    pushed = set(hub.repositories["org/slices-first"].commits[commit])
    assert pushed == {"config.json", "model.safetensors", "README.md"}


def same(model: Path) -> set[str]:
    """Return the parts of which every tensor equals the first stage's, bit for bit."""
    first = load_file("runs/first/model.safetensors")
    found = load_file(model / "model.safetensors")
    assert found.keys() == first.keys()
    roles = ("encoders.ct", "fusion", "head")
    parts = {
        role: [name for name in first if name.startswith(f"members.0.{role}.")] for role in roles
    }
    assert sum(map(len, parts.values())) == len(first)
    return {
        role
        for role, names in parts.items()
        if all(torch.equal(found[name], first[name]) for name in names)
    }


def test_the_cohort_file_is_valid() -> None:
    """The keys of the example are those of a cohort file."""
    validate(CohortConfig, yaml.safe_load(blocks("yaml")[0]), source="the page on slices")


def test_the_python_example_runs() -> None:
    """It prints how many slices there are."""
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]], capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stderr
    assert re.search(r"\d+ slices, weights sum to 1\.0", done.stdout)


def test_the_table_is_what_is_installed() -> None:
    """Every encoder and fusion of the plugin has a row."""
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, flags=re.MULTILINE))
    parts = {
        each.name
        for kind in ("encoder", "fusion")
        for each in default_registry().iterate(kind)
        if each.plugin == "slicetention"
    }

    assert rows == parts
