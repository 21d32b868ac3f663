"""The first command that a stranger types."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from survkit.cli import main
from survkit.demo import DemoSettings

TINY = DemoSettings(subjects=60, size=16, changes=("training.epochs=1",), replicates=20)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the fast demo faster still."""
    monkeypatch.setattr(DemoSettings, "fast", lambda seed: TINY)


def test_a_tiny_demo(tiny: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Table, verdict, report with the other models in it, all on the same splits."""
    out = tmp_path / "demo"
    assert main(["demo", "--fast", "--jobs", "1", "--out", str(out)]) == 0

    printed = capsys.readouterr().out
    assert re.search(r"oracle \(true hazard\) +0\.\d{3} +0\.\d{3} to 0\.\d{3}", printed)
    assert "of the way from chance (0.5) to the oracle" in printed
    assert str(out / "fused" / "report.html") in printed
    rows = json.loads((out / "demo.json").read_text())["rows"]
    page = (out / "fused" / "report.html").read_text()
    assert len(rows) == 5
    assert all(row["name"] in page for row in rows)
    hashes = {
        json.loads((out / name / "splits.json").read_text())["sha256"]
        for name in ("fused", "ct", "pet", "clinical")
    }
    assert len(hashes) == 1

    assert main(["demo", "--fast", "--out", str(out)]) == 2
    assert "give --overwrite" in capsys.readouterr().err
    fold, cohort = str(out / "fused" / "fold-0"), str(out / "cohort" / "cohort.yaml")
    assert main(["predict", fold, "--cohort", cohort, "--times", "365,730"]) == 0


def test_an_unfinished_demo_leaves_nothing(
    tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module("survkit.demo.run_demo"), "write_cohort", interrupted)

    assert main(["demo", "--fast", "--out", str(tmp_path / "demo")]) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_fused_model_comes_near_the_oracle(tmp_path: Path) -> None:
    """It beats every single modality and goes 90 % of the way from chance to the oracle."""
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0

    fused, *single, oracle = json.loads((tmp_path / "demo" / "demo.json").read_text())["rows"]
    values = [row["harrell_concordance"]["value"] for row in single]
    assert fused["harrell_concordance"]["value"] > max(values)
    assert fused["share"] > 0.9
    assert oracle["share"] == 1.0
