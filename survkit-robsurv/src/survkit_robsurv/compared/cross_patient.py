"""Embeddings of a patient's modalities drawn together, and of patients alike (MMRL)."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional

from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.protocols import ANY_PARAMETERIZATION
from survkit.specs import OutcomeSpec


def cross_patient_loss(
    first: Tensor,
    second: Tensor,
    counts: Tensor,
    *,
    temperature: float = 0.1,
    neighbours: int = 1,
    share: float = 0.5,
) -> Tensor:
    """Return the contrast of two modalities over patients, with like patients as positives too.

    With s_ij the cosine of patient i's first and patient j's second embedding over the temperature,
    the mean over patients of -sum_j q_ij log softmax_j s_ij, and of the same with the modalities
    exchanged. q_ij is 1 - ``share`` for the patient itself and the rest in equal parts for the
    ``neighbours`` patients whose embeddings are most similar within the modalities (mean cosine of
    both). With ``share`` 0 it is NT-Xent of both directions.

    Args:
        first: (batch, dim); zero rows where absent.
        second: (batch, dim).
        counts: Who has both; the others are no partners; bool (batch).
        temperature: Scale of cosines, > 0.
        neighbours: How many like patients, at least 1; fewer where there are not so many.
        share: What goes to them, in [0, 1).

    Returns:
        A scalar, 0 where nobody counts; float64 if the embeddings are, else float32.
    """
    wide = torch.promote_types(first.dtype, torch.float32)
    one, two = (functional.normalize(each.to(wide), dim=1) for each in (first, second))
    partners = counts & counts[:, None]
    lowest = torch.finfo(wide).min
    score = (one @ two.T / temperature).masked_fill(~partners, lowest)
    wanted = _wanted(((one @ one.T) + (two @ two.T)) / 2, partners, neighbours, share)
    per_patient = one.new_zeros(len(one))
    for logits, weight in ((score, wanted), (score.T, wanted)):
        likelihood = logits.log_softmax(dim=1).masked_fill(~partners, 0)
        per_patient = per_patient - (weight * likelihood).sum(dim=1) / 2
    return torch.where(counts, per_patient, 0).sum() / counts.sum().clamp(min=1)


def _wanted(alike: Tensor, partners: Tensor, neighbours: int, share: float) -> Tensor:
    """Return the weights of positives (batch, batch); each counting row sums to one."""
    itself = torch.eye(len(alike), dtype=alike.dtype, device=alike.device)
    others = partners & (itself == 0)
    nearest = alike.masked_fill(~others, -torch.inf).topk(min(neighbours, len(alike)), dim=1)
    chosen = torch.zeros_like(others).scatter(1, nearest.indices, True) & others
    count = chosen.sum(dim=1, keepdim=True)
    given = share * (count > 0).to(alike.dtype)
    return (1 - given) * itself + given * chosen / count.clamp(min=1)


class CrossPatient:
    """The contrast of every pair of modalities over the patients of a risk set.

    It reads ``modality_embeddings`` of equal width, such as those of the fusions ``mean`` and
    ``robsurv/max``, and takes a row of zeros for a modality that the patient lacks. The outcome
    plays no part, so entry and strata do not either; weights are refused.

    Args:
        outcome: Not read.
        temperature: Scale of cosines, > 0.
        neighbours: How many like patients count as positives beside the patient itself.
        share: Of the positive weight that goes to them, in [0, 1); 0 for none.

    Raises:
        ConfigError: A setting is out of range.

    Reference: after Farooq, Mishra, Chaudhury (2024), Survival prediction in lung cancer through
    multi-modal representation learning, arXiv 2409.20179, which aligns modalities by
    self-supervision and draws patients of similar disease together (cross-patient module). The
    formula is ours: of theirs the abstract alone is known here. NT-Xent: Chen et al. (2020), ICML.
    """

    def __init__(
        self,
        outcome: OutcomeSpec,
        *,
        temperature: float = 0.1,
        neighbours: int = 1,
        share: float = 0.5,
    ) -> None:
        if not temperature > 0:
            raise ConfigError(f"temperature must be positive, not {temperature:g}")
        if neighbours < 1:
            raise ConfigError(f"neighbours must be at least 1, not {neighbours}; for none share: 0")
        if not 0 <= share < 1:
            raise ConfigError(f"share must lie in [0, 1), not {share:g}")
        self._temperature, self._neighbours, self._share = temperature, neighbours, share

    @property
    def accepts(self) -> tuple[str, ...]:
        """It never looks at the parameters."""
        return (ANY_PARAMETERIZATION,)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the mean over pairs of modalities.

        Raises:
            DataError: Fewer than two modality embeddings, of different widths, or case weights.
        """
        if target.weight is not None:
            raise DataError(
                "cross-patient has no meaning for case weights, but the cohort names a column of "
                "weight; leave it out or take another loss"
            )
        vectors = [output.modality_embeddings[name] for name in sorted(output.modality_embeddings)]
        widths = {vector.shape[1] for vector in vectors}
        if len(vectors) < 2 or len(widths) > 1:
            found = {name: each.shape[1] for name, each in output.modality_embeddings.items()}
            raise DataError(
                "cross-patient compares at least two modality embeddings of one width, but the "
                f"fusion gives {found or 'none'}; the fusions mean and robsurv/max give such"
            )
        losses = [
            cross_patient_loss(
                first,
                second,
                (first != 0).any(dim=1) & (second != 0).any(dim=1),
                temperature=self._temperature,
                neighbours=self._neighbours,
                share=self._share,
            )
            for first, second in combinations(vectors, 2)
        ]
        return torch.stack(losses).mean()
