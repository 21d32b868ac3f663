"""The folder of an ingest: a hidden neighbour that takes its place when everything is written.

An interruption leaves the neighbour, in which every finished case has its mark; ``resume`` goes on
from there.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.errors import DataError, RunError, UserError
from survkit.ingest.convert import IMAGES, Converted
from survkit.ingest.plan import Case
from survkit.ingest.refused import Left
from survkit.whole_folder import is_occupied, put_in_place, refuse_foreign

INGEST_FILE, SETTINGS_FILE, MARKS = "ingest.json", "settings.json", "finished"
WRITTEN = ("cohort.yaml", "table.csv", "refused.csv", "quality.csv", INGEST_FILE, IMAGES)


class IngestFolder:
    """Where a cohort is written.

    Args:
        folder: Where it will lie.
        overwrite: Replace the ingested cohort that lies there, or what an interruption left.
        resume: Go on with an interrupted ingest.

    Raises:
        RunError: Something is there that is not to be replaced, or there is nothing to resume.
    """

    def __init__(self, folder: Path, *, overwrite: bool, resume: bool) -> None:
        self.final, self.resume = folder, resume
        occupied = is_occupied(folder)
        if occupied and not (folder / INGEST_FILE).is_file():
            raise RunError(
                f"{folder}: something is there that is no ingested cohort; choose another folder"
            )
        place = folder.absolute()
        self.work = place.with_name(f".{place.name}.unfinished")
        if overwrite and resume:
            raise RunError("--resume goes on with an ingest and --overwrite starts anew; give one")
        interrupted = (self.work / SETTINGS_FILE).is_file()
        if resume and not interrupted:
            raise RunError(f"{folder}: there is no interrupted ingest to resume")
        if interrupted and not resume and not overwrite:
            raise RunError(
                f"{folder}: an interrupted ingest is kept beside it; give --resume to go on with "
                "it, or --overwrite to start anew"
            )
        if occupied and not overwrite:
            raise RunError(
                f"{folder}: an ingested cohort is there already; give --overwrite to replace it "
                "once the new one is complete, or --out for another folder"
            )
        if occupied:
            refuse_foreign(folder, WRITTEN, kind="ingested cohort")

    def refuse_inside(self, source: Path) -> None:
        """Refuse to write into the folder that is read, or to replace it.

        Raises:
            RunError: One lies in the other.
        """
        here, there = self.final.resolve(), source.resolve()
        if here.is_relative_to(there):
            raise RunError(f"{self.final}: lies in {source}, which is read; choose another folder")
        if there.is_relative_to(here):
            raise RunError(f"{self.final}: holds {source}, which is read; choose another folder")

    def start(self, described: Mapping[str, Any]) -> None:
        """Say what is done; on resume, refuse to go on with something else.

        Raises:
            RunError: The interrupted one had other settings, or the folder cannot be written.
        """
        now = json.loads(json.dumps(described))
        if self.resume:
            before = self._read(self.work / SETTINGS_FILE)
            for key in sorted({*before, *now}):
                if before.get(key) != now.get(key):
                    raise RunError(
                        f"{self.final}: the interrupted ingest had another {key} "
                        f"({before.get(key)}, now {now.get(key)}); start anew with --overwrite"
                    )
            return
        shutil.rmtree(self.work, ignore_errors=True)
        try:
            (self.work / MARKS).mkdir(parents=True)
            (self.work / IMAGES).mkdir()
            write_bytes(self.work / SETTINGS_FILE, _json(now))
        except (OSError, DataError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise RunError(f"{self.final}: cannot be written: {reason}") from error

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Leave nothing behind where the input is refused; after an interruption, what is done."""
        try:
            yield
        except UserError:
            if not self.resume:
                shutil.rmtree(self.work, ignore_errors=True)
            raise
        except OSError as error:
            raise RunError(
                f"{self.final}: cannot be written: {error.strerror or error}; what is finished is "
                "kept, go on with --resume"
            ) from error

    def finished(self, case: Case) -> Converted | None:
        """Return what a case became, if it is finished and its files are still the same."""
        mark = self._mark(case.subject)
        if not self.resume or not mark.is_file():
            return None
        kept = self._read(mark)
        if kept.get("digest") != case_digest(case):
            return None
        if not all((self.work / path).is_file() for path in kept["cells"].values()):
            return None
        left = [Left(**line) for line in kept["left"]]
        return Converted(case.subject, kept["cells"], kept["quality"], left)

    def forget_others(self, cases: Sequence[Case]) -> None:
        """Remove what an interrupted ingest wrote of subjects who are no cases any more."""
        subjects = {case.subject for case in cases}
        for path in (*(self.work / MARKS).iterdir(), *(self.work / IMAGES).iterdir()):
            if path.name.removesuffix(".json") not in subjects:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def begin(self, case: Case) -> None:
        """Remove what an interruption left of a case."""
        shutil.rmtree(self.work / IMAGES / case.subject, ignore_errors=True)
        self._mark(case.subject).unlink(missing_ok=True)

    def keep(self, case: Case, result: Converted) -> None:
        """Mark a case as finished; the mark comes last, so it says that all files are whole."""
        content = asdict(result) | {"digest": case_digest(case)}
        _write(self._mark(case.subject), _json(content))

    def finish(self, documents: Mapping[str, str]) -> Path:
        """Write the tables, put everything in its place and return the folder."""
        for name, content in documents.items():
            _write(self.work / name, content.encode())
        shutil.rmtree(self.work / MARKS)
        (self.work / SETTINGS_FILE).unlink()
        put_in_place(self.work, self.final)
        return self.final

    def _mark(self, subject: str) -> Path:
        return self.work / MARKS / f"{subject}.json"

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: damaged; start anew with --overwrite") from error
        if not isinstance(found, dict):
            raise RunError(f"{path}: damaged; start anew with --overwrite")
        return found


def case_digest(case: Case) -> str:
    """Return a digest of the names, sizes and times of change of a case's files."""
    found = [(path, path.stat()) for path in sorted(case.files)]
    files = [(str(path), facts.st_size, facts.st_mtime_ns) for path, facts in found]
    return hashlib.sha256(repr(files).encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file; that it cannot be written is no fault of the input, so nothing is removed."""
    try:
        write_bytes(path, content)
    except DataError as error:
        raise OSError(errno.EIO, str(error)) from error


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
