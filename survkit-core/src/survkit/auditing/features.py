"""The columns that a model saw: from a cohort, or from a table that somebody gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from survkit.auditing.frame import read_frame
from survkit.auditing.table import OWN, Texts, texts_of
from survkit.data import Cohort
from survkit.data.readers.table import TableSource
from survkit.data.readers.vector import VectorSource
from survkit.errors import DataError

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Features:
    """Columns by name, one row per subject (or per series of a subject).

    Attributes:
        source: Where they are from.
        subject: Text (row).
        numeric: float64 (row), NaN missing.
        categorical: Text (row), ``None`` missing.
        embedding: Names of numeric columns that are entries of an embedding.
        foreign: Whether somebody prepared the table, so that it may hold what was fitted.
    """

    source: str
    subject: Texts
    numeric: Mapping[str, Floats]
    categorical: Mapping[str, Texts]
    embedding: frozenset[str] = frozenset()
    foreign: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """All columns but the entries of embeddings."""
        named = [name for name in self.numeric if name not in self.embedding]
        return (*named, *self.categorical)

    def rows_of(self, subjects: Sequence[str]) -> NDArray[np.bool_]:
        """Return which rows belong to the subjects."""
        wanted = set(subjects)
        return np.array([name in wanted for name in self.subject], dtype=bool)


def read_features(path: Path) -> Features:
    """Read a table of features: ``subject`` and a column per feature.

    Columns that predictions tables have (outcome, folds, site) are left out.

    Raises:
        DataError: No such table, or no column is left.
    """
    frame, _ = read_frame(path)
    if "subject" not in frame.columns:
        raise DataError(
            f"{path}: a table of features has the column subject and a column per feature; there "
            f"are {', '.join(list(frame.columns)[:12])}"
        )
    numeric: dict[str, Floats] = {}
    categorical: dict[str, Texts] = {}
    for name in frame.columns:
        if name in OWN or "@" in name or name.startswith("risk_score"):
            continue
        values, wrong = frame.numbers(name)
        if wrong.any():
            categorical[name] = frame.text(name)
        else:
            numeric[name] = values
    if not numeric and not categorical:
        raise DataError(f"{path}: no feature is left beside the columns of a predictions table")
    return Features(
        source=str(path),
        subject=texts_of(frame, "subject"),
        numeric=numeric,
        categorical=categorical,
    )


def features_of(cohort: Cohort, modalities: Sequence[str]) -> Features | None:
    """Return table columns and embeddings of a cohort; ``None`` where it has neither."""
    numeric: dict[str, Floats] = {}
    categorical: dict[str, Texts] = {}
    embedding: list[str] = []
    for name in modalities:
        source = cohort.sources.get(name)
        if isinstance(source, TableSource):
            numeric |= {f"{name}.{column}": v for column, v in source.numeric.items()}
            categorical |= {f"{name}.{column}": v for column, v in source.categorical.items()}
        elif isinstance(source, VectorSource) and not source.has_tokens:
            values = np.full((len(cohort), source.values.shape[1]), np.nan)
            there = source.count > 0
            values[there] = source.values[source.first[there]]
            entries = source.entries or tuple(map(str, range(values.shape[1])))
            numeric |= {f"{name}.{e}": values[:, k] for k, e in enumerate(entries)}
            embedding += [f"{name}.{e}" for e in entries]
    if not numeric and not categorical:
        return None
    return Features(
        source=cohort.source,
        subject=np.array(cohort.subjects, dtype=object),
        numeric=numeric,
        categorical=categorical,
        embedding=frozenset(embedding),
        foreign=False,
    )
