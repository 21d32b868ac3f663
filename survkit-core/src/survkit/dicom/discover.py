"""The series in a messy folder: every file is offered, refused with a reason, or counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from survkit.dicom.assemble import assemble
from survkit.dicom.header import FileHeader, read_header
from survkit.dicom.kinds import DIRECTORY, is_image
from survkit.dicom.libraries import pydicom
from survkit.dicom.open_dicom import is_dicom
from survkit.dicom.series import Refusal, Series
from survkit.dicom.shown_name import shown_name
from survkit.dicom.walk import walk
from survkit.errors import ConfigError, DataError
from survkit.worker_processes import in_processes

Progress = Callable[[int, int], None]
"""Called with how many files are read, and of how many."""

NOT_DICOM = "files that are not DICOM"
INDEX = "DICOMDIR indexes (the files themselves are read)"
_SUFFIXES = {".dcm", ".dicom", ".ima"}
_CHUNK = 64

Found = FileHeader | Refusal | str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a folder holds.

    Attributes:
        series: Volumes and radiographs that can be read, in the order of their first files.
        others: DICOM objects that are no images: RTSTRUCT, SEG, reports, doses, plans.
        refused: What is set aside or refused, with reasons.
        ignored: How many files are none of these, by reason.
    """

    series: tuple[Series, ...]
    others: tuple[FileHeader, ...]
    refused: tuple[Refusal, ...]
    ignored: dict[str, int]


def discover(folder: Path, *, jobs: int = 1, progress: Progress | None = None) -> Discovery:
    """Read the headers of all files below a folder and group them into series.

    No pixels are read, but those of slices at one position, to tell copies from acquisitions.

    Args:
        folder: Where to look, at any depth; symbolic links are not followed.
        jobs: Worker processes; -1 for one per core.
        progress: Told as files are read.

    Raises:
        DataError: There is no such folder.
        MissingExtraError: pydicom is not installed.
    """
    if jobs == 0 or jobs < -1:
        raise ConfigError(f"jobs must be 1 or more, or -1 for one per core, not {jobs}")
    pydicom()
    paths, ignored, closed = walk(folder)
    headers: list[FileHeader] = []
    refused = [
        Refusal(shown_name(path, folder), "unreadable", "the folder cannot be listed", 0)
        for path in closed
    ]
    faulty: list[Path] = []
    for done, (path, found) in enumerate(zip(paths, _read(paths, folder, jobs), strict=True), 1):
        if isinstance(found, FileHeader):
            headers.append(found)
        elif isinstance(found, Refusal):
            refused.append(found)
            faulty.append(path)
        else:
            ignored[found] += 1
        if progress is not None:
            progress(done, len(paths))
    series, wrong = assemble([header for header in headers if is_image(header)], folder)
    return Discovery(
        series=tuple(_noted(each, faulty) for each in series),
        others=tuple(header for header in headers if not is_image(header)),
        refused=(*refused, *wrong),
        ignored=dict(ignored),
    )


def _read(paths: Sequence[Path], folder: Path, jobs: int) -> Iterator[Found]:
    if jobs == 1 or len(paths) <= _CHUNK:
        yield from (_read_one(path, folder) for path in paths)
        return
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    calls = [(chunk, folder) for chunk in chunks]
    for found in in_processes(_read_all, calls, jobs=jobs, tasks=len(calls)):
        yield from found


def _read_all(paths: Sequence[Path], folder: Path) -> list[Found]:
    return [_read_one(path, folder) for path in paths]


def _read_one(path: Path, folder: Path) -> Found:
    """Return a file's header, why it is refused, or why it is ignored."""
    what = shown_name(path, folder)
    try:
        if not is_dicom(path):
            if path.suffix.lower() not in _SUFFIXES:
                return NOT_DICOM
            reason = "named as DICOM, but the prefix DICM after 128 bytes lacks; export it again"
            return Refusal(what, "not-dicom", reason, 1)
        header = read_header(path)
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror or type(error).__name__}"
        return Refusal(what, "unreadable", reason, 1)
    except DataError as error:
        return Refusal(what, "damaged", str(error), 1)
    if header.sop_class == DIRECTORY:
        return INDEX
    missing = [
        name
        for name, value in (
            ("SOPClassUID", header.sop_class),
            ("SeriesInstanceUID", header.series_uid),
            ("StudyInstanceUID", header.study_uid),
        )
        if not value
    ]
    if missing:
        reason = f"without {', '.join(missing)} a file belongs to no series; export it again"
        return Refusal(what, "no-identity", reason, 1, header.patient_id)
    return header


def _noted(series: Series, faulty: Sequence[Path]) -> Series:
    """Say it where a damaged file lies beside a series: it may be one of its slices."""
    folders = {header.path.parent for header in series.files}
    beside = sum(path.parent in folders for path in faulty)
    if not beside:
        return series
    note = f"{beside} damaged {'file lies' if beside == 1 else 'files lie'} in its folder"
    return replace(series, notes=(*series.notes, note))
