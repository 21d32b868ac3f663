"""The text files of a written phantom cohort: what a user has, and beside it the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from survkit.phantom.generate import Phantom
from survkit.phantom.truth import CARRIES

EXTENSIONS = {"ct": "nii", "pet": "nii", "cxr": "png"}
"""Uncompressed: noise hardly compresses, and reading is several times as fast."""
CT_WINDOW = [-1000.0, 600.0]
PET_WINDOW = [0.0, 16.0]
CLINICAL_COLUMNS = ["age", "sex", "stage", "biomarker"]


def image_path(modality: str, subject_id: str) -> str:
    """Path of an image in the cohort's folder."""
    return f"images/{subject_id}_{modality}.{EXTENSIONS[modality]}"


def mask_path(subject_id: str, modality: str = "ct") -> str:
    """Path of a lesion mask in the cohort's folder: CT and PET share the volume, the X-ray has the
    lesion's shadow.
    """
    end = "_cxr.png" if modality == "cxr" else ".nii"
    return f"truth/masks/{subject_id}{end}"


def cohort_table(phantom: Phantom) -> pd.DataFrame:
    """Return the table that ``cohort.yaml`` describes; an empty path is a missing modality."""
    table = pd.DataFrame(
        {
            "subject_id": phantom.subject_ids,
            "time_days": phantom.outcome.duration,
            "event": phantom.outcome.event,
            "site": [f"site-{site + 1}" for site in phantom.site],
        }
    )
    for modality in phantom.config.modalities:
        if modality == "clinical":
            table[CLINICAL_COLUMNS] = phantom.clinical[CLINICAL_COLUMNS]
        else:
            paths = np.array(
                [image_path(modality, name) for name in phantom.subject_ids], dtype=object
            )
            table[f"{modality}_path"] = np.where(phantom.present[modality], paths, "")
    for modality, column in _mask_columns(phantom).items():
        masks = np.array([mask_path(name, modality) for name in phantom.subject_ids], dtype=object)
        table[column] = np.where(phantom.present[modality], masks, "")
    return table


def _mask_columns(phantom: Phantom) -> dict[str, str]:
    """Return the columns of the masks that the cohort file names, by modality."""
    columns = {"ct": "lesion_path", "pet": "pet_lesion_path", "cxr": "cxr_lesion_path"}
    config = phantom.config
    named = columns if config.masks else {"ct"} if config.hounsfield else ()
    return {name: columns[name] for name in config.modalities if name in named}


def cohort_settings(phantom: Phantom) -> dict[str, Any]:
    """Return the content of ``cohort.yaml``."""
    config = phantom.config
    volume = {
        "kind": "volume",
        "size": [config.size] * 3,
        "spacing": [phantom.grid.spacing] * 3,
    }
    ct = {**volume, "path": "ct_path", "window": CT_WINDOW}
    if config.hounsfield:
        ct = {"kind": "volume", "path": "ct_path"}
    known: dict[str, dict[str, Any]] = {
        "ct": ct,
        "pet": {**volume, "path": "pet_path", "window": PET_WINDOW},
        "cxr": {"kind": "image", "path": "cxr_path", "size": [config.size] * 2},
        "clinical": {"kind": "table", "columns": CLINICAL_COLUMNS, "categorical": ["sex", "stage"]},
    }
    for modality, column in _mask_columns(phantom).items():
        known[modality]["mask"] = column
    return {
        "name": f"phantom-{config.subjects}x{config.size}-seed{config.seed}",
        "table": "table.csv",
        "subject": "subject_id",
        "outcome": {
            "duration": "time_days",
            "unit": "days",
            "event": "event",
            "causes": dict(enumerate(config.cause_names, start=1)),
        },
        "site": "site",
        "modalities": {name: known[name] for name in config.modalities},
    }


def truth_table(phantom: Phantom) -> pd.DataFrame:
    """Return what no model may see: factors, lesion places (mm), log hazards, uncensored
    outcome.
    """
    factors, outcome = phantom.factors, phantom.outcome
    centers = np.array([place.center for place in phantom.places])
    columns: dict[str, Any] = {
        "subject_id": phantom.subject_ids,
        "lesion_radius_mm": factors.radius,
        "lesion_volume_mm3": factors.volume,
        "lesion_z_mm": centers[:, 0],
        "lesion_y_mm": centers[:, 1],
        "lesion_x_mm": centers[:, 2],
        "texture": factors.texture,
        "uptake_suv": factors.uptake,
        "age_years": factors.age,
        "stage": factors.stage,
        "sex": factors.sex,
        "event_time_days": outcome.event_time,
        "event_cause": outcome.event_cause,
        "censoring_time_days": outcome.censoring_time,
    }
    if phantom.config.imaged:
        columns["mask_path"] = [mask_path(name) for name in phantom.subject_ids]
    for index, cause in enumerate(phantom.config.cause_names):
        columns[f"log_hazard_{cause}"] = phantom.log_hazard[:, index]
        for modality in CARRIES:
            columns[f"log_hazard_{cause}_{modality}"] = phantom.partial_log_hazard(modality)[
                :, index
            ]
    return pd.DataFrame(columns)
