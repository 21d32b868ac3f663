"""The commands and declarations of survkit-radvit's README, run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from survkit.cli import main
from survkit.data.cohort_config import CohortConfig
from survkit.plugins import default_registry
from survkit.validation import validate

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "survkit-radvit"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
REPOSITORY = "https://github.com/survkit/survkit/blob/main/"


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From nothing to a report, the features that matter, maps of attention, and fewer patches."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    (block,) = blocks("bash")
    for line in block.splitlines():
        assert main(shlex.split(line)[1:]) == 0, capsys.readouterr().err

    run = tmp_path / "runs" / "small"
    importance = json.loads((run / "importance" / "importance.json").read_text("utf-8"))
    explained = json.loads((run / "explain" / "explain.json").read_text("utf-8"))
    assert (run / "report.html").stat().st_size > 10_000
    assert "glcm" in json.dumps(importance)
    assert {"cxr", "radiomics"} <= set(explained["maps"])
    assert (run / "prune" / "prune.md").is_file()


def test_the_cohort_is_valid() -> None:
    """One X-ray per patient, padded to a square that 144 patches fill."""
    config = validate(CohortConfig, yaml.safe_load(blocks("yaml")[0]), source="README.md")

    assert config.modality("cxr").kind == "image"


def test_every_recipe_that_is_named_is_there() -> None:
    """Whatever the commands name with the plugin's prefix is registered."""
    named = set(re.findall(r"radvit/([a-z-]+)", "".join(blocks("sh") + blocks("bash"))))
    registered = {each.name for each in default_registry().iterate() if each.plugin == "radvit"}

    assert len(named) >= 6
    assert named - registered == set()


def test_every_part_that_is_named_is_registered() -> None:
    """The README names every encoder, fusion, loss and experiment, in backticks."""
    parts = [each for each in default_registry().iterate() if each.plugin == "radvit"]
    kinds = ("encoder", "fusion", "loss", "experiment")

    assert {
        each.name for each in parts if each.kind in kinds and f"`{each.name}`" not in README
    } == set()


def test_every_link_leads_somewhere() -> None:
    """Links into the plugin's folder and into the repository."""
    links = re.findall(r"\]\(([^)#]+)\)", README)
    inside = [FOLDER / link for link in links if ":" not in link]
    within = [ROOT / link.removeprefix(REPOSITORY) for link in links if link.startswith(REPOSITORY)]

    assert len(inside) >= 2
    assert len(within) >= 3
    assert [path for path in (*inside, *within) if not path.exists()] == []
