"""Who trains, who validates, who tests: by subject, in a file with its own hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from survkit.atomic_write import write_bytes
from survkit.errors import DataError

FORMAT = "survkit-splits/1"


@dataclass(frozen=True, slots=True)
class Fold:
    """One division of all subjects into three disjoint parts, each in the order of the cohort.

    Attributes:
        repeat: Number of the repetition, from 0.
        fold: Number of the fold in it, from 0.
        train: Subjects that anything may be fitted on.
        validation: Subjects that choose the epoch; carved out of training, never reported on.
        test: Subjects that are reported on.
    """

    repeat: int
    fold: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def name(self) -> str:
        """Folder name of the fold."""
        return f"repeat-{self.repeat}-fold-{self.fold}"


@dataclass(frozen=True, slots=True)
class FoldRows:
    """The parts of a fold as positions in a cohort; int64."""

    train: Tensor
    validation: Tensor
    test: Tensor


@dataclass(frozen=True, slots=True)
class Splits:
    """All folds of all repeats.

    Attributes:
        cohort: Name of the cohort.
        settings: How they were made, for the report.
        folds: In the order of repeats and folds.
    """

    cohort: str
    settings: dict[str, Any]
    folds: tuple[Fold, ...]

    @property
    def sha256(self) -> str:
        """Hash of the content; it goes into every checkpoint and report."""
        text = json.dumps(self._content(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def rows(self, fold: Fold, subjects: Sequence[str]) -> FoldRows:
        """Return the parts of a fold as positions among a cohort's subjects.

        Raises:
            DataError: A subject of the fold is not among them.
        """
        place = {name: row for row, name in enumerate(subjects)}

        def positions(names: Sequence[str]) -> Tensor:
            for name in names:
                if name not in place:
                    raise DataError(f"{fold.name}: subject '{name}' is not in the cohort")
            return torch.tensor([place[name] for name in names], dtype=torch.int64)

        return FoldRows(positions(fold.train), positions(fold.validation), positions(fold.test))

    def write(self, path: str | Path) -> None:
        """Write the file in one step: a reader sees all of it or nothing."""
        path = Path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{path}: cannot be written: {error.strerror}") from error
        content = json.dumps({**self._content(), "sha256": self.sha256}, indent=1)
        write_bytes(path, content.encode())

    @classmethod
    def read(cls, path: str | Path, *, subjects: Sequence[str]) -> Splits:
        """Read a file and check it against a cohort's subjects.

        Raises:
            DataError: Not such a file, changed since it was written, or its parts overlap, name
                unknown subjects or leave subjects out.
        """
        path = Path(path)
        content = _parsed(path)
        stated = content.pop("sha256", None)
        try:
            folds = tuple(_fold(entry) for entry in content["folds"])
            splits = cls(str(content["cohort"]), dict(content["settings"]), folds)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{path}: not a splits file of survkit ({type(error).__name__}: {error}); make one "
                "with `survkit cohort split`"
            ) from error
        if stated != splits.sha256:
            raise DataError(
                f"{path}: changed since it was written (its hash is {splits.sha256[:12]}…, but it "
                f"states {str(stated)[:12]}…); make it again with `survkit cohort split`"
            )
        check_folds(splits.folds, subjects, source=str(path))
        return splits

    def _content(self) -> dict[str, Any]:
        folds = [
            {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(fold).items()}
            for fold in self.folds
        ]
        return {
            "format": FORMAT,
            "cohort": self.cohort,
            "settings": self.settings,
            "folds": folds,
        }


def check_folds(folds: Sequence[Fold], subjects: Sequence[str], *, source: str) -> None:
    """Refuse overlapping parts, strangers, subjects left out or tested twice in a repeat.

    Raises:
        DataError: One of these.
    """
    everyone = set(subjects)
    if not folds:
        raise DataError(f"{source}: there is no fold")
    for fold in folds:
        _check_fold(fold, everyone, f"{source}: {fold.name}")
    for repeat in sorted({fold.repeat for fold in folds}):
        tests = [set(fold.test) for fold in folds if fold.repeat == repeat]
        tested = set().union(*tests)
        if sum(map(len, tests)) > len(tested):
            twice = next(name for name in subjects if sum(name in test for test in tests) > 1)
            raise DataError(f"{source}: repeat {repeat} tests subject '{twice}' more than once")
        if len(tests) > 1 and tested != everyone:
            missed = next(name for name in subjects if name not in tested)
            raise DataError(
                f"{source}: repeat {repeat} never tests subject '{missed}' "
                f"({len(everyone - tested)} such subjects)"
            )


def _check_fold(fold: Fold, everyone: set[str], where: str) -> None:
    parts = {"train": fold.train, "validation": fold.validation, "test": fold.test}
    seen: dict[str, str] = {}
    for part, names in parts.items():
        for name in names:
            if name in seen:
                raise DataError(f"{where}: subject '{name}' is in {seen[name]} and in {part}")
            if name not in everyone:
                raise DataError(f"{where}: subject '{name}' in {part} is not in the cohort")
            seen[name] = part
    missing = everyone - set(seen)
    if missing:
        raise DataError(
            f"{where}: subject '{min(missing)}' is in no part ({len(missing)} such subjects); "
            "the splits were made for another table"
        )
    if not fold.train or not fold.test:
        raise DataError(f"{where}: the {'training' if not fold.train else 'test'} part is empty")


def _parsed(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: not a readable JSON file: {error}") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise DataError(f"{path}: not a splits file of survkit (its format is not '{FORMAT}')")
    return content


def _fold(entry: dict[str, Any]) -> Fold:
    parts = [tuple(entry[part]) for part in ("train", "validation", "test")]
    if not all(isinstance(name, str) for part in parts for name in part):
        raise TypeError("subjects are text")
    return Fold(int(entry["repeat"]), int(entry["fold"]), *parts)
