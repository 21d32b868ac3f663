"""Numbers that somebody reports: one headline per metric, and the values it was made from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from survkit.auditing.frame import read_frame
from survkit.errors import DataError

DIMENSIONS = ("repeat", "fold", "seed", "epoch")
_KINDS = (
    ("uno", ("uno", "ipcw_c", "c_ipcw")),
    ("antolini", ("antolini", "ctd", "c_td")),
    ("integrated_brier", ("ibs", "integrated_brier")),
    ("brier", ("brier",)),
    ("harrell", ("harrell", "concordance", "c_index", "cindex")),
)
_NOT_PLAIN = ("scaled", "index_of", "difference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One reported number.

    Attributes:
        metric: Its name as it was written.
        value: The number.
        decimals: How many decimals it was written with.
        cause: Of which cause.
        of: Which fold, repeat, seed or epoch it is the value of; empty for the headline.
    """

    metric: str
    value: float
    decimals: int
    cause: str | None = None
    of: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str | None:
        """``"harrell"``, ``"uno"``, ``"antolini"``, ``"brier"`` or ``"integrated_brier"``."""
        name = self.metric.lower().replace("-", "_").replace(" ", "_").partition("@")[0]
        if any(word in name for word in _NOT_PLAIN):
            return None
        return next((kind for kind, words in _KINDS if any(w in name for w in words)), None)

    @property
    def time(self) -> float | None:
        """The time in a name such as ``brier@365``."""
        _, at, text = self.metric.partition("@")
        try:
            return float(text) if at else None
        except ValueError:
            return None

    def equals(self, value: float) -> bool:
        """Whether a computed value is this number, to the decimals it was written with."""
        return abs(self.value - value) <= 0.5 * 10.0**-self.decimals + 1e-9


def read_claims(path: Path) -> tuple[Claim, ...]:
    """Read reported numbers.

    JSON: a mapping of metric to number (or to ``{"value": …, "folds": […], "seeds": […],
    "epochs": […]}``), a list of ``{"metric": …, "value": …, "fold": …}``, or ``metrics.json`` of
    survkit. A table: ``metric, value[, cause][, repeat][, fold][, seed][, epoch]``.

    Raises:
        DataError: None of these.
    """
    if not path.name.lower().endswith(".json"):
        return tuple(_from_table(path))
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(_from_json(content))
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: not reported numbers ({type(error).__name__}: {error}); write "
            '{"uno": 0.71} or a table with the columns metric and value'
        ) from error
    return found


def _from_table(path: Path) -> Iterator[Claim]:
    frame, _ = read_frame(path)
    if not {"metric", "value"} <= set(frame.columns):
        raise DataError(f"{path}: reported numbers are a table with the columns metric and value")
    values, wrong = frame.numbers("value")
    for row in wrong.nonzero()[0].tolist()[:1]:
        raise DataError(
            f"{path}: row {row + 2}: a reported number is expected for "
            f"'{frame.text('metric')[row]}', not '{frame.text('value')[row]}'"
        )
    for row in range(len(frame)):
        cells = {n: frame.text(n)[row] for n in (*DIMENSIONS, "cause") if n in frame.columns}
        yield _claim(str(frame.text("metric")[row]), frame.text("value")[row], values[row], cells)


def _claim(metric: str, text: Any, value: float, cells: Mapping[str, Any]) -> Claim:
    shown = "nan" if text is None else str(text)
    decimals = len(shown.partition(".")[2]) if "e" not in shown.lower() else 12
    of = {n: str(cells[n]).removesuffix(".0") for n in DIMENSIONS if cells.get(n) is not None}
    cause = cells.get("cause")
    return Claim(
        metric=metric,
        value=float(value),
        decimals=decimals,
        cause=None if cause is None else str(cause),
        of=of,
    )


def _from_json(content: Any) -> Iterator[Claim]:
    if isinstance(content, list):
        for entry in content:
            value = entry["value"]
            yield _claim(str(entry["metric"]), value, _number(value), entry)
        return
    if "causes" in content and "settings" in content:
        yield from _from_metrics(content)
        return
    for metric, value in content.items():
        if isinstance(value, dict):
            yield _claim(metric, value.get("value"), _number(value.get("value")), {})
            for name in DIMENSIONS:
                for number, one in enumerate(value.get(f"{name}s", ())):
                    yield _claim(metric, one, _number(one), {name: number})
        else:
            yield _claim(metric, value, _number(value), {})


def _from_metrics(content: Mapping[str, Any]) -> Iterator[Claim]:
    """Read ``metrics.json`` of survkit."""
    for cause, found in content["causes"].items():
        for metric, one in found["metrics"].items():
            if "value" in one["pooled"]:
                value = one["pooled"]["value"]
                yield _claim(metric, value, value, {"cause": cause})
            for each in one["folds"]:
                if "value" in each:
                    yield _claim(metric, each["value"], each["value"], {**each, "cause": cause})


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
