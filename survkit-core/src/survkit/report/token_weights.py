"""The weights over tokens that a run's folds left behind, ``token_attention.parquet``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from survkit.errors import RunError

if TYPE_CHECKING:
    import pandas as pd

FILES = "fold-*/token_attention.parquet"
_FACTS = b"survkit.token_attention"
_COLUMNS = ("subject", "repeat", "fold", "modality", "token", "weight")


@dataclass(frozen=True, slots=True)
class SubjectTokens:
    """What the model of one fold gave to the tokens of one of its test subjects.

    Attributes:
        subject: Its name.
        repeat: Of the cross-validation.
        fold: The fold that held it out.
        weight: In the order of the tokens, sums to one; float64 (token).
    """

    subject: str
    repeat: int
    fold: int
    weight: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModalityTokens:
    """One modality of a run.

    Attributes:
        kind: Kind of its input: ``"volume"``, ``"image"``, …
        grid: Axes of the grid its tokens lie on, slowest first, where they do.
        left_out: Why its weights were not kept; ``None`` where they were.
        rows: One per test subject and repeat.
    """

    kind: str
    grid: tuple[int, ...] | None
    left_out: str | None
    rows: tuple[SubjectTokens, ...]


def read_token_weights(run: Path) -> dict[str, ModalityTokens]:
    """Read the files of all folds; empty where there are none.

    Raises:
        RunError: A file is damaged, or its folds speak of different models.
    """
    facts: dict[str, Mapping[str, Any]] = {}
    rows: dict[str, list[SubjectTokens]] = {}
    for path in sorted(run.glob(FILES)):
        said, frame = _read(path)
        for name, own in said.items():
            known = facts.setdefault(name, own)
            if (known["kind"], known["grid"]) != (own["kind"], own["grid"]):
                raise RunError(
                    f"{path}: '{name}' has tokens on the grid {own['grid']}, but on "
                    f"{known['grid']} in another fold; the files are of different runs"
                )
            facts[name] = {**own, **known}
            rows.setdefault(name, [])
        keys = ["modality", "repeat", "fold", "subject"]
        grouped: Any = frame.groupby(keys, sort=True)  # its keys are typed as anything hashable
        for (name, repeat, fold, subject), part in grouped:
            weight = part.sort_values("token")["weight"].to_numpy(dtype=np.float64)
            grid = facts[str(name)]["grid"]
            if grid is not None and prod(grid) != len(weight):
                raise RunError(
                    f"{path}: subject '{subject}' has {len(weight)} tokens, but the grid {grid} "
                    f"of '{name}' holds {prod(grid)}; delete it to go on"
                )
            rows[str(name)].append(SubjectTokens(str(subject), int(repeat), int(fold), weight))
    return {
        name: ModalityTokens(
            kind=str(own["kind"]),
            grid=None if own["grid"] is None else tuple(own["grid"]),
            left_out=own.get("left_out"),
            rows=tuple(rows[name]),
        )
        for name, own in sorted(facts.items())
    }


def _read(path: Path) -> tuple[Mapping[str, Any], pd.DataFrame]:
    import pyarrow.parquet as parquet

    reader: Any = parquet
    try:
        table = reader.read_table(path)
        said = json.loads((table.schema.metadata or {})[_FACTS])
        frame: pd.DataFrame = table.select(_COLUMNS).to_pandas()
        known = {str(name): dict(own) for name, own in said["modalities"].items()}
        strangers = set(frame["modality"]) - set(known)
        if said["format"] != 1 or strangers or any("kind" not in own for own in known.values()):
            raise ValueError(f"format {said['format']}, modalities {sorted(known)}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        line = str(error).partition("\n")[0]
        raise RunError(
            f"{path}: not a file of attention over tokens ({type(error).__name__}: {line}); delete "
            "it to go on"
        ) from error
    return known, frame
