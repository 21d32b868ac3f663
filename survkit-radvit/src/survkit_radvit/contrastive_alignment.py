"""Contrastive alignment: two modalities of one subject alike, those of two subjects apart."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.protocols import ANY_PARAMETERIZATION
from survkit.specs import OutcomeSpec

RADIOMICS = "radiomics"


def contrastive_alignment_loss(
    query: Tensor,
    key: Tensor,
    counts: Tensor,
    *,
    temperature: float = 0.5,
    symmetric: bool = False,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean over subjects n of -log(exp(s_nn) / sum_m exp(s_nm)), NT-Xent.

    s_nm is the cosine of subject n's query and subject m's key over the temperature. A case weight
    of 2 means the subject twice, as a query and among the keys.

    Args:
        query: (batch, dim); rows of zeros where absent.
        key: (batch, dim).
        counts: Who has both; the others neither ask nor answer; bool (batch).
        temperature: Scale of cosines, > 0.
        symmetric: Mean of this and of the same with query and key exchanged.
        weight: Case weights, > 0; (batch).

    Returns:
        A scalar, with a graph; 0 where nobody, or one subject alone, counts. float64 if the
        embeddings are, else float32.
    """
    wide = torch.promote_types(query.dtype, torch.float32)
    asks, answers = (functional.normalize(each.to(wide), dim=1) for each in (query, key))
    score = asks @ answers.T / temperature
    share = counts.to(wide) if weight is None else torch.where(counts, weight.to(wide), 0)
    total = share.sum()
    losses = [_of_queries(each, share) for each in ((score, score.T) if symmetric else (score,))]
    mean = torch.stack(losses).mean()
    return mean / torch.where(total > 0, total, 1)


def _of_queries(score: Tensor, share: Tensor) -> Tensor:
    """Return the weighted sum over queries (rows) of -log softmax at their own key."""
    lowest = torch.finfo(score.dtype).min  # not infinity, which has no gradient
    counted = torch.where(share > 0, score + share.log().clamp(min=lowest), lowest)
    likelihood = score.diagonal() - counted.logsumexp(dim=1)
    return -torch.where(share > 0, share * likelihood, 0).sum()


class ContrastiveAlignment:
    """NT-Xent between the embeddings of two modalities over the subjects of a risk set.

    It reads the ``modality_embeddings`` of the fusion (``radvit/mixed-risk``, ``mean``, ...), of
    one width; a row of zeros means that the subject lacks the modality, and it is then left out.
    The outcome plays no part, so neither do entry and strata; case weights count.

    With few negatives or a high temperature it has little to say: where all cosines are alike it
    stands at log(subjects in the risk set).

    Args:
        outcome: Not read.
        temperature: tau, scale of cosines, > 0.
        query: The modality whose subjects look for themselves among those of the other; by default
            the one of two that is not called ``radiomics``.
        key: The other one; needed where the fusion gives more than two.
        symmetric: Add the opposite direction and take the mean of both.

    Raises:
        ConfigError: A setting is out of range.

    Reference: Shi, Li (2026), arXiv 2604.21056, from the image to its radiomics, tau = 0.5; van den
        Oord et al. (2018), arXiv 1807.03748 (InfoNCE); Chen et al. (2020), ICML (NT-Xent).
    """

    def __init__(
        self,
        outcome: OutcomeSpec,
        *,
        temperature: float = 0.5,
        query: str | None = None,
        key: str | None = None,
        symmetric: bool = False,
    ) -> None:
        if not temperature > 0:
            raise ConfigError(f"temperature must be positive, not {temperature:g}")
        if query is not None and query == key:
            raise ConfigError(f"query and key must be two modalities, not {query!r} twice")
        self._temperature, self._symmetric = temperature, symmetric
        self._query, self._key = query, key

    @property
    def accepts(self) -> tuple[str, ...]:
        """It never looks at the parameters."""
        return (ANY_PARAMETERIZATION,)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss.

        Raises:
            DataError: The two modalities are not known, not there, or of different widths.
        """
        query, key = self._vectors(output.modality_embeddings)
        return contrastive_alignment_loss(
            query,
            key,
            (query != 0).any(dim=1) & (key != 0).any(dim=1),
            temperature=self._temperature,
            symmetric=self._symmetric,
            weight=target.weight,
        )

    def _vectors(self, embeddings: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the embeddings of query and key."""
        names = sorted(embeddings)
        query, key = self._names(names)
        absent = [name for name in (query, key) if name not in names]
        if absent:
            raise DataError(
                f"contrastive-alignment compares {query} with {key}, but the fusion gives "
                f"embeddings of {', '.join(names) or 'no modality'} and none of "
                f"{' and '.join(absent)}; radvit/mixed-risk and mean give one of every modality"
            )
        if embeddings[query].shape[1] != embeddings[key].shape[1]:
            widths = ", ".join(f"{name} {embeddings[name].shape[1]}" for name in (query, key))
            raise DataError(
                f"contrastive-alignment compares embeddings of one width, but the fusion gives "
                f"{widths}; radvit/mixed-risk and mean project to one"
            )
        return embeddings[query], embeddings[key]

    def _names(self, names: list[str]) -> tuple[str, str]:
        """Return who is query and who is key, as set or as two names leave no doubt."""
        query, key = self._query, self._key
        if query is not None and key is not None:
            return query, key
        if len(names) != 2:
            raise DataError(
                "contrastive-alignment compares two modalities, but the fusion gives embeddings of "
                f"{', '.join(names) or 'none'}; "
                + ("set query and key" if len(names) > 2 else "radvit/mixed-risk gives two")
            )
        if query is None and key is None:
            if RADIOMICS not in names:
                if self._symmetric:
                    return names[0], names[1]
                raise DataError(
                    "contrastive-alignment goes from one modality to the other: set query to "
                    f"{names[0]} or {names[1]} (none is called 'radiomics'), or symmetric to true"
                )
            key = RADIOMICS
        named = query if query is not None else key
        if named not in names:
            raise DataError(
                f"contrastive-alignment is set to {named}, but the fusion gives embeddings of "
                f"{' and '.join(names)}"
            )
        other = names[1 - names.index(named)]
        return (named, other) if query is not None else (other, named)
