"""From runs whose encoders show volumes, and whose fusion looks across, to pictures and numbers."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from survkit.data import Cohort
from survkit.errors import PluginError
from survkit.explaining import explain_run
from survkit.explaining.anything_to_show import anything_to_show
from survkit.hub import from_pretrained
from survkit.registry import Registry
from survkit.report import write_report
from survkit.report.numbers import shown
from survkit.showing import ShownVolume

Content = dict[str, Any]


@pytest.fixture(scope="module")
def cohort(volumes: Path) -> Cohort:
    return Cohort.read(volumes / "phantom" / "cohort.yaml")


@pytest.fixture(scope="module")
def explained(
    volumes: Path, cohort: Cohort, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of the run that looks, explained for three subjects, one of them without PET."""
    run = Path(shutil.copytree(volumes / "looking", tmp_path_factory.mktemp("explained") / "run"))
    explain_run(run, cohort, registry=registry, subjects=["S0001", "S0002", "S0005"])
    return run


@pytest.fixture(scope="module")
def content(explained: Path) -> Content:
    return dict(json.loads((explained / "explain/explain.json").read_text()))


def rows_of(modality: Content) -> dict[str, Content]:
    return {row["name"]: row for row in modality["volume"]["rows"]}


def test_the_rows_are_what_is_offered(content: Content) -> None:
    """Input, what the encoder makes with its difference, codes, and what is looked at."""
    ct, pet = content["subjects"][0]["modalities"]

    assert list(rows_of(ct)) == [
        "input", "echo", "echo minus input", "reconstruction", "reconstruction minus input",
        "codes", "attention pet → ct",
    ]  # fmt: skip
    assert list(rows_of(pet))[-1] == "attention ct → pet"
    assert ct["volume"]["shape"] == [16, 16, 16]
    assert ct["volume"]["spacing"] == [20.0, 20.0, 20.0]
    assert ct["volume"]["members"] == 2


def test_an_echo_has_no_difference(content: Content) -> None:
    """An encoder that gives back its input: an error of zero, and no ratio, never infinity."""
    for subject in content["subjects"]:
        for modality in subject["modalities"]:
            inside = {"mean_squared_error_in_mask": 0.0} if modality["modality"] == "ct" else {}
            assert rows_of(modality)["echo minus input"] == {
                "name": "echo minus input", "kind": "difference", "mean_squared_error": 0.0,
                "peak_signal_to_noise_ratio": None, "largest": 0.0, **inside,
            }  # fmt: skip
            assert "echo minus input: none, they are equal" in modality["picture"]["alt"]


def test_the_model_is_the_one_that_tested_the_subject(
    explained: Path, content: Content, registry: Registry
) -> None:
    """The reconstruction is off by what the first network of that fold learnt, as no other's."""
    offsets = {}
    for folder in explained.glob("fold-*"):
        members = from_pretrained(folder, registry=registry).members
        for name in ("ct", "pet"):
            encoder: Any = members[0].encoders[name]
            offsets[folder.name, name] = float(encoder.offset)
    assert len(set(offsets.values())) == 4

    assert {subject["model"] for subject in content["subjects"]} == {"fold-0", "fold-1"}
    for subject in content["subjects"]:
        for modality in subject["modalities"]:
            error = rows_of(modality)["reconstruction minus input"]["mean_squared_error"]
            offset = offsets[subject["model"], modality["modality"]]
            assert error == pytest.approx(offset**2, rel=1e-5)


def test_codes_are_counted(content: Content, cohort: Cohort) -> None:
    """How many of the 64 occur, and the share of the most frequent, from the image itself."""
    spec = cohort.input_spec("ct", range(len(cohort)))
    for subject in content["subjects"]:
        sample = cohort.read_sample("ct", cohort.subjects.index(subject["subject"]), spec)
        assert sample is not None
        above = torch.nn.functional.adaptive_avg_pool3d(sample.values, 4) > 0
        share = max(float(above.float().mean()), 1 - float(above.float().mean()))
        codes = rows_of(subject["modalities"][0])["codes"]
        assert codes["labels"] == 64
        assert codes["labels_used"] == len(above.unique())
        assert codes["most_frequent_share"] == pytest.approx(share)


def test_what_is_looked_at_is_shown_in_its_place(content: Content, cohort: Cohort) -> None:
    """All CT patches look at patch 3 of the PET, which gets 8 times equal weights; slices go
    through its middle. The CT is looked at evenly; its slices go through the lesion.
    """
    spec = cohort.input_spec("ct", range(len(cohort)))
    for subject in (content["subjects"][0], content["subjects"][2]):
        ct, pet = subject["modalities"]
        sample = cohort.read_sample("ct", cohort.subjects.index(subject["subject"]), spec)
        assert sample is not None
        assert sample.mask is not None
        seen = rows_of(ct)["attention pet → ct"]

        assert rows_of(pet)["attention ct → pet"]["highest"] == 8.0
        assert pet["volume"]["centre"] == [4, 12, 12], "patch (0, 1, 1) of 8 voxels a side"
        assert pet["volume"]["centre_is"] == "most attention ct → pet"
        assert seen["highest"] == pytest.approx(1.0)
        assert seen["inside_mask"] == pytest.approx(float(sample.mask.float().mean()))
        assert seen["volume_of_mask"] == pytest.approx(float(sample.mask.float().mean()))
        assert bool(sample.mask[tuple(ct["volume"]["centre"])])
        assert ct["volume"]["centre_is"] == "the middle of the region of interest"


