"""Anybody's table, read with as little judgement as possible: an audit looks at what is wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from survkit.data.text_table import TextTable, read_table
from survkit.errors import DataError

pa: Any = pyarrow  # it ships no types
pq: Any = pyarrow.parquet

MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "none", ".")
_FACTS = b"survkit.predictions"


def read_frame(path: Path) -> tuple[TextTable, dict[str, Any]]:
    """Read a CSV (also ``.csv.gz``) or Parquet file.

    Dates, categories and lists of a Parquet file become text.

    Returns:
        The columns, and the facts that survkit keeps in the metadata of its own tables.

    Raises:
        DataError: No such file, no such table, no rows.
    """
    if not path.name.lower().endswith((".parquet", ".pq")):
        return read_table(path, missing=MISSING), {}
    try:
        content = path.read_bytes()
        arrow = pq.read_table(pa.BufferReader(content))
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (OSError, pa.ArrowException) as error:
        line = str(error).splitlines()[0]
        raise DataError(f"{path}: not a readable Parquet file: {line}") from error
    names = [name for name in arrow.column_names if not name.startswith("__index_level_")]
    if not names or not arrow.num_rows:
        raise DataError(f"{path}: the table has no rows")
    if len(set(names)) < len(names):
        raise DataError(f"{path}: a column name stands twice in {', '.join(names)}")
    columns = {name: _values(arrow.column(name)) for name in names}
    return TextTable(str(path), columns, hashlib.sha256(content).hexdigest()), _facts(arrow, path)


def _values(column: Any) -> NDArray[Any]:
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        return np.array([np.nan if v is None else float(v) for v in column.to_pylist()])
    if pa.types.is_boolean(column.type):
        return np.array([np.nan if v is None else float(v) for v in column.to_pylist()])
    return np.array([None if v is None else str(v) for v in column.to_pylist()], dtype=object)


def _facts(arrow: Any, path: Path) -> dict[str, Any]:
    raw = (arrow.schema.metadata or {}).get(_FACTS)
    if raw is None:
        return {}
    try:
        facts = json.loads(raw)
    except ValueError as error:
        raise DataError(f"{path}: the facts in survkit.predictions are not JSON") from error
    return facts if isinstance(facts, dict) else {}
