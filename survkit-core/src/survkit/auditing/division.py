"""Who trained and who was tested, as somebody says it, wrong or not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from survkit.auditing.frame import read_frame
from survkit.auditing.table import Table, Texts, parts_of, texts_of
from survkit.errors import DataError

_NAMES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """One fold of one repeat; subjects may stand in several parts, which is what is looked for."""

    repeat: str
    fold: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"repeat {self.repeat}, fold {self.fold}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisions:
    """All folds, and where they are said.

    Attributes:
        source: The file, or in words.
        folds: In the order of the file.
        stated: Whether somebody wrote them down; else they are inferred from the folds of a table.
        stated_hash: The sha256 that a splits file states about itself.
        own_hash: The sha256 of its content.
        settings: How survkit made them.
    """

    source: str
    folds: tuple[Division, ...]
    stated: bool = True
    stated_hash: str | None = None
    own_hash: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_divisions(path: Path) -> Divisions:
    """Read a splits file of survkit (JSON), or a table ``subject, part[, repeat][, fold]``.

    A table with ``fold`` and no ``part`` says in which fold each subject is tested; everybody else
    of the repeat trains.

    Raises:
        DataError: Neither.
    """
    if path.name.lower().endswith(".json"):
        return _read_json(path)
    frame, _ = read_frame(path)
    if "subject" not in frame.columns or not {"part", "fold"} & set(frame.columns):
        raise DataError(f"{path}: a splits table has the columns subject and part, or fold")
    repeat = texts_of(frame, "repeat") if "repeat" in frame.columns else _zeros(len(frame))
    fold = texts_of(frame, "fold") if "fold" in frame.columns else _zeros(len(frame))
    subject = texts_of(frame, "subject")
    if "part" not in frame.columns:
        return Divisions(source=str(path), folds=_rotation(subject, repeat, fold))
    part = parts_of(texts_of(frame, "part"), str(path))
    return Divisions(source=str(path), folds=_grouped(subject, repeat, fold, part))


def divisions_of(table: Table) -> Divisions | None:
    """Return what the table's own columns say: ``part``, or else ``fold`` of several."""
    if "part" in table.given:
        folds = _grouped(table.subject, table.repeat, table.fold, table.part)
        return Divisions(source="the column part", folds=folds)
    if len(set(table.fold)) < 2:
        return None
    folds = _rotation(table.subject, table.repeat, table.fold)
    return Divisions(source="the column fold", folds=folds, stated=False)


def _read_json(path: Path) -> Divisions:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stated = content.pop("sha256", None)
        folds = tuple(
            Division(
                repeat=str(entry["repeat"]),
                fold=str(entry["fold"]),
                **{name: tuple(str(one) for one in entry.get(name, ())) for name in _NAMES},
            )
            for entry in content["folds"]
        )
        settings = dict(content.get("settings") or {})
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: not a splits file ({type(error).__name__}: {error}); `survkit cohort split` "
            "writes one, or give a table with the columns subject and part"
        ) from error
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return Divisions(
        source=str(path),
        folds=folds,
        stated_hash=None if stated is None else str(stated),
        own_hash=hashlib.sha256(text.encode()).hexdigest(),
        settings=settings,
    )


def _zeros(rows: int) -> Texts:
    return np.full(rows, "0", dtype=object)


def _grouped(subject: Texts, repeat: Texts, fold: Texts, part: Texts) -> tuple[Division, ...]:
    made = []
    for key in dict.fromkeys(zip(repeat, fold, strict=True)):
        here = (repeat == key[0]) & (fold == key[1])
        parts = {n: tuple(dict.fromkeys(subject[here & (part == n)])) for n in _NAMES}
        made.append(Division(repeat=str(key[0]), fold=str(key[1]), **parts))
    return tuple(made)


def _rotation(subject: Texts, repeat: Texts, fold: Texts) -> tuple[Division, ...]:
    """Every fold tests its own rows and trains on the rows of the others of its repeat."""
    made = []
    for key in dict.fromkeys(zip(repeat, fold, strict=True)):
        here = repeat == key[0]
        test, rest = here & (fold == key[1]), here & (fold != key[1])
        made.append(
            Division(
                repeat=str(key[0]),
                fold=str(key[1]),
                train=tuple(dict.fromkeys(subject[rest])),
                validation=(),
                test=tuple(dict.fromkeys(subject[test])),
            )
        )
    return tuple(made)
