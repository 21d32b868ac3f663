"""Full disks, killed processes and closed pipes: nothing is lost, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from survkit.cli import main

FIT = "fit recipe.yaml --cohort cohort.yaml --quiet"
CV = "cv recipe.yaml --cohort cohort.yaml --out cv --folds 3 --replicates 0 --quiet"


def mount(*words: str) -> bool:
    """Run a mount command; say whether it was allowed."""
    if sys.platform != "linux" or not shutil.which(words[0]):
        return False
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, whose size the test sets."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)):
        pytest.skip("mounting a file system needs root")
    yield disk
    mount("umount", str(disk))


def process(place: Any, line: str, **streams: Any) -> subprocess.Popen[bytes]:
    """Start the command line as a user does."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "survkit", *line.split()]
    return subprocess.Popen(words, cwd=place.folder, env=environment, **streams)


@pytest.mark.parametrize("kilobytes", [4, 12, 20, 28, 36])
def test_a_full_disk_is_one_line_and_the_run_goes_on(
    kilobytes: int, tiny_disk: Path, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever the space ends; with more of it the same weights come out."""
    mount("mount", "-o", f"remount,size={kilobytes}k", str(tiny_disk))
    capsys.readouterr()
    code = main([*FIT.split(), "--out", str(tiny_disk / "r")])
    error = capsys.readouterr().err

    assert (code, error.count("\n"), "Traceback" in error) == (2, 1, False), error
    assert "No space left" in error or "disk is full" in error or "free on the disk" in error
    assert not list(tiny_disk.rglob(".*.part"))
    mount("mount", "-o", "remount,size=4m", str(tiny_disk))
    more = ["--resume"] if (tiny_disk / "r").exists() else []
    assert main([*FIT.split(), "--out", str(tiny_disk / "r"), *more]) == 0
    weights = (tiny_disk / "r" / "model.safetensors").read_bytes()
    assert weights == (place / "fitted/model.safetensors").read_bytes()


def test_a_full_disk_keeps_the_numbers_that_were_there(
    tiny_disk: Path, place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Metrics, pages and predictions are replaced when the new file is whole, or not at all."""
    mount("mount", "-o", "remount,size=4m", str(tiny_disk))
    shutil.copytree(place / "cv", tiny_disk / "cv")
    (tiny_disk / "p.csv").write_text("subject\n")
    used = sum(
        -(-path.stat().st_size // 4096) * 4 for path in tiny_disk.rglob("*") if path.is_file()
    )
    mount("mount", "-o", f"remount,size={used}k", str(tiny_disk))
    before = {path: path.read_bytes() for path in tiny_disk.rglob("*") if path.is_file()}
    predict = f"predict fitted --cohort cohort.yaml --out {tiny_disk}/p.csv --overwrite"

    for line in (f"evaluate {tiny_disk}/cv --replicates 0", f"report {tiny_disk}/cv", predict):
        capsys.readouterr()
        assert main(line.split()) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        assert "No space left on device" in error
        assert {p: p.read_bytes() for p in tiny_disk.rglob("*") if p.is_file()} == before


@pytest.mark.slow
def test_a_killed_overwrite_keeps_the_old_run_and_resumes(
    place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGKILL in the middle of a fold: the old numbers stand; --resume ends as if nothing was."""
    before, longer = place.files(), " --set training.epochs=20"
    with process(place, CV + longer + " --overwrite", stdout=subprocess.DEVNULL) as running:
        while not (place / ".cv.new/fold-1/log.csv").exists():
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)

    assert {name: place.files()[name] for name in before} == before
    assert main(["evaluate", "cv", "--replicates", "10"]) == 0
    (place / ".cv.new/fold-0/.log.csv.99.part").write_text("torn")
    assert main((CV + longer + " --resume").split()) == 0
    assert main((CV + longer).replace("--out cv", "--out whole").split()) == 0
    files = place.files()
    assert not [name for name in files if ".part" in name or ".new" in name or ".old" in name]
    for name in ("predictions.parquet", "fold-1/model.safetensors"):
        assert files[f"cv/{name}"] == files[f"whole/{name}"]


def test_a_run_interrupted_while_it_takes_its_place_is_not_lost(place: Any) -> None:
    """Between the two renames there is no run of that name, and --resume puts it there."""
    before = place.files()
    (place / "cv").replace(place / ".cv.new")
    shutil.copytree(place / "fitted", place / ".cv.old")

    line = CV.replace("--replicates 0", "--replicates 10")
    assert main((line + " --resume").split()) == 0
    assert set(place.files()) == set(before)
    assert place.files()["cv/predictions.parquet"] == before["cv/predictions.parquet"]


def test_a_reader_that_goes_away_is_no_error(place: Any) -> None:
    """``survkit predict … | head`` ends quietly."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with process(place, "predict fitted --cohort cohort.yaml", **streams) as running:
        assert running.stdout is not None
        running.stdout.close()
        assert running.stderr is not None
        error = running.stderr.read()

    assert running.returncode == 1
    assert error == b""


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        ("fit recipe.yaml --cohort no.yaml --out r", b"no.yaml: there is no such file"),
        ("evaluate fitted", b"fitted has no predictions.parquet"),
    ],
)
def test_a_process_says_it_in_one_line_too(place: Any, line: str, fragment: bytes) -> None:
    """As the shell sees it: exit code 2, one line on stderr, nothing on stdout."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with process(place, line, **streams) as running:
        printed, error = running.communicate()

    assert (running.returncode, printed, error.count(b"\n")) == (2, b"", 1)
    assert fragment in error
