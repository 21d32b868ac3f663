"""The commands of survkit-slicetention's README, run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from survkit.cli import main
from survkit.plugins import default_registry

README = (Path(__file__).parents[2] / "survkit-slicetention/README.md").read_text(encoding="utf-8")


def test_the_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From nothing to a report with the slices that weighed most, and attention on the lesion."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    (block,) = re.findall(r"^```bash\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)

    for line in block.splitlines():
        assert main(shlex.split(line)[1:]) == 0, capsys.readouterr().err

    page = (tmp_path / "runs/small/report.html").read_text(encoding="utf-8")
    explained = json.loads((tmp_path / "runs/small/explain/explain.json").read_text("utf-8"))
    assert "Where the model looked" in page
    assert len(explained["subjects"]) == 4
    assert "slicetention/soft-attention" in capsys.readouterr().out


def test_every_part_that_is_named_is_registered() -> None:
    """Names in the README's table of parts exist; what is registered and no recipe is named."""
    registered = {
        each.name
        for each in default_registry().iterate()
        if each.plugin == "slicetention" and each.kind != "recipe"
    }

    assert {name for name in registered if f"`{name}`" not in README} == set()
