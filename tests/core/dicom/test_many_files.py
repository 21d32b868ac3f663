"""A folder of thousands of files: bounded memory, bounded time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.core.dicom.writer import decimals, random_volume, uid, write_series

from survkit.dicom import discover

MEASURE = """
import resource, sys
from pathlib import Path
from survkit.dicom import discover
found = discover(Path(sys.argv[1]))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(len(found.series), sum(each.slices for each in found.series), len(found.refused), peak)
"""


def write_many(folder: Path, series: int, slices: int) -> None:
    """Write tiny series fast: one written slice, whose identifiers and places are replaced."""
    (path,) = write_series(folder, random_volume((1, 4, 4)))
    template = pydicom.dcmread(path)
    path.unlink()
    for number in range(series):
        own = folder / f"series-{number:04d}"
        own.mkdir()
        template.SeriesInstanceUID, template.StudyInstanceUID = uid(), uid()
        for index in range(slices):
            template.SOPInstanceUID = uid()
            template.ImagePositionPatient = decimals([0.0, 0.0, 2.0 * index])
            template.save_as(own / f"{index}.dcm")


def measured(folder: Path) -> tuple[int, int, int, float]:
    """Return series, slices, refusals and the peak memory (MiB) of a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(folder)], capture_output=True, text=True, check=True
    )
    series, slices, refused, peak = done.stdout.split()
    return int(series), int(slices), int(refused), float(peak)


def test_two_thousand_files_are_a_matter_of_seconds(tmp_path: Path) -> None:
    """All are grouped, none is lost; the headers cost little memory above the libraries."""
    write_many(tmp_path, series=20, slices=100)
    (tmp_path / "one").mkdir()
    write_series(tmp_path / "one", random_volume())

    began = time.process_time()
    found = discover(tmp_path)
    seconds = time.process_time() - began

    assert (len(found.series), len(found.refused)) == (21, 0)
    assert sum(each.slices for each in found.series) == 2005
    assert seconds < 20


@pytest.mark.slow
def test_twenty_thousand_files_stay_below_half_a_gigabyte(tmp_path: Path) -> None:
    """Under a minute of computing and 500 MiB, libraries included."""
    write_many(tmp_path, series=100, slices=200)

    began = time.process_time()
    found = discover(tmp_path)
    seconds = time.process_time() - began

    assert len(found.series) == 100
    assert seconds < 60
    series, slices, refused, peak = measured(tmp_path)
    assert (series, slices, refused) == (100, 20000, 0)
    assert peak < 500


def test_pixels_are_not_read_to_find_series(tmp_path: Path) -> None:
    """64 MB of pixels are found without holding a tenth of them."""
    small, large = tmp_path / "small", tmp_path / "large"
    write_series(small, np.zeros((8, 4, 4)))
    write_series(large, np.zeros((8, 2048, 2048)))

    growth = measured(large)[3] - measured(small)[3]

    assert growth < 6.4
