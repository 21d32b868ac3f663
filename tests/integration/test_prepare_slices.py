"""Frozen work is done once: slices and trunk in the cache, shared, invalidated, filled by two."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from survkit.cli import main
from survkit.phantom import PhantomConfig, generate_phantom, write_cohort
from survkit.phantom.tables import image_path

SMALLER = ["training.epochs=2", "encoders.ct.size=32", "encoders.ct.spacing=[20, 10, 10]"]
RECIPE = ["slicetention/small", *(word for each in SMALLER for word in ("--set", each))]
SUBJECTS = 8


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cohort of CTs in HU."""
    config = PhantomConfig(subjects=SUBJECTS, size=16, modalities=("ct",), hounsfield=True)
    return write_cohort(generate_phantom(config), tmp_path_factory.mktemp("prepare") / "cohort")


def arrays(cache: Path) -> dict[str, float]:
    """Return the files of the cache and when each was written."""
    return {path.name: path.stat().st_mtime_ns for path in cache.rglob("*.npy")}


def prepare(cohort: Path, cache: Path, *words: str) -> None:
    """Fill the cache."""
    words = (*RECIPE, "--cohort", str(cohort), "--cache", str(cache), "--jobs", "1", *words)
    assert main(["prepare", *words]) == 0


def test_what_is_prepared_ahead_is_not_prepared_again(cohort: Path, tmp_path: Path) -> None:
    """Folds, other widths, another fusion and another head read the same arrays."""
    cache = tmp_path / "cache"
    prepare(cohort, cache)
    before = arrays(cache)
    run = ["cv", *RECIPE, "--cohort", str(cohort), "--cache", str(cache), "--folds", "2"]
    run += ["--replicates", "0", "--quiet", "--no-explain", "--set", "training.monitor=loss"]

    assert main([*run, "--out", str(tmp_path / "soft")]) == 0
    others = ["encoders.ct.dim=8", "fusion={use: mean, dim: null}", "head=cox", "objective=cox"]
    changes = [word for change in others for word in ("--set", change)]
    assert main([*run, "--out", str(tmp_path / "mean"), *changes]) == 0

    assert len(before) == SUBJECTS
    assert arrays(cache) == before


FIT = ["fit", *RECIPE, "--quiet", "--set", "training.validation=0"]


@pytest.fixture(scope="module")
def donor(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a trunk of another seed; what it read is in the folder cache beside it."""
    home = tmp_path_factory.mktemp("trained")
    words = ["--cohort", str(cohort), "--cache", str(home / "cache"), "--out", str(home / "donor")]
    assert main([*FIT, *words, "--set", "encoders.ct.weights_seed=1"]) == 0
    return home / "donor"


def test_other_weights_prepare_what_a_start_from_them_reads(
    cohort: Path, donor: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The arrays of the run that the trunk comes from; a training with that start adds none."""
    cache = tmp_path / "cache"
    capsys.readouterr()

    prepare(cohort, cache, "--init-from", str(donor), "--init-parts", "encoders.ct,fusion")
    said, before = capsys.readouterr().out, arrays(cache)
    words = ["--cohort", str(cohort), "--cache", str(cache), "--out", str(tmp_path / "tuned")]
    assert main([*FIT, *words, "--init-from", str(donor)]) == 0

    assert said.startswith("with the weights of donor: encoders.ct\n")
    assert set(before) == set(arrays(donor.parent / "cache"))
    assert len(before) == SUBJECTS
    assert arrays(cache) == before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--init-parts encoders.ct", "--init-parts needs --init-from"),
        ("--init-from nowhere", "nowhere: there is no model or run to start from"),
        ("--init-from donor --init-parts head", "init_parts: head prepares nothing"),
        ("--init-from donor --init-parts encoders.pet", "no part with weights is named"),
        (
            "--init-from donor --set encoders.ct=slicetention/lung-volume",
            "no encoder of donor fits",
        ),
    ],
)
def test_a_start_that_prepares_nothing_is_refused(
    words: str, reason: str, cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], donor: Path,
) -> None:  # fmt: skip
    """One sentence, exit code 2, and nothing in the cache."""
    monkeypatch.chdir(donor.parent)
    given = [*RECIPE[:1], "--cohort", str(cohort), "--cache", str(tmp_path), *words.split()]
    capsys.readouterr()

    assert main(["prepare", *given]) == 2

    assert reason in capsys.readouterr().err
    assert arrays(tmp_path) == {}


@pytest.mark.parametrize(
    "change",
    ["encoders.ct.weights_seed=1", "encoders.ct.size=40", "encoders.ct.statistics=[-300, 600]"],
)
def test_other_weights_and_settings_are_other_arrays(
    cohort: Path, tmp_path: Path, change: str
) -> None:
    """Nothing of another network or another preparation is ever read."""
    cache = tmp_path / "cache"
    prepare(cohort, cache)
    before = arrays(cache)

    prepare(cohort, cache, "--set", change)

    after = arrays(cache)
    assert len(after) == 2 * SUBJECTS
    assert {name: after[name] for name in before} == before


def test_another_content_is_another_array(tmp_path: Path) -> None:
    """One voxel of one scan makes one new array."""
    config = PhantomConfig(subjects=3, size=16, modalities=("ct",), hounsfield=True)
    cohort = write_cohort(generate_phantom(config), tmp_path / "cohort")
    cache = tmp_path / "cache"
    prepare(cohort, cache)
    before = arrays(cache)
    path = tmp_path / "cohort" / image_path("ct", "S0001")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    prepare(cohort, cache)

    after = arrays(cache)
    assert len(after) == 4
    assert {name: after[name] for name in before} == before


def test_two_runs_may_fill_one_cache(cohort: Path, tmp_path: Path) -> None:
    """Both end well, and the arrays are those that one alone would have written."""
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    words = [sys.executable, "-m", "survkit", "prepare", *RECIPE, "--cohort", str(cohort)]
    # One alone in a process of its own, too: the last bit of an array is that of the number of
    # threads, which other tests may have changed in this process. The names are the same anyhow.
    three = [
        subprocess.Popen([*words, "--cache", str(cache), "--jobs", "1"], stdout=subprocess.DEVNULL)
        for cache in (shared, shared, alone)
    ]
    prepare(cohort, here := tmp_path / "here")

    assert [process.wait(timeout=300) for process in three] == [0, 0, 0]
    assert arrays(here).keys() == arrays(alone).keys()
    assert arrays(shared).keys() == arrays(alone).keys()
    for path in alone.rglob("*.npy"):
        (twin,) = shared.rglob(path.name)
        np.testing.assert_array_equal(np.load(path), np.load(twin))
