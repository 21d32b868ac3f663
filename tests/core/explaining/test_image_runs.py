"""From runs whose encoders say where they looked in pictures, to figures and numbers."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.core.explaining.pictures import GRID, SHAPE, SUBJECTS

from survkit.cli import main
from survkit.data import Cohort
from survkit.errors import PluginError
from survkit.explaining import explain_run
from survkit.explaining.anything_to_show import anything_to_show
from survkit.explaining.subject_figure import LIMIT
from survkit.hub import from_pretrained
from survkit.registry import Registry
from survkit.report import write_report
from survkit.report.numbers import shown

Content = dict[str, Any]
ASKED = ["S00", "S01", "S02", "S03"]


@pytest.fixture(scope="module")
def cohort(pictures: Path) -> Cohort:
    return Cohort.read(pictures / "cohort/cohort.yaml")


@pytest.fixture(scope="module")
def explained(
    pictures: Path, cohort: Cohort, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of the run, explained for four subjects: one without X-ray, one without mask."""
    run = Path(shutil.copytree(pictures / "run", tmp_path_factory.mktemp("explained") / "run"))
    before = digest(run)
    told: list[tuple[int, int]] = []
    explain_run(
        run, cohort, registry=registry, subjects=ASKED, progress=lambda *steps: told.append(steps)
    )
    assert digest(run) == before, "nothing of the run is touched"
    assert told[-1][0] == told[-1][1] == len(ASKED) + SUBJECTS - 1
    return run


@pytest.fixture(scope="module")
def content(explained: Path) -> Content:
    return dict(json.loads((explained / "explain/explain.json").read_text()))


