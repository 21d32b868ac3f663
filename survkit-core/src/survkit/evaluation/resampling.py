"""Bootstrap over subjects as counts: row 0 is the sample itself, every further row a resample.

A statistic that is computed for all rows at once is its value and its bootstrap distribution, by
one and the same code. Resampled is the subject: its rows in all repeats, its part in training
folds' censoring models and its part in test folds go together.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation.predictions import Predictions


def resample_counts(predictions: Predictions, *, replicates: int, seed: int) -> Tensor:
    """Return how often each resample drew the subject of each row.

    Returns:
        float64 (1 + replicates, row); row 0 holds ones.
    """
    subjects, position = np.unique(predictions.subject, return_inverse=True)
    size = len(subjects)
    generator = np.random.default_rng(seed)
    counts = np.ones((1 + replicates, size))
    counts[1:] = generator.multinomial(size, np.full(size, 1 / size), size=replicates)
    return torch.from_numpy(counts[:, position])
