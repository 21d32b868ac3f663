"""The folder of a run: never overwritten by accident, never lost before the new one is complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.errors import ConfigError, RunError, UserError
from survkit.recipe import Recipe

RUN_FILE = "run.json"
_COMPUTED = ("log.csv", "predictions.parquet", "choice.json")
"""Of an epoch, of test subjects, of a search: files that took time."""


class RunFolder:
    """Where a run is written: the folder itself, or a hidden neighbour while it replaces an old
    run.

    Args:
        folder: Where the finished run will lie.
        overwrite: Replace what lies there, once the new run is complete.
        resume: Go on with an interrupted run.

    Raises:
        RunError: The folder is in use and neither was asked, or there is nothing to resume.
    """

    def __init__(
        self, folder: str | Path, *, overwrite: bool = False, resume: bool = False
    ) -> None:
        self.final = Path(folder)
        self.resume = resume
        neighbour = self.final.with_name(f".{self.final.name}.new")
        if overwrite and resume:
            raise ConfigError("give --overwrite or --resume, not both")
        occupied = self.final.exists() and (not self.final.is_dir() or any(self.final.iterdir()))
        if resume:
            self.work = neighbour if neighbour.is_dir() else self.final
            if not (self.work / RUN_FILE).is_file():
                raise RunError(f"{self.final}: there is no interrupted run to resume")
        elif occupied and not overwrite:
            raise RunError(
                f"{self.final}: something is there already; give --overwrite to replace it once "
                "the new run is complete, or --resume to go on with it"
            )
        elif occupied and not (self.final / RUN_FILE).is_file():
            raise RunError(f"{self.final}: is not a run of survkit, so it is not overwritten")
        else:
            self.work = neighbour if occupied else self.final
            shutil.rmtree(neighbour, ignore_errors=True)

    def start(self, recipe: Recipe, facts: Mapping[str, Any]) -> None:
        """Write what the run is; on resume, refuse to go on with another one.

        Raises:
            RunError: The interrupted run had another recipe, cohort or division.
        """
        self.describe({"recipe": recipe.to_dict(), **facts}, {"recipe.yaml": recipe.to_yaml()})

    def describe(self, facts: Mapping[str, Any], texts: Mapping[str, str]) -> None:
        """Write what the run is as ``run.json``, beside texts by file name; as :meth:`start` does.

        Raises:
            RunError: The interrupted run was another one, or the folder cannot be written.
        """
        described = json.loads(json.dumps(facts))
        if self.resume:
            before = _read_run(self.work / RUN_FILE)
            _refuse_other_command(self.final, before.get("command"), described.get("command"))
            for key in sorted({*before, *described}):
                if before.get(key) != described.get(key):
                    raise RunError(
                        f"{self.final}: the interrupted run had another {key}"
                        f"{_where(before.get(key), described.get(key))}; start anew with "
                        "--overwrite, or give what it was started with"
                    )
            return
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                write_bytes(self.work / name, text.encode())
            write_bytes(self.work / RUN_FILE, (json.dumps(described, indent=1) + "\n").encode())
        except OSError as error:
            raise RunError(f"{self.final}: cannot be written: {error.strerror}") from error

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Leave nothing behind where the input is refused before anything was computed.

        The corrected command then finds a free place, and needs no --overwrite. An epoch that was
        trained and subjects who were predicted, also by a baseline, stay for --resume.
        """
        try:
            yield
        except UserError:
            if not self.resume and not self._holds_work():
                shutil.rmtree(self.work, ignore_errors=True)
            raise

    def _holds_work(self) -> bool:
        return any(any(self.work.rglob(name)) for name in _COMPUTED)

    def finish(self) -> Path:
        """Put the finished run in its place and return it."""
        for torn in self.work.rglob(".*.part"):  # of a process that was killed while it wrote
            torn.unlink(missing_ok=True)
        if self.work != self.final:
            old = self.final.with_name(f".{self.final.name}.old")
            if self.final.exists():  # else this was interrupted between the two renames
                shutil.rmtree(old, ignore_errors=True)
                self.final.replace(old)
            self.work.replace(self.final)
            shutil.rmtree(old, ignore_errors=True)
        return self.final


def _refuse_other_command(folder: Path, before: Any, now: Any) -> None:
    if before != now:
        raise RunError(
            f"{folder}: is a run of survkit {before}, not of survkit {now}; go on with it by that "
            "command, or choose another folder"
        )


def _read_run(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: damaged ({error}); start anew with --overwrite") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged (no keys and values); start anew with --overwrite")
    return content


def _where(before: Any, now: Any, path: str = "") -> str:
    """Say at which key two descriptions first differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            if before.get(key) != now.get(key):
                return _where(before.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    if path:
        return f" ({path}: {before}, now {now})"
    short = all(isinstance(one, int | float | str) and len(str(one)) < 40 for one in (before, now))
    return f" ({before}, now {now})" if short else ""  # nobody compares hashes by eye
