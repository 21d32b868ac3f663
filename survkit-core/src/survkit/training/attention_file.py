"""Where a model looked, in two files: a row per subject and summary, and a row per token."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from survkit.atomic_write import write_atomically
from survkit.data import Fold
from survkit.errors import PluginError
from survkit.training.attention_watch import TokenWeights, Weights

pa: Any = pyarrow  # it ships no types
pq: Any = pyarrow.parquet

ATTENTION_FILE = "attention.parquet"
TOKEN_FILE = "token_attention.parquet"
TOKEN_FACTS = b"survkit.token_attention"
"""Key in the metadata of that file: JSON with ``format``, and by modality ``kind``, ``grid`` and,
where its weights are not kept, ``left_out``."""
MOST_TOKENS = 4096
"""Of a subject; 16 x 16 x 16 of a grid, or the slices of any scan. A modality with more is left
out, so a subject takes 16 KiB per modality at most."""
_SUM_TOLERANCE = 1e-3
"""Weights in half precision are off by this much at most; others mean something else."""


def write_attention(
    path: Path, weights: Weights, fold: Fold, subjects: Sequence[str]
) -> Path | None:
    """Write ``subject, repeat, fold, quantity, modality, value``; nothing where nothing attends."""
    if not weights:
        return None
    columns: dict[str, list[Any]] = defaultdict(list)
    for (quantity, modality), values in weights.items():
        for subject, value in zip(subjects, values.tolist(), strict=True):
            if np.isfinite(value):
                columns["subject"].append(subject)
                columns["quantity"].append(quantity)
                columns["modality"].append(modality)
                columns["value"].append(value)
    rows = len(columns["subject"])
    columns |= {"repeat": [fold.repeat] * rows, "fold": [fold.fold] * rows}
    order = ("subject", "repeat", "fold", "quantity", "modality", "value")
    table = pa.table({name: pa.array(columns[name]) for name in order})
    return write_atomically(path, lambda neighbour: pq.write_table(table, neighbour))


def write_token_attention(
    path: Path,
    tokens: Mapping[str, TokenWeights],
    kinds: Mapping[str, str],
    fold: Fold,
    subjects: Sequence[str],
) -> Path | None:
    """Write ``subject, repeat, fold, modality, token, position, weight``: a row per real token.

    ``token`` counts from 0, ``position`` is ``token / (count - 1)``, null where a subject has one
    token; ``weight`` is float32 and sums to one over a subject's tokens of a modality.

    Args:
        path: File to write.
        tokens: The weights by modality; nothing is written where there are none.
        kinds: Kind of input of each modality.
        fold: Whose test subjects they are.
        subjects: Their names, in the order of the weights.

    Raises:
        PluginError: Weights do not sum to one, so a component broke its contract.
    """
    if not tokens:
        return None
    facts: dict[str, Any] = {}
    parts = []
    for modality, weights in tokens.items():
        grid = None if weights.grid is None else list(weights.grid)
        facts[modality] = {"kind": kinds[modality], "grid": grid}
        most = max(len(own) for own in weights.subjects if own is not None)
        if most > MOST_TOKENS:
            reason = f"{most} tokens of a subject are more than the {MOST_TOKENS} that are kept"
            facts[modality]["left_out"] = reason
            continue
        parts.append(_rows(modality, weights, fold, subjects))
    table = pa.concat_tables(parts) if parts else _SCHEMA.empty_table()
    said = json.dumps({"format": 1, "modalities": facts}).encode()
    table = table.replace_schema_metadata({TOKEN_FACTS: said})
    return write_atomically(path, lambda neighbour: pq.write_table(table, neighbour))


_SCHEMA = pa.schema(
    {
        "subject": pa.string(),
        "repeat": pa.int64(),
        "fold": pa.int64(),
        "modality": pa.string(),
        "token": pa.int32(),
        "position": pa.float32(),
        "weight": pa.float32(),
    }
)


def _rows(modality: str, weights: TokenWeights, fold: Fold, subjects: Sequence[str]) -> Any:
    """Return the rows of one modality."""
    there = [
        (name, own)
        for name, own in zip(subjects, weights.subjects, strict=True)
        if own is not None and len(own)
    ]
    for name, own in there:
        total = float(own.sum(dtype=np.float64))
        if not abs(total - 1) <= _SUM_TOLERANCE or not bool((own >= 0).all()):
            raise PluginError(
                f"the attention weights over the tokens of '{modality}' must be 0 or more and sum "
                f"to one, but those of subject '{name}' sum to {total:.4g}; tell the authors of "
                "the fusion or encoder that attends"
            )
    counts = [len(own) for _, own in there]
    token = np.concatenate([np.arange(count) for count in counts])
    last = np.repeat(np.array(counts) - 1, counts)
    position = token / np.maximum(last, 1)
    rows = len(token)
    columns = {
        "subject": np.repeat(np.array([name for name, _ in there], dtype=object), counts),
        "repeat": np.full(rows, fold.repeat),
        "fold": np.full(rows, fold.fold),
        "modality": np.full(rows, modality, dtype=object),
        "token": token.astype(np.int32),
        "position": pa.array(position.astype(np.float32), mask=last == 0),
        "weight": np.concatenate([own for _, own in there]),
    }
    return pa.table(columns, schema=_SCHEMA)
