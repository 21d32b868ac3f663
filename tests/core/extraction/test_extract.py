"""The table holds what the engine gives for the files' own intensities, subject by subject."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from tests.core.extraction.conftest import NAMES, SUBJECTS, change, picture

from survkit.data import Cohort, PreparationCache, read_modality
from survkit.errors import ConfigError, DataError
from survkit.extraction import ExtractionSettings, extract_features
from survkit.radiomics import (
    FEATURE_CLASSES,
    FEATURE_NAMES,
    RadiomicsSettings,
    patch_features,
    roi_features,
)


def read(file: Path) -> Cohort:
    return Cohort.read(file, needs_outcome=False)


def volume_of(path: Path) -> np.ndarray:
    """Return (z, y, x) of a file whose axes run to left, back and head already."""
    image: Any = nib.load(path)
    return np.ascontiguousarray(image.get_fdata().T)


def test_patches_are_those_of_the_files_without_the_window(file: Path) -> None:
    """A row per patch in reading order, with its place; the window of the cohort file is not
    applied, which would leave one grey level of 25.
    """
    settings = ExtractionSettings(region="patches", patch=16)

    found = extract_features(read(file), settings, modality="cxr").table

    assert list(found.columns) == ["id", "row", "column", *FEATURE_NAMES]
    assert found["id"].tolist() == [name for name in NAMES for _ in range(6)]
    assert found["row"].tolist()[:6] == [0, 0, 0, 1, 1, 1]
    assert found["column"].tolist()[:6] == [0, 1, 2, 0, 1, 2]
    for k in (0, 3):
        image = torch.from_numpy(picture(k).astype(np.uint8)).float()
        expected = patch_features(image[None], 16, RadiomicsSettings())[0]
        own = found[found["id"] == NAMES[k]][list(FEATURE_NAMES)].to_numpy()
        assert np.array_equal(own, expected.numpy())
    assert found["glcm_Contrast"].iloc[0] > 0.5


def test_regions_are_those_of_the_masks_in_mm(file: Path) -> None:
    """A row per subject; who has no CT has none. Axes are z, y, x in LPS, and spacing counts."""
    settings = ExtractionSettings(radiomics=RadiomicsSettings(bin_width=None, bin_count=16))

    found = extract_features(read(file), settings, modality="ct")

    there = [name for name in NAMES if name != "004"]
    assert found.table["id"].tolist() == there
    assert (found.without, found.failed) == (1, ())
    for name in there[:2]:
        volume, mask = (volume_of(file.parent / f"{name}{end}.nii.gz") for end in ("", "-roi"))
        expected = roi_features(
            torch.from_numpy(volume).float(),
            torch.from_numpy(mask > 0),
            (2.0, 0.8, 0.8),
            settings.radiomics,
        )
        own = found.table[found.table["id"] == name][list(FEATURE_NAMES)].to_numpy()[0]
        np.testing.assert_allclose(own, expected.numpy(), rtol=1e-6)


def test_a_flat_patch_has_the_documented_values(file: Path) -> None:
    """Its correlation is 1 and its entropy 0; nothing of it is missing."""
    settings = ExtractionSettings(region="patches", patch=16)

    found = extract_features(read(file), settings, modality="cxr").table

    flat = found[found["id"] == NAMES[-1]]
    assert flat["glcm_Correlation"].tolist() == [1.0] * 6
    assert flat["firstorder_Entropy"].abs().max() < 1e-12
    assert flat["firstorder_Mean"].tolist() == [90.0] * 6
    assert not found.isna().any(axis=None)


def test_classes_choose_columns(file: Path) -> None:
    """In the order asked for; their numbers do not change."""
    cohort = read(file)
    whole = extract_features(cohort, ExtractionSettings(), modality="cxr").table
    some = ExtractionSettings(classes=("ngtdm", "glcm"))

    found = extract_features(cohort, some, modality="cxr").table

    names = [f"{group}_{name}" for group in ("ngtdm", "glcm") for name in FEATURE_CLASSES[group]]
    assert list(found.columns) == ["id", *names]
    pd.testing.assert_frame_equal(found, whole[["id", *names]])


def test_the_shape_is_measured_in_mm(file: Path) -> None:
    """The area of a rectangle of 14 x 14 pixels and the volume of 5 x 4 x 3 voxels in mm."""
    pytest.importorskip("radiomics")
    settings = ExtractionSettings(classes=("firstorder",), shape=True)
    cohort = read(file)

    image = extract_features(cohort, settings, modality="cxr").table.iloc[0]
    volume = extract_features(cohort, settings, modality="ct").table.iloc[0]

    assert image["shape2D_PixelSurface"] == 14 * 14
    assert volume["shape_VoxelVolume"] == pytest.approx(5 * 4 * 3 * 2.0 * 0.8**2, rel=1e-6)
    assert len(image) == 1 + 18 + 9
    assert len(volume) == 1 + 18 + 14


def test_the_shape_is_kept_whichever_distribution_measures_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module's own version is part of the key, not that of a distribution by its name."""
    pytest.importorskip("radiomics")
    settings = ExtractionSettings(classes=("ngtdm",), shape=True)
    cache, cohort = PreparationCache(tmp_path / "cache"), read(file)

    def keys() -> set[str]:
        extract_features(cohort, settings, modality="ct", cache=cache)
        return {path.name for path in (tmp_path / "cache").rglob("*.npy")}

    monkeypatch.setattr("radiomics.__version__", "of another distribution")
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: 1 / 0)
    first = keys()
    assert keys() == first
    monkeypatch.setattr("radiomics.__version__", "later")
    assert len(keys()) == 2 * len(first)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_the_table_is_a_modality(file: Path, suffix: str) -> None:
    """As columns and as an embedding; subjects without the image lack it too."""
    found = extract_features(
        read(file), ExtractionSettings(classes=("firstorder",)), modality="ct"
    ).table
    path = file.parent / f"features{suffix}"
    found.to_parquet(path) if suffix == ".parquet" else found.to_csv(path, index=False)
    change(file, "modalities.radiomics", {"kind": "vector", "file": path.name})
    columns = ["firstorder_Mean", "firstorder_Energy"]
    change(file, "modalities.few", {"kind": "table", "file": path.name, "columns": columns})
    cohort = read(file)
    everybody = list(range(SUBJECTS))

    given = {
        name: read_modality(cohort, name, everybody, cohort.input_spec(name, everybody))
        for name in ("radiomics", "few")
    }

    for one in given.values():
        assert one.present.tolist() == [name != "004" for name in NAMES]
    assert given["radiomics"].values.shape == (SUBJECTS, 18)
    expected = torch.from_numpy(found[columns].to_numpy()).float()
    assert torch.equal(given["few"].values[given["few"].present], expected)


