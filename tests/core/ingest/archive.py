"""A small archive of synthetic patients, and the table that goes with it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from tests.core.dicom.mask_writer import blank_image, outline, square, write_structures
from tests.core.dicom.writer import random_volume, uid, write_series

from survkit.ingest import (
    Ingested,
    IngestSettings,
    OutcomeRequest,
    Running,
    ingest,
    plan_cohort,
    read_clinical_table,
)

SHAPE = (5, 12, 14)
SPACING, ORIGIN = (3.0, 0.8, 0.7), (-10.0, -20.0, 30.0)


def write_patient(
    folder: Path,
    patient: str,
    *,
    seed: int = 0,
    pet: bool = False,
    region: str | None = None,
    study_uid: str | None = None,
    **options: Any,
) -> NDArray[np.float64]:
    """Write a patient's CT, and a PET and an RTSTRUCT with a square region, where asked.

    Returns the HU (z, y, x).
    """
    volume = random_volume(SHAPE, seed)
    study, series, frame = study_uid or uid(), uid(), uid()
    shared = {"patient_id": patient, "study_uid": study, "frame_uid": frame, "spacing": SPACING}
    write_series(folder / "ct", volume, series_uid=series, **shared, **options)
    if pet:
        write_series(folder / "pet", volume + 1000, modality="PT", intercept=0.0, **shared)
    if region is not None:
        grid = blank_image(SHAPE, SPACING, ORIGIN)
        outlines = [outline(grid, square(2.5, 8.5), plane) for plane in (1, 2, 3)]
        write_structures(
            folder / "rt.dcm",
            {region: outlines},
            patient_id=patient,
            series_uid=series,
            frame_uid=frame,
            study_uid=study,
        )
    return volume


def write_table(path: Path, rows: Iterable[Mapping[str, str]] | Sequence[str]) -> Path:
    """Write a table; names alone become rows with a duration, an event and an age."""
    full = [
        row
        if isinstance(row, Mapping)
        else {"patient_id": row, "duration": f"{100 + 10 * k}", "event": f"{k % 2}", "age": "60"}
        for k, row in enumerate(rows)
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(full[0]))
        writer.writeheader()
        writer.writerows(full)
    return path


def run_ingest(
    folder: Path,
    table: Path,
    out: Path,
    *,
    key: Path | None = None,
    secret: Path | None = None,
    running: Running | None = None,
    **rules: Any,
) -> Ingested:
    """Ingest with a table that has the columns duration and event."""
    clinical = read_clinical_table(table, key=key, secret=secret)
    return ingest(
        folder,
        clinical,
        out,
        cohort=plan_cohort(clinical, OutcomeRequest()),
        settings=IngestSettings(**rules),
        running=running,
    )


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rules_of(out: Path) -> list[tuple[str, str]]:
    """Return the subject and rule of every line of ``refused.csv``, sorted."""
    return sorted((row["subject"], row["rule"]) for row in rows_of(out / "refused.csv"))


def voxels(path: Path) -> NDArray[Any]:
    """Return the voxels of a NIfTI file; (z, y, x)."""
    return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
