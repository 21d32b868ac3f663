"""Write the rows without errors, and beside them what was left out and why."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

from survkit.data.outcome import UNKNOWN_CODE
from survkit.data.problem import Problem
from survkit.errors import DataError


def write_kept(table: Path, out: Path, problems: Sequence[Problem]) -> tuple[Path, int, int]:
    """Copy the table's rows without errors, cell by cell as they were written.

    Args:
        table: The cohort's table.
        out: File to write, of the same kind as the table (``.csv`` or ``.parquet``).
        problems: Those of rows with an error are left out.

    Returns:
        The file ``<out>.dropped.csv`` that names every row left out with its reasons, how many rows
        were kept, and how many left out.

    Raises:
        DataError: ``out`` is there already, is of another kind, or no row would be left; or an
            event code is unknown, because leaving out its subjects would choose them by outcome.
    """
    unknown = [problem for problem in problems if problem.message.startswith(UNKNOWN_CODE)]
    if unknown:
        raise DataError(
            f"{table}: {len(unknown)} rows have an event code that the cohort file does not name "
            f"(first: row {unknown[0].row}); leaving them out would choose subjects by outcome, so "
            "correct outcome.causes, outcome.censored or outcome.censor first"
        )
    reasons: dict[int, list[Problem]] = {}
    for problem in problems:
        if problem.severity == "error" and problem.row is not None:
            reasons.setdefault(problem.row, []).append(problem)
    dropped = out.with_name(f"{out.stem}.dropped.csv")
    for path in (out, dropped):
        if path.exists():
            raise DataError(f"{path} is there already; give another name to --drop-invalid")
    out.parent.mkdir(parents=True, exist_ok=True)
    parquet = table.suffix.lower() in (".parquet", ".pq")
    wanted = ".parquet" if parquet else ".csv"
    if out.suffix.lower() != wanted:
        raise DataError(f"{out}: the table is {table.name}, so the kept rows go to a {wanted} file")
    kept = (_copy_parquet if parquet else _copy_csv)(table, out, set(reasons))
    with dropped.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "subject", "reasons"])
        for row, found in sorted(reasons.items()):
            texts = [f"{p.column}: {p.message}" if p.column else p.message for p in found]
            writer.writerow([row, found[0].subject, "; ".join(texts)])
    return dropped, kept, len(reasons)


def _copy_csv(table: Path, out: Path, without: set[int]) -> int:
    content = table.read_bytes()
    if table.suffix.lower() == ".gz":
        content = gzip.decompress(content)
    rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if row]
    kept = [row for number, row in enumerate(rows, start=1) if number not in without]
    _refuse_empty(len(kept) - 1, table)
    with out.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(kept)
    return len(kept) - 1


def _copy_parquet(table: Path, out: Path, without: set[int]) -> int:
    import pyarrow.parquet as pq

    whole = pq.read_table(table)  # type: ignore[no-untyped-call]
    kept = [index for index in range(whole.num_rows) if index + 2 not in without]
    _refuse_empty(len(kept), table)
    pq.write_table(whole.take(kept), out)  # type: ignore[no-untyped-call]
    return len(kept)


def _refuse_empty(kept: int, table: Path) -> None:
    if kept < 1:
        raise DataError(f"{table}: every row has an error, so nothing would be kept")