def test_the_place_of_a_patch_is_no_feature(file: Path) -> None:
    """A table of patches is refused until it is said what is meant; then features are read."""
    settings = ExtractionSettings(region="patches", patch=16, classes=("firstorder",))
    found = extract_features(read(file), settings, modality="cxr").table
    found.to_parquet(file.parent / "patches.parquet")
    one = {"kind": "vector", "file": "patches.parquet", "tokens": True}
    change(file, "modalities.patches", one)
    with pytest.raises(DataError, match=r"modalities\.patches\.exclude: \[row, column\], or name"):
        read(file)
    change(file, "modalities.patches", one | {"exclude": ["row", "column"]})
    cohort = read(file)

    sample = cohort.read_sample("patches", 0, cohort.input_spec("patches", [0]))

    assert sample is not None
    features = found[found["id"] == "000"].drop(columns=["id", "row", "column"])
    assert torch.equal(sample.values, torch.from_numpy(features.to_numpy()).float())


@pytest.mark.parametrize("exclude", [[], ["row"], ["column"]])
def test_the_place_of_a_patch_is_no_column_of_a_table(file: Path, exclude: list[str]) -> None:
    """One patch, the whole picture: both names are refused, one of them alone is any column."""
    frame = pd.DataFrame({"id": NAMES, "row": 0.0, "column": 0.0, "glcm_Contrast": 1.0})
    frame.to_csv(file.parent / "whole.csv", index=False)
    change(file, "modalities.whole", {"kind": "table", "file": "whole.csv", "exclude": exclude})
    if not exclude:
        with pytest.raises(DataError, match="'row' and 'column' say where a patch lies"):
            read(file)
        return

    assert len(read(file).input_spec("whole", [0]).columns) == 2


def test_worker_processes_and_the_cache_change_nothing(file: Path, tmp_path: Path) -> None:
    """Nor does an interrupted run: what is kept is not computed again."""
    cohort = read(file)
    settings = ExtractionSettings(region="patches", patch=16)
    alone = extract_features(cohort, settings, modality="cxr").table
    cache = PreparationCache(tmp_path / "cache")
    extract_features(cohort.subset([1, 4]), settings, modality="cxr", cache=cache)
    kept = {one: one.stat().st_mtime_ns for one in (tmp_path / "cache").rglob("*.npy")}
    told: list[tuple[int, int]] = []

    found = extract_features(
        cohort,
        settings,
        modality="cxr",
        cache=cache,
        jobs=2,
        progress=lambda done, total: told.append((done, total)),
    ).table

    pd.testing.assert_frame_equal(found, alone)
    assert len(kept) == 2
    assert {one: one.stat().st_mtime_ns for one in kept} == kept
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == SUBJECTS
    assert told == [(k, SUBJECTS) for k in range(1, SUBJECTS + 1)]


