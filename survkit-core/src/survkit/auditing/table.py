"""A table of predictions as it is, impossible values included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from survkit.auditing.frame import read_frame
from survkit.data.text_table import TextTable
from survkit.errors import DataError

Floats: TypeAlias = NDArray[np.float64]
Texts: TypeAlias = NDArray[np.object_]
Rows: TypeAlias = NDArray[np.bool_]
Curves: TypeAlias = tuple[Floats, Floats]
"""Times (grid) and values (row, grid)."""

PARTS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation",
    "validation": "validation", "dev": "validation", "test": "test", "testing": "test",
    "holdout": "test", "held-out": "test",
}  # fmt: skip
OWN = ("subject", "series", "repeat", "seed", "fold", "part", "duration", "event", "entry",
       "weight", "strata", "site")  # fmt: skip
_CURVE = re.compile(r"^(survival|cumulative_incidence)(?:\.(.+))?@(.+)$")
_RISK = re.compile(r"^risk_score(?:\.(.+))?$")


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """Columns of predictions; a cell that is no number is NaN, a missing text is ``""``.

    Attributes:
        source: The file.
        subject: Who was predicted; text (row).
        series: Which scan or sample of the subject, where the table says; text (row).
        repeat: Repeat of the cross-validation, or the seed; text (row), ``"0"`` without the column.
        fold: The fold; text (row), ``"0"`` without the column.
        part: ``"train"``, ``"validation"`` or ``"test"``; text (row), all test without the column.
        duration: float64 (row).
        event: Code, 0 for censored; float64 (row).
        entry: Delayed entry; float64 (row).
        site: Centre; text (row).
        group: What never leaves each other in a division, in tables of survkit; text (row).
        strata: Group with its own baseline; text (row).
        risk: Risk scores by cause; float64 (row).
        survival: Survival curves.
        incidence: Cumulative incidence by cause.
        other: The remaining columns.
        facts: What survkit wrote about its own table.
        given: Names of the columns that the file has.
    """

    source: str
    subject: Texts
    series: Texts | None
    repeat: Texts
    fold: Texts
    part: Texts
    duration: Floats
    event: Floats
    entry: Floats | None
    site: Texts | None
    group: Texts | None
    strata: Texts | None
    risk: Mapping[str, Floats]
    survival: Curves | None
    incidence: Mapping[str, Curves]
    other: TextTable
    facts: Mapping[str, Any]
    given: frozenset[str]

    def __len__(self) -> int:
        return len(self.subject)

    @property
    def causes(self) -> tuple[str, ...]:
        """Names of the causes; event code k is the k-th."""
        return tuple(self.risk)

    @property
    def usable(self) -> Rows:
        """Which rows have an outcome that can be scored."""
        code = np.isfinite(self.event) & (self.event >= 0) & (self.event == np.round(self.event))
        usable = code & np.isfinite(self.duration) & (self.duration > 0)
        if self.entry is not None:
            usable &= (self.entry >= 0) & (self.entry < self.duration)
        return np.asarray(usable, dtype=bool)

    @property
    def reported(self) -> Rows:
        """Which rows are reported on: those of the test part."""
        return np.asarray(self.part == "test", dtype=bool)

    @property
    def horizon(self) -> float | None:
        """The time up to which statements are made, where the table says."""
        value = self.facts.get("horizon")
        return float(value) if isinstance(value, int | float) else None

    def with_folds(self, fold: Texts) -> Table:
        """Return the table with other folds."""
        return replace(self, fold=fold)

    def of_one(self, repeat: str, fold: str) -> Table:
        """Return the table with every row in one fold of that name."""
        everywhere = np.full(len(self), fold, dtype=object)
        return replace(self, fold=everywhere, repeat=np.full(len(self), repeat, dtype=object))

    def curves(self, cause: str) -> Curves | None:
        """Return the cumulative incidence of a cause, from survival where there is one cause."""
        if cause in self.incidence:
            return self.incidence[cause]
        if self.survival is not None and len(self.causes) == 1:
            return self.survival[0], 1 - self.survival[1]
        return None


def read_audit_table(path: Path, *, needs_risk: bool = True) -> Table:
    """Read a table: ``subject, duration, event, risk_score[.cause]`` and optional columns.

    Args:
        path: The file.
        needs_risk: Whether somebody must have been predicted; not for training subjects.

    Raises:
        DataError: It cannot be read, or lacks a column without which nothing can be asked.
    """
    frame, facts = read_frame(path)
    missing = [name for name in ("subject", "duration", "event") if name not in frame.columns]
    if missing:
        raise DataError(
            f"{path}: an audit needs the columns subject, duration, event and risk_score, but "
            f"{', '.join(missing)} is missing; there are {', '.join(list(frame.columns)[:12])}"
        )
    survival, incidence = _curves(frame)
    risk = {
        found.group(1) or _only_cause(facts): frame.numbers(name)[0]
        for name in frame.columns
        if (found := _RISK.match(name))
    }
    if not risk and needs_risk:
        risk = _risk_of_curves(survival, incidence, path)
    repeat = "repeat" if "repeat" in frame.columns else "seed"
    known = [name for name in frame.columns if _CURVE.match(name) or _RISK.match(name)]
    own = OWN if not facts else (*OWN, "group")  # elsewhere a group is often a risk group
    rest = {n: v for n, v in frame.columns.items() if n not in (*own, *known)}
    return Table(
        source=str(path),
        subject=_texts(frame, "subject", ""),
        series=_texts(frame, "series", "") if "series" in frame.columns else None,
        repeat=_texts(frame, repeat, "0"),
        fold=_texts(frame, "fold", "0"),
        part=_parts(frame),
        duration=frame.numbers("duration")[0],
        event=_events(frame),
        entry=frame.numbers("entry")[0] if "entry" in frame.columns else None,
        site=_texts(frame, "site", "") if "site" in frame.columns else None,
        group=_texts(frame, "group", "") if "group" in own and "group" in frame.columns else None,
        strata=_texts(frame, "strata", "") if "strata" in frame.columns else None,
        risk=risk,
        survival=survival,
        incidence={name or next(iter(risk), "event"): curve for name, curve in incidence.items()},
        other=TextTable(frame.source, rest, frame.sha256),
        facts=facts,
        given=frozenset(frame.columns),
    )


def texts_of(frame: TextTable, name: str) -> Texts:
    """Return a column as text, whole numbers without a point, ``""`` where it is missing."""
    return _texts(frame, name, "")


def parts_of(names: Texts, source: str) -> Texts:
    """Return names of parts in survkit's words.

    Raises:
        DataError: A part is called something else.
    """
    wrong = [name for name in names if str(name).lower() not in PARTS]
    if wrong:
        raise DataError(
            f"{source}: a part is train, validation or test, not {wrong[0]!r} "
            f"({len(wrong)} such rows)"
        )
    return np.array([PARTS[str(name).lower()] for name in names], dtype=object)


def _texts(frame: TextTable, name: str, default: str) -> Texts:
    if name not in frame.columns:
        return np.full(len(frame), default, dtype=object)
    cells = ["" if cell is None else str(cell) for cell in frame.text(name)]
    if name in ("fold", "repeat", "seed"):
        cells = [cell.removesuffix(".0") for cell in cells]
    return np.array(cells, dtype=object)


def _parts(frame: TextTable) -> Texts:
    if "part" not in frame.columns:
        return np.full(len(frame), "test", dtype=object)
    return parts_of(_texts(frame, "part", ""), frame.source)


def _events(frame: TextTable) -> Floats:
    values, wrong = frame.numbers("event")
    if wrong.any():
        words = {"true": 1.0, "false": 0.0}
        cells = frame.text("event")
        spelt = [words.get(str(cell).lower(), np.nan) for cell in cells]
        values = np.where(wrong, np.array(spelt), values)
    return values


def _only_cause(facts: Mapping[str, Any]) -> str:
    causes = facts.get("causes")
    return str(causes[0]) if isinstance(causes, list) and len(causes) == 1 else "event"


def _curves(frame: TextTable) -> tuple[Curves | None, dict[str, Curves]]:
    """Return survival, and incidence by cause, in the order of their times."""
    found: dict[tuple[str, str], list[tuple[float, Floats]]] = {}
    for name in frame.columns:
        match = _CURVE.match(name)
        if match is None:
            continue
        try:
            time = float(match.group(3))
        except ValueError as error:
            raise DataError(
                f"{frame.source}: the column {name} must end with @ and a time, such as @365"
            ) from error
        key = (match.group(1), match.group(2) or "")
        found.setdefault(key, []).append((time, frame.numbers(name)[0]))
    curves: dict[tuple[str, str], Curves] = {}
    for key, columns in found.items():
        columns.sort(key=lambda one: one[0])
        times = np.array([time for time, _ in columns])
        curves[key] = (times, np.stack([values for _, values in columns], axis=1))
    survival = next((curve for (kind, _), curve in curves.items() if kind == "survival"), None)
    incidence = {c: curve for (kind, c), curve in curves.items() if kind != "survival"}
    return survival, incidence


def _risk_of_curves(
    survival: Curves | None, incidence: Mapping[str, Curves], path: Path
) -> dict[str, Floats]:
    if incidence:
        return {cause or "event": values[:, -1] for cause, (_, values) in incidence.items()}
    if survival is not None:
        return {"event": 1 - survival[1][:, -1]}
    raise DataError(
        f"{path}: nothing is predicted there; give a column risk_score (or risk_score.CAUSE), or "
        "curves in columns such as survival@365"
    )
