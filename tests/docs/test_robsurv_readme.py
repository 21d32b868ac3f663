"""The commands and recipes of survkit-robsurv's README, run as they stand."""

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
from survkit.recipe import Recipe
from survkit.specs import InputSpec
from survkit.validation import validate
from survkit_robsurv.dual_patch_fuse import DualPatchFuse
from survkit_robsurv.vq3d.vq3d_encoder import VQ3DEncoder

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "survkit-robsurv"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
REPOSITORY = "https://github.com/survkit/survkit/blob/main/"


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def recipes() -> dict[str, str]:
    """Return the three mixes by the name that the text gives each."""
    names = re.findall(r"`(\w+\.yaml)`, ", README)
    mixes = [block for block in blocks("yaml") if block.startswith("encoders:")]
    return dict(zip(names, mixes, strict=True))


def test_the_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From nothing to a report, noise on both scans, each scan alone, and pictures of codes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    (block,) = blocks("bash")
    for line in block.splitlines():
        assert main(shlex.split(line)[1:]) == 0, capsys.readouterr().err

    stress = json.loads((tmp_path / "runs/small/stress/stress.json").read_text("utf-8"))
    explained = json.loads((tmp_path / "runs/small/explain/explain.json").read_text("utf-8"))
    printed = capsys.readouterr().out
    assert (tmp_path / "runs/small/report.html").stat().st_size > 10_000
    assert [each["modality"] for each in stress["corruptions"]] == ["ct + pet", "pet"]
    assert len(stress["subsets"]) == 3
    assert len(explained["subjects"]) == 1
    assert "modalities left" in printed
    assert "codes used here" in printed
    assert "robsurv/dual-patch-fuse" in printed


@pytest.mark.parametrize("name", sorted(recipes()))
def test_every_mix_trains(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parts of this plugin under, over and beside those of others, for an epoch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    Path(name).write_text(recipes()[name], encoding="utf-8")
    assert main(shlex.split("phantom --out phantom --subjects 16 --size 16")) == 0
    command = f"fit {name} --cohort phantom/cohort.yaml --out model --set training.epochs=1"

    assert main(shlex.split(command)) == 0, capsys.readouterr().err


def test_the_declarations_are_valid() -> None:
    """The cohort file has a CT on the PET's grid; the noise in training is a recipe's."""
    cohort, *_, noise = (yaml.safe_load(block) for block in blocks("yaml"))
    config = validate(CohortConfig, cohort, source="README.md")
    recipe = yaml.safe_load(recipes()["patches.yaml"])
    recipe["training"] |= noise["training"]

    assert [config.modality(name).kind for name in config.modalities] == [
        "volume",
        "volume",
        "table",
    ]
    assert len(Recipe.parse(recipe, source="README.md").training.corruptions) == 2


def test_every_part_that_is_named_is_registered() -> None:
    """The README names all that is registered, in backticks."""
    registered = {each.name for each in default_registry().iterate() if each.plugin == "robsurv"}

    assert {name for name in registered if f"`{name}`" not in README} == set()


def test_the_weights_are_counted() -> None:
    """Of the paper's sizes, in the text's millions."""
    encoder = VQ3DEncoder(InputSpec(kind="volume", shape=(1, 128, 128, 128)))
    fusion = DualPatchFuse({"ct": encoder.encoding, "pet": encoder.encoding})
    counts = [
        sum(weight.numel() for weight in part.parameters())
        for part in (encoder.network, encoder.decoder, fusion)
        if part is not None
    ]

    assert [f"{count / 1e6:.1f}" for count in counts] == ["25.2", "23.6", "4.2"]
    text = " ".join(README.split())
    assert "25.2 million weights in an encoder, 23.6 million in a decoder, 4.2 million in" in text


def test_every_link_leads_somewhere() -> None:
    """Links into the plugin's folder and into the repository."""
    links = re.findall(r"\]\(([^)#]+)\)", README)
    inside = [FOLDER / link for link in links if ":" not in link]
    within = [ROOT / link.removeprefix(REPOSITORY) for link in links if link.startswith(REPOSITORY)]

    assert len(inside) >= 2
    assert len(within) >= 2
    assert [path for path in (*inside, *within) if not path.exists()] == []
