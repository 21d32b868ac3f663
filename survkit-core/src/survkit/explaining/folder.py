"""The folder of explanations: the old one stays until the new one is complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.errors import ConfigError, RunError

EXPLAIN_FILE = "explain.json"
FOLDER = "explain"


class ExplainFolder:
    """Where explanations are written.

    Args:
        run: What is explained.
        out: Folder that was asked for; ``explain`` in a run of ``survkit cv`` by default, which is
            derived from the run and made anew.
        overwrite: Replace earlier explanations in ``out``.

    Raises:
        RunError: Something else is there, or explanations and neither was asked.
        ConfigError: A model folder without ``out``: it is what one publishes, so no picture of a
            patient belongs there.
    """

    def __init__(self, run: Path, out: str | Path | None, *, overwrite: bool) -> None:
        if out is None and (run / "config.json").is_file():
            raise ConfigError(
                f"{run} is a model, which may be published, and explanations show patients; give a "
                "folder for them with --out"
            )
        self.final = run / FOLDER if out is None else Path(out)
        self.work = self.final.with_name(f".{self.final.name}.new")
        occupied = self.final.exists() and (not self.final.is_dir() or any(self.final.iterdir()))
        if occupied and not (self.final / EXPLAIN_FILE).is_file():
            raise RunError(f"{self.final}: holds no explanations, so it is not overwritten")
        if occupied and out is not None and not overwrite:
            raise RunError(f"{self.final}: is there already; give --overwrite to replace it")

    @contextmanager
    def attempt(self) -> Iterator[Path]:
        """Give a folder to write into, and leave nothing of it behind where that fails."""
        shutil.rmtree(self.work, ignore_errors=True)
        try:
            self.work.mkdir(parents=True)
        except OSError as error:
            raise RunError(f"{self.final}: cannot be written: {error.strerror}") from error
        try:
            yield self.work
        finally:
            shutil.rmtree(self.work, ignore_errors=True)

    def finish(self, content: Mapping[str, Any]) -> Path:
        """Write the numbers, put everything in its place and return that."""
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        write_bytes(self.work / EXPLAIN_FILE, text.encode())
        old = self.final.with_name(f".{self.final.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.final.exists():
            self.final.replace(old)
        self.work.replace(self.final)
        shutil.rmtree(old, ignore_errors=True)
        return self.final