@pytest.mark.parametrize("what", ["file", "mask", "settings", "declaration", "damage"])
def test_what_has_changed_is_computed_again(file: Path, tmp_path: Path, what: str) -> None:
    """The cache goes by content: bytes of image and mask, settings, and the cohort file's words."""
    from PIL import Image

    settings, cache = ExtractionSettings(), PreparationCache(tmp_path / "cache")
    before = extract_features(read(file), settings, modality="cxr", cache=cache).table
    if what == "file":
        Image.fromarray(picture(SUBJECTS).astype(np.uint8)).save(file.parent / "000.png")
    if what == "mask":
        Image.fromarray(np.ones((32, 48), np.uint8)).save(file.parent / "000-mask.png")
    if what == "settings":
        settings = ExtractionSettings(radiomics=RadiomicsSettings(bin_width=10.0))
    if what == "declaration":
        change(file, "modalities.cxr.size", [64, 96])
    if what == "damage":
        for one in (tmp_path / "cache").rglob("*.npy"):
            one.write_bytes(one.read_bytes()[:-40])

    found = extract_features(read(file), settings, modality="cxr", cache=cache).table
    fresh = extract_features(read(file), settings, modality="cxr").table

    pd.testing.assert_frame_equal(found, fresh)
    assert (found["glcm_Contrast"][0] == before["glcm_Contrast"][0]) == (what == "damage")


def test_the_window_decides_nothing(file: Path, tmp_path: Path) -> None:
    """A cohort file that differs in it shares the kept subjects, and has the same features."""
    cache = PreparationCache(tmp_path / "cache")
    first = extract_features(read(file), ExtractionSettings(), modality="cxr", cache=cache).table
    change(file, "modalities.cxr.window", None)

    second = extract_features(read(file), ExtractionSettings(), modality="cxr", cache=cache).table

    pd.testing.assert_frame_equal(first, second)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == SUBJECTS


def test_settings_refuse() -> None:
    """What means nothing, in one sentence."""
    with pytest.raises(ConfigError, match="no class of features is named 'glmc'"):
        ExtractionSettings(classes=("glmc",))
    with pytest.raises(ConfigError, match="each once, not: glcm, glcm"):
        ExtractionSettings(classes=("glcm", "glcm"))
    with pytest.raises(ConfigError, match="all patches have one shape"):
        ExtractionSettings(region="patches", shape=True)
    with pytest.raises(ConfigError, match="at least 2 pixels on a side, not 1"):
        ExtractionSettings(region="patches", patch=1)


@pytest.mark.benchmark
def test_a_second_run_is_a_hundred_times_faster(tmp_path: Path) -> None:
    """Of radiographs of 384 x 384 pixels in 144 patches: what is kept is read."""
    from tests.core.extraction.conftest import write_cohort

    file = write_cohort(tmp_path / "cohort")
    change(file, "modalities.cxr.size", [384, 384])
    cohort, cache = read(file), PreparationCache(tmp_path / "cache")
    settings = ExtractionSettings(region="patches", patch=32)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        extract_features(cohort, settings, modality="cxr", cache=cache)
        seconds.append(time.perf_counter() - start)

    first, again = seconds[0], min(seconds[1:])
    print(f"first {first:.3f} s, again {again:.4f} s: {first / again:.0f} x")
    assert first / again > 100


def test_one_image_of_two_patients_is_refused(file: Path) -> None:
    """As before a division: its features would stand on both sides; of one patient they may."""
    folder = file.parent
    (folder / "001.png").write_bytes((folder / "000.png").read_bytes())
    settings = ExtractionSettings(region="patches", patch=16, classes=("firstorder",))
    with pytest.raises(DataError, match=r"'000', 'cxr': .*000\.png: its bytes .* id '001'"):
        extract_features(read(file), settings, modality="cxr")
    table = pd.read_csv(folder / "patients.csv", dtype={"id": str})
    table.assign(person=["a", "a", "b", "c", "d", "e"]).to_csv(folder / "patients.csv", index=False)
    change(file, "group", "person")

    found = extract_features(read(file), settings, modality="cxr")

    features = found.table.set_index("id").drop(columns=["row", "column"])
    assert features.loc["000"].equals(features.loc["001"].set_axis(features.loc["000"].index))