def digest(run: Path) -> str:
    files = sorted(
        path for path in run.rglob("*") if path.is_file() and "explain" not in path.parts
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def maps_of(modality: Content) -> dict[str, Content]:
    return {one["name"]: one for one in modality["image"]["maps"]}


def modality_of(subject: Content, name: str) -> Content:
    return next(each for each in subject["modalities"] if each["modality"] == name)


def expected_maps(
    run: Path, subject: str, modality: str, cohort: Cohort, registry: Registry
) -> dict[str, NDArray[np.float64]]:
    """Return the maps of the fold that tested the subject, the mean of its networks."""
    splits = json.loads((run / "splits.json").read_text())
    fold = next(each for each in splits["folds"] if subject in each["test"])
    fitted = from_pretrained(run / f"fold-{fold['fold']}", registry=registry)
    spec = fitted.description.inputs[modality]
    sample = cohort.read_sample(modality, cohort.subjects.index(subject), spec)
    assert sample is not None
    each = []
    for member in fitted.members:
        encoder: Any = member.encoders[modality]
        values = encoder.prepare(sample) if hasattr(encoder, "prepare") else sample.values
        with torch.no_grad():
            each.append(encoder.attention_maps(values[None]))
    assert len(each) == 2
    return {
        name: np.mean([one[name][0].double().numpy() for one in each], axis=0) for name in each[0]
    }


def mass_by_hand(weight: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """Return the weight within the mask, counted on so fine a grid that nothing is cut."""
    fine = np.repeat(np.repeat(mask, GRID[0], axis=0), GRID[1], axis=1)
    spread = np.kron(weight, np.full(SHAPE, 1 / (SHAPE[0] * SHAPE[1])))
    return float(spread[fine].sum())


def mask_of(cohort: Cohort, subject: str) -> NDArray[np.bool_]:
    spec = cohort.input_spec("xray", range(len(cohort)))
    sample = cohort.read_sample("xray", cohort.subjects.index(subject), spec)
    assert sample is not None
    assert sample.mask is not None
    return np.asarray(sample.mask.numpy())


def test_maps_are_those_of_the_model_that_tested_the_subject(
    explained: Path, content: Content, cohort: Cohort, registry: Registry
) -> None:
    """The mean of its networks, of every encoder by its own name, prepared where it prepares."""
    for subject in content["subjects"]:
        for modality in subject["modalities"]:
            right = expected_maps(
                explained, subject["subject"], modality["modality"], cohort, registry
            )
            found = maps_of(modality)
            assert list(found) == list(right)
            for name, weight in right.items():
                np.testing.assert_allclose(found[name]["weights"], weight.ravel(), atol=1e-6)
                assert found[name]["grid"] == list(GRID)
                highest = weight.max() * weight.size
                assert found[name]["highest"] == pytest.approx(highest, rel=1e-5)
    assert [each["modality"] for each in content["subjects"][0]["modalities"]] == ["photo", "xray"]
    assert [each["modality"] for each in content["subjects"][2]["modalities"]] == ["photo"]
    assert content["subjects"][0]["modalities"][1]["image"]["shape"] == [1, *SHAPE]
    assert content["subjects"][0]["modalities"][0]["image"]["shape"] == [3, *SHAPE]


def test_attention_in_the_mask_is_exact(content: Content, cohort: Cohort) -> None:
    """Cells that the mask cuts count by the part of their area; no mask, no ratio."""
    for subject in content["subjects"][:2]:
        mask = mask_of(cohort, subject["subject"])
        for one in maps_of(modality_of(subject, "xray")).values():
            weight = np.array(one["weights"]).reshape(GRID)
            mass = mass_by_hand(weight, mask)
            assert one["inside_mask"] == pytest.approx(mass, rel=1e-9)
            assert one["area_of_mask"] == pytest.approx(35 / (SHAPE[0] * SHAPE[1]))
            assert one["ratio"] == pytest.approx(mass / one["area_of_mask"])
        assert maps_of(modality_of(subject, "xray"))["even"]["ratio"] == pytest.approx(1)
        assert maps_of(modality_of(subject, "photo"))["learnt"]["inside_mask"] is None
    bare = maps_of(modality_of(content["subjects"][3], "xray"))
    assert all(one["inside_mask"] is None and one["ratio"] is None for one in bare.values())


def test_the_mean_ratio_is_that_of_all_test_subjects(
    explained: Path, content: Content, cohort: Cohort, registry: Registry
) -> None:
    """Computed again from the models; nobody counts without a picture or a mask."""
    ratios: dict[str, list[float]] = {"learnt": [], "bright": [], "even": []}
    for subject in cohort.subjects:
        if subject in ("S02", "S03"):
            continue
        mask = mask_of(cohort, subject)
        right = expected_maps(explained, subject, "xray", cohort, registry)
        for name, weight in right.items():
            ratios[name].append(mass_by_hand(weight, mask) / mask.mean())

    assert list(content["maps"]) == ["photo", "xray"]
    assert content["maps"]["photo"]["learnt"]["mask"] is None
    assert content["masks"] == {}, "no tokens are compared where the maps say more"
    for name, each in ratios.items():
        found = content["maps"]["xray"][name]["mask"]
        assert (found["n"], found["without_mask"], found["of"]) == (SUBJECTS - 2, 1, SUBJECTS)
        assert found["empty"] == 0
        assert found["ratio"]["value"] == pytest.approx(np.mean(each), rel=1e-5)
        interval = found["ratio"]["interval"]
        assert interval["lower"] <= found["ratio"]["value"] <= interval["upper"]
    assert content["maps"]["xray"]["bright"]["mask"]["ratio"]["interval"]["lower"] > 1


def test_a_map_of_no_weights_is_found_out(content: Content) -> None:
    """One that stays is a warning, one that is learnt changes, one is the same everywhere."""
    told = content["maps"]["xray"]
    steps = {name: told[name]["randomised"]["steps"] for name in told}

    assert [step["share"] for step in steps["learnt"]] == pytest.approx([1 / 3, 2 / 3, 1])
    assert all(step["correlation"]["value"] == pytest.approx(1) for step in steps["bright"])
    assert all(step["correlation"]["n"] == 3 for step in steps["bright"])
    assert told["bright"]["randomised"]["verdict"] == "independent"
    assert "does not depend on what was learnt" in told["bright"]["randomised"]["words"]
    assert told["even"]["randomised"]["verdict"] == "flat"
    assert steps["even"][2]["correlation"]["n"] == 0
    shown_each = [
        maps_of(modality_of(subject, "xray"))["learnt"]["randomised"][2]["correlation"]
        for subject in content["subjects"]
        if subject["subject"] != "S02"
    ]
    assert steps["learnt"][2]["correlation"]["value"] == pytest.approx(np.mean(shown_each))
    assert steps["learnt"][2]["correlation"]["value"] < 0.9


def test_the_page_shows_and_warns(explained: Path, content: Content) -> None:
    """Figures with their words, tables whose numbers lead to the file, and what is in doubt."""
    page = write_report(explained).read_text()
    ratio = content["maps"]["xray"]["learnt"]["mask"]["ratio"]["value"]

    assert 'data-key="maps/xray/learnt/mask/ratio/value"' in page
    assert f">{shown(ratio, 'three')}</span>" in page
    assert 'data-key="subjects/0/modalities/1/image/maps/0/ratio"' in page
    marks = re.findall(
        r'data-key="([^"]+)" data-style="(\w+)" data-source="explain.json">([^<]+)<', page
    )
    assert len(marks) > 60
    for path, style, text in marks:
        value: Any = content
        for step in path.split("/"):
            value = value[int(step) if isinstance(value, list) else step]
        assert text == shown(value, style), path
    assert "“bright” of xray does not depend on what was learnt" in page
    assert "“learnt” of xray does not depend" not in page
    assert "“even” of xray is nearly the same everywhere" in page
    assert "These pictures show patients." in page
    assert page.count("the more orange, the more attention") == 1
    assert len(list((explained / "report/figures").glob("explain-*"))) == 7
    rows = (explained / "report/tables/explained-images.csv").read_text().splitlines()
    assert len(rows) == 1 + 4 + 3 * 3
    assert rows[0] == (
        "subject,modality,map,highest,inside_mask,area_of_mask,ratio,correlation_0.33,"
        "correlation_0.67,correlation_1.00"
    )
    assert len((explained / "report/tables/attention-maps.csv").read_text().splitlines()) == 1 + 4


def test_figures_are_small_and_told(explained: Path, content: Content) -> None:
    """One figure per subject and encoder, no more files than are told."""
    files = {"explain.json"}
    for subject in content["subjects"]:
        for modality in subject["modalities"]:
            picture = modality["picture"]
            files |= {picture["svg"], picture["small"]}
            assert (explained / "explain" / picture["small"]).stat().st_size <= LIMIT
            assert all(words in picture["alt"] for words in modality["image"]["told"])
    assert {path.name for path in (explained / "explain").iterdir()} == files


def test_a_model_is_explained_elsewhere(
    pictures: Path, cohort: Cohort, registry: Registry, tmp_path: Path
) -> None:
    """Pictures of patients never lie in a model's folder; one network, its own maps."""
    found = explain_run(
        pictures / "fitted", cohort, out=tmp_path / "out", registry=registry, count=2
    )

    assert found.content["maps"]["xray"]["even"]["mask"]["ratio"]["value"] == pytest.approx(1)
    assert all(
        modality["image"]["members"] == 1
        for subject in found.content["subjects"]
        for modality in subject["modalities"]
    )
    assert anything_to_show(pictures / "run", registry=registry)


def test_the_command_tells_each_map(
    pictures: Path,
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Per subject, over subjects, and whether it depends on what was learnt."""
    monkeypatch.setattr("survkit.plugins.default_registry", lambda: registry)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    given = ["--cohort", str(pictures / "cohort/cohort.yaml"), "--out", str(tmp_path / "out")]
    assert main(["explain", str(pictures / "run"), *given, "--subjects", "S05"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].startswith("S05: asked for; death ")
    assert sum(line.startswith("  xray: ") for line in lines) == 3
    assert any(
        line.startswith("xray, bright: attention in the mask is ") and line.endswith("24 subjects")
        for line in lines
    )
    assert any("“bright” of xray does not depend on what was learnt" in line for line in lines)


def test_broken_maps_leave_nothing_behind(
    pictures: Path, cohort: Cohort, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence that names the encoder; nothing is written."""
    looker: Any = sys.modules["parts_of_pictures"].Looker
    monkeypatch.setattr(looker, "attention_maps", lambda self, values: {}[3])

    with pytest.raises(PluginError, match=r"Careful\.attention_maps fails .KeyError: "):
        explain_run(pictures / "run", cohort, registry=registry, subjects=["S01"])
    assert not (pictures / "run/explain").exists()
