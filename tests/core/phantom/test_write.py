"""A written cohort: complete, readable by others, replaced whole or not at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from PIL import Image

from survkit.data import Cohort, check_cohort
from survkit.data.cohort_config import read_cohort_config
from survkit.errors import ConfigError, MissingExtraError, RunError
from survkit.phantom import Phantom, PhantomConfig, generate_phantom, write_cohort
from survkit.phantom.chest_xray import to_gray

CONFIG = PhantomConfig(
    subjects=6,
    size=16,
    causes=2,
    modalities=("ct", "pet", "cxr", "clinical"),
    missing={"pet": 0.4},
)


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return generate_phantom(CONFIG)


@pytest.fixture(scope="module")
def cohort(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(phantom, tmp_path_factory.mktemp("cohorts") / "phantom")


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_cohort_file_is_a_valid_cohort(cohort: Path) -> None:
    """The cohort file passes the reader that every cohort passes."""
    config = read_cohort_config(cohort)

    assert list(config.modalities) == ["ct", "pet", "cxr", "clinical"]
    assert config.outcome.causes == {1: "cancer_death", 2: "other_death"}


def test_every_file_passes_the_check_of_cohorts(cohort: Path) -> None:
    """``survkit cohort check`` reads every image and finds no error."""
    problems = check_cohort(cohort)

    # six subjects are few, which it rightly says
    assert [problem for problem in problems if problem.severity == "error"] == []


def test_files_hold_what_was_generated(phantom: Phantom, cohort: Path) -> None:
    """Volumes come back in LPS axes around the origin, equal to what was drawn."""
    table = pd.read_csv(cohort.parent / "table.csv")
    images = phantom.images(2)
    assert images.ct is not None
    assert images.cxr is not None

    ct = sitk.ReadImage(str(cohort.parent / table["ct_path"][2]))
    mask = sitk.ReadImage(str(cohort.parent / "truth" / "masks" / "S0002.nii"))
    gray = np.asarray(Image.open(cohort.parent / table["cxr_path"][2]))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(ct), images.ct)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(mask), images.lesion)
    np.testing.assert_array_equal(gray, to_gray(images.cxr))
    assert ct.GetSpacing() == mask.GetSpacing() == (20.0, 20.0, 20.0)
    np.testing.assert_allclose(ct.GetDirection(), np.eye(3).ravel())
    np.testing.assert_allclose(ct.TransformContinuousIndexToPhysicalPoint([7.5] * 3), 0, atol=1e-4)


def test_table_holds_the_outcome_and_empty_cells_for_missing_images(
    phantom: Phantom, cohort: Path
) -> None:
    """Durations survive the text file to the last bit; absent subjects have no file."""
    table = pd.read_csv(cohort.parent / "table.csv", float_precision="round_trip")

    np.testing.assert_array_equal(table["time_days"], phantom.outcome.duration)
    np.testing.assert_array_equal(table["event"], phantom.outcome.event)
    np.testing.assert_array_equal(table["pet_path"].notna(), phantom.present["pet"])
    assert 0 < phantom.present["pet"].sum() < len(phantom)
    for path in table["pet_path"].dropna():
        assert (cohort.parent / path).is_file()


def test_truth_is_apart_from_the_cohort(phantom: Phantom, cohort: Path) -> None:
    """The table names no file and no column of the truth, and the truth has the log hazards."""
    table = (cohort.parent / "table.csv").read_text()
    truth = pd.read_csv(cohort.parent / "truth" / "truth.csv", float_precision="round_trip")

    assert "truth" not in table + cohort.read_text()
    assert "log_hazard" not in table
    np.testing.assert_array_equal(truth["log_hazard_cancer_death"], phantom.log_hazard[:, 0])
    np.testing.assert_array_equal(truth["event_time_days"], phantom.outcome.event_time)


def test_number_of_workers_changes_nothing(phantom: Phantom, cohort: Path, tmp_path: Path) -> None:
    """Two processes write the same bytes as one."""
    path = write_cohort(phantom, tmp_path / "parallel", workers=2)

    assert contents(path.parent) == contents(cohort.parent)


def test_progress_is_told(phantom: Phantom, tmp_path: Path) -> None:
    """The hook hears of every subject."""
    heard: list[tuple[int, int]] = []
    write_cohort(phantom, tmp_path / "p", progress=lambda done, total: heard.append((done, total)))

    assert heard == [(done, 6) for done in range(1, 7)]


def test_an_existing_cohort_is_replaced_only_when_asked(tmp_path: Path) -> None:
    """Without leave the old cohort stays; with it, nothing of it remains."""
    config = replace(CONFIG, subjects=2, modalities=("ct",), missing={})
    write_cohort(generate_phantom(config), tmp_path / "p")
    before = contents(tmp_path)

    with pytest.raises(RunError, match="already holds a phantom cohort"):
        write_cohort(generate_phantom(replace(config, subjects=1)), tmp_path / "p")
    assert contents(tmp_path) == before
    write_cohort(generate_phantom(replace(config, subjects=1)), tmp_path / "p", overwrite=True)
    assert [path.name for path in (tmp_path / "p" / "images").iterdir()] == ["S0000_ct.nii"]
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
    (tmp_path / "p" / "recipe.yaml").write_text("mine")
    with pytest.raises(RunError, match=r"'recipe\.yaml' is no part of the phantom cohort there"):
        write_cohort(generate_phantom(config), tmp_path / "p", overwrite=True)


def test_a_foreign_folder_is_never_replaced(phantom: Phantom, tmp_path: Path) -> None:
    """Leave to overwrite is leave to overwrite phantoms."""
    (tmp_path / "thesis.tex").write_text("ten years")

    with pytest.raises(RunError, match="exists and is not a phantom cohort"):
        write_cohort(phantom, tmp_path, overwrite=True)
    with pytest.raises(RunError, match="exists and is not a phantom cohort"):
        write_cohort(phantom, tmp_path / "thesis.tex", overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "ten years"


def test_an_interrupted_write_leaves_nothing(phantom: Phantom, tmp_path: Path) -> None:
    """An interruption half way removes what was written and keeps what was there."""

    def interrupt(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cohort(phantom, tmp_path / "p", progress=interrupt)

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(
    phantom: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the image library says of a failed write becomes a RunError, and nothing stays."""

    def fail(*arguments: object) -> None:
        raise RuntimeError("itk::ERROR:\n  No space left on device")

    monkeypatch.setattr(sitk, "WriteImage", fail)

    with pytest.raises(RunError, match=r"cannot be written: S0000_ct\.nii: .*No space left"):
        write_cohort(phantom, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_without_the_imaging_extra_one_line_says_how_to_get_it(
    phantom: Phantom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SimpleITK is optional; nothing is written without it."""
    monkeypatch.setitem(__import__("sys").modules, "SimpleITK", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'survkit-core\[imaging\]'"):
        write_cohort(phantom, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_a_table_alone_needs_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Core alone draws clinical columns: the same as beside images, and nothing of images."""
    config = replace(CONFIG, modalities=("ct", "clinical"), missing={})
    imaged = write_cohort(generate_phantom(config), tmp_path / "imaged")
    monkeypatch.setitem(__import__("sys").modules, "SimpleITK", None)

    phantom = generate_phantom(replace(config, modalities=("clinical",)))
    table = write_cohort(phantom, tmp_path / "table")

    files = {str(path.relative_to(table.parent)) for path in table.parent.rglob("*.*")}
    assert files == {"cohort.yaml", "table.csv", "truth/truth.csv", "truth/phantom.yaml"}
    assert [one for one in check_cohort(table) if one.severity == "error"] == []
    columns = ["subject_id", "age", "sex", "stage"]
    drawn = [pd.read_csv(each.parent / "table.csv")[columns] for each in (imaged, table)]
    pd.testing.assert_frame_equal(*drawn)


def test_a_ct_in_hu_comes_without_window_and_with_its_lesion(tmp_path: Path) -> None:
    """What a cohort reads is what was drawn, and the mask that it names is the truth."""
    config = PhantomConfig(subjects=2, size=16, modalities=("ct",), hounsfield=True)
    phantom = generate_phantom(config)

    cohort = Cohort.read(write_cohort(phantom, tmp_path / "hu"))

    sample = cohort.read_sample("ct", 1, cohort.input_spec("ct", [0, 1]))
    images = phantom.images(1)
    assert sample is not None
    assert sample.mask is not None
    assert images.ct is not None
    np.testing.assert_array_equal(sample.values[0].numpy(), images.ct.astype(np.int16))
    np.testing.assert_array_equal(sample.mask.numpy(), images.lesion)


def test_hu_without_a_ct_are_refused() -> None:
    """There would be nothing to give in HU."""
    with pytest.raises(ConfigError, match="HU are those of the CT"):
        PhantomConfig(modalities=("pet",), hounsfield=True)


def test_masks_are_named_and_change_no_image(
    phantom: Phantom, cohort: Path, tmp_path: Path
) -> None:
    """Every picture and volume comes with its lesion, and is what it is without."""
    plain = Cohort.read(cohort)

    named = Cohort.read(write_cohort(generate_phantom(replace(CONFIG, masks=True)), tmp_path / "m"))

    for row, images in enumerate(phantom.all_images()):
        for modality in ("ct", "pet", "cxr"):
            sample = named.read_sample(modality, row, named.input_spec(modality, range(6)))
            before = plain.read_sample(modality, row, plain.input_spec(modality, range(6)))
            if not phantom.present[modality][row]:
                assert sample is before is None
                continue
            assert sample is not None
            assert before is not None
            assert before.mask is None
            assert sample.mask is not None
            np.testing.assert_array_equal(sample.values.numpy(), before.values.numpy())
            seen = np.any(images.lesion, axis=1)[::-1] if modality == "cxr" else images.lesion
            np.testing.assert_array_equal(sample.mask.numpy(), seen)


def test_masks_without_an_image_are_refused() -> None:
    """There would be nothing that they lie over."""
    with pytest.raises(ConfigError, match="masks lie over images, but the modalities are clinical"):
        PhantomConfig(modalities=("clinical",), masks=True)