def test_a_missing_modality_has_no_row(content: Content) -> None:
    """Nobody looks at it, and it looks at nobody."""
    (ct,) = content["subjects"][1]["modalities"]

    assert ct["modality"] == "ct"
    assert list(rows_of(ct))[-1] == "codes"


def test_the_page_tells_the_numbers(explained: Path, content: Content) -> None:
    """A table with marks that lead to the file; each sentence on how to read is said once."""
    page = write_report(explained).read_text()
    error = rows_of(content["subjects"][0]["modalities"][0])["reconstruction minus input"]

    path = "subjects/0/modalities/0/volume/rows/4/mean_squared_error"
    assert f'data-key="{path}"' in page
    assert f">{shown(error['mean_squared_error'], 'short')}</span>" in page
    assert 'id="explain"' in page
    assert page.count("Codes: a colour is a code") == 1
    assert page.count("the more orange") == 1
    assert "These pictures show patients." in page
    assert "Tokens that count" not in page, "nothing attends over tokens"
    table = (explained / "report/tables/explained-volumes.csv").read_text()
    assert len(table.splitlines()) == 1 + 2 * 2 * 4 + 3


def test_a_model_without_attention_shows_its_volumes(
    volumes: Path, cohort: Cohort, registry: Registry, tmp_path: Path
) -> None:
    """And the run is one that cross-validation explains by itself."""
    found = explain_run(
        volumes / "plain", cohort, registry=registry, count=1, out=tmp_path / "shown"
    )
    (subject,) = found.content["subjects"]

    assert list(rows_of(subject["modalities"][0]))[-1] == "codes"
    assert subject["modalities"][0]["weights"] == []
    assert "masks" in found.content
    assert anything_to_show(volumes / "plain", registry=registry)


@pytest.fixture
def mirror(volumes: Path) -> Iterator[Any]:
    return sys.modules["parts_of_volumes"].Mirror


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda values: [], "must give a mapping of names to ShownVolume, not a list"),
        (lambda values: {"a": values[:, 0]}, r"\('a', subject 'S0001'\) must give a ShownVolume"),
        (
            lambda values: {"a": ShownVolume(values, "intensity")},
            r"must give \(1, z, y, x\) of at most the input's \(16, 16, 16\) voxels, not "
            r"\(1, 1, 16",
        ),
        (
            lambda values: {"a": ShownVolume(torch.ones(1, 17, 2, 2), "intensity")},
            r"not \(1, 17, 2, 2\)",
        ),
        (
            lambda values: {"a": ShownVolume(values[:, 0] / 0, "intensity")},
            "must give finite numbers",
        ),
        (
            lambda values: {"a": ShownVolume(torch.full((1, 2, 2, 2), 9), "label", classes=9)},
            "whole numbers from 0, below its classes 9, not torch.int64 from 9 to 9",
        ),
        (lambda values: {"a": ShownVolume(values[:, 0], "label")}, "not torch.float32"),
        (lambda values: {}[3], "Mirror.volumes fails for subject 'S0001' .KeyError: 3."),
    ],
)
def test_broken_volumes_are_the_encoders_fault(
    given: Any,
    words: str,
    mirror: Any,
    volumes: Path,
    cohort: Cohort,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence that names it; nothing is written."""
    monkeypatch.setattr(mirror, "volumes", lambda self, values: given(values))

    with pytest.raises(PluginError, match=words):
        explain_run(volumes / "plain", cohort, registry=registry, subjects=["S0001"])
    assert not (volumes / "plain/explain").exists()


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (torch.full((1, 8, 7), 1 / 7), r"must give weights of \(1, 8, 8\).* not \(1, 8, 7\)"),
        (torch.full((1, 8, 8), 1.0), "that sum to one over the key patches, not 8 to 8"),
    ],
)
def test_broken_looks_are_the_fusions_fault(
    weights: torch.Tensor,
    words: str,
    volumes: Path,
    cohort: Cohort,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another number of patches than declared, or rows that are no weights."""
    looking = registry.find("fusion", "looking").load()
    monkeypatch.setattr(
        looking, "cross_attention", lambda self, encodings: {("ct", "pet"): weights}
    )

    with pytest.raises(PluginError, match=words):
        explain_run(volumes / "looking", cohort, registry=registry, subjects=["S0001"])
