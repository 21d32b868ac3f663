"""The folder of a stress test: older results stay until the new ones are complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.errors import RunError, UserError
from survkit.evaluation import Predictions
from survkit.whole_folder import check_replaceable, neighbour_of, put_in_place

STRESS_FILE, SETTINGS_FILE, FOLDS = "stress.json", "settings.json", "folds"
FACTS_FILE = "facts.json"
CSV_FILE, TABLES, EXAMPLES = "stress.csv", "predictions", "examples"
WRITTEN = (STRESS_FILE, CSV_FILE, TABLES, EXAMPLES)
"""All that is in a finished folder."""


class StressFolder:
    """Where results are written: a hidden neighbour that takes the place of older results at the
    end.

    Args:
        folder: Where the finished results will lie.
        overwrite: Replace what lies there.
        resume: Go on with an interrupted stress test.

    Raises:
        RunError: Something is there and is not to be replaced, or is no stress test.
    """

    def __init__(self, folder: Path, *, overwrite: bool, resume: bool) -> None:
        self.final, self.resume = folder, resume
        self.work = neighbour_of(folder)
        if resume and not (self.work / SETTINGS_FILE).is_file():
            raise RunError(f"{folder}: there is no interrupted stress test to resume")
        check_replaceable(
            folder,
            mark=STRESS_FILE,
            written=WRITTEN,
            kind="stress test",
            overwrite=overwrite or resume,
        )

    def start(self, described: Mapping[str, Any]) -> None:
        """Say what is computed; on resume, refuse to go on with something else.

        Raises:
            RunError: The interrupted one was of other settings or predictions.
        """
        now = json.loads(json.dumps(described))
        if self.resume:
            try:
                before = json.loads((self.work / SETTINGS_FILE).read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise RunError(
                    f"{self.work / SETTINGS_FILE}: damaged ({error}); start anew"
                ) from error
            for key in sorted({*before, *now}):
                if before.get(key) != now.get(key):
                    raise RunError(
                        f"{self.final}: the interrupted stress test had other {key} "
                        f"({before.get(key)}, now {now.get(key)}); start anew without --resume"
                    )
            return
        shutil.rmtree(self.work, ignore_errors=True)
        try:
            (self.work / FOLDS).mkdir(parents=True)
        except OSError as error:
            raise RunError(f"{self.final}: cannot be written: {error.strerror}") from error
        write_bytes(self.work / SETTINGS_FILE, (json.dumps(now, indent=1) + "\n").encode())

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Leave nothing behind where the input is refused; what an interruption leaves can be
        resumed.
        """
        try:
            yield
        except UserError:
            if not self.resume:
                shutil.rmtree(self.work, ignore_errors=True)
            raise

    def keep_fold(
        self, name: str, tables: Mapping[str, Predictions], facts: Mapping[str, Any]
    ) -> None:
        """Write a fold's predictions; the facts come last and say that they are complete."""
        folder = self.work / FOLDS / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for key, table in tables.items():
            table.write(folder / f"{key}.parquet")
        write_bytes(folder / FACTS_FILE, json.dumps(dict(facts)).encode())

    def read_fold(self, name: str) -> tuple[dict[str, Predictions], dict[str, Any]] | None:
        """Return a fold's predictions by key and its facts, if they are complete."""
        folder = self.work / FOLDS / name
        if not (folder / FACTS_FILE).is_file():
            return None
        facts: dict[str, Any] = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        tables = {path.stem: Predictions.read(path) for path in sorted(folder.glob("*.parquet"))}
        return tables, facts

    def finish(self) -> Path:
        """Put the finished results in their place and return it."""
        shutil.rmtree(self.work / FOLDS, ignore_errors=True)
        (self.work / SETTINGS_FILE).unlink(missing_ok=True)
        put_in_place(self.work, self.final)
        return self.final
