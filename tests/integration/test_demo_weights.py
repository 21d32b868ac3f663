"""The demonstration of every recipe that is installed, at the size for tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import survkit
from survkit.cli import main
from survkit.hub.demonstration_label import LABEL
from survkit.plugins import default_registry


@pytest.mark.slow
def test_every_demonstration_gives_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One command, one labelled model folder each, which loads and has its numbers beside it."""
    out = tmp_path / "weights"
    assert main(["train-demo-weights", "--quick", "--out", str(out)]) == 0

    names = [one.full_name for one in default_registry().iterate("demonstration")]
    printed = capsys.readouterr().out.splitlines()
    assert {path.name for path in out.iterdir()} == {name.replace("/", "-") for name in names}
    for name in names:
        folder = out / name.replace("/", "-")
        fitted = survkit.from_pretrained(folder)
        label = fitted.description.training[LABEL]
        metrics = json.loads((folder / "metrics.json").read_text())
        assert label["command"].split()[2] == name
        assert fitted.description.training["train_subjects"] < label["subjects"]
        assert metrics["external"]["seed"] != label["seed"]
        assert [line for line in printed if line.split()[:1] == [name]]
