"""Who is corrupted, and with which random numbers: decided by names and seeds alone.

Order of subjects, folds, batches and processes changes nothing. Severities of one corruption share
their random numbers, so that they differ in severity only; so do a corruption alone and the same
among others.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.corruptions.modality_corruption import ModalityCorruption
from survkit.evaluation import Predictions


def generator_for(part: ModalityCorruption, subject: str, seed: int) -> torch.Generator:
    """Return the source of randomness of one subject's corruption of one modality."""
    text = f"{seed}|{part.modality}|{part.name}|{subject}"
    return torch.Generator().manual_seed(_number(text))


def chosen(table: Predictions, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return which rows are corrupted: that share of all subjects, rounded to a whole number.

    Subjects come in an order that the seed decides, so those of a smaller fraction are among those
    of a larger one, and all corruptions meet the same subjects. A subject is corrupted in every
    repeat or in none.
    """
    names = np.unique(table.subject)
    order = np.argsort([_number(f"{seed}|{name}") for name in names], kind="stable")
    corrupted = names[order[: round(fraction * len(names))]]
    return np.isin(table.subject, corrupted)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
