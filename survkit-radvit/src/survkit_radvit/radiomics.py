"""A table of radiomic features, one row per subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from torch import nn

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec
from survkit_radvit.groups.feature_names import Grouping, feature_groups
from survkit_radvit.groups.group_network import GroupNetwork


class RadiomicsEncoder(nn.Module):
    """Encodes radiomic features that are there already: a table as ``survkit radiomics`` or
    pyradiomics gives it, or a vector.

    Gaps are filled with the training median, features that are constant in training are switched
    off, the others become z-scores
    (:class:`survkit_radvit.groups.feature_scaling.FeatureScaling`). As it is, that is all: under
    the head ``cox`` with weight decay it is ridge Cox regression. With ``dim`` there is a token per
    group of features, and the summary is their mean.

    Args:
        input: Numeric columns, named ``class_Feature`` or ``filter_class_Feature``; or a vector,
            whose entries have no names and are one group.
        dim: Width of a token; null hands the features themselves on.
        hidden: Widths of hidden layers (ReLU) of each group; they need a ``dim``.
        dropout: After each hidden layer.
        groups: What a group is: a ``class`` (firstorder, glcm, shape, ...), a ``filter`` of the
            image (original, wavelet-HHL, ...), or ``none``, all features together.

    Raises:
        CompositionError: Not a table of numbers or one vector per subject.
        ConfigError: A setting out of range.

    Reference: features by class as in Shi, Li (2026), arXiv 2604.21056, of regions instead of
        patches; names as in van Griethuysen et al. (2017), Cancer Research 77:e104.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        dim: int | None = None,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        groups: Grouping = "class",
    ) -> None:
        super().__init__()
        names = _names(input)
        if groups not in get_args(Grouping):
            raise ConfigError(f"groups is one of {', '.join(get_args(Grouping))}, not {groups!r}")
        by_group = feature_groups(names, groups if input.kind == "table" else "none")
        self.network = GroupNetwork(names, by_group, dim=dim, hidden=hidden, dropout=dropout)

    @property
    def encoding(self) -> EncodingSpec:
        """A token per group; one token, the features themselves, without ``dim``."""
        return self.network.encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the features; ``penalties`` changes nothing, there are none."""
        encoding: Encoding = self.network(input)
        return encoding

    def fit(self, input: ModalityInput) -> None:
        """Learn gaps, constant features and scale from the present training subjects."""
        self.network.scaling.fit([input.values[input.present]])

    def feature_groups(self) -> Mapping[str, tuple[int, ...]]:
        """Return by group which columns of the input belong to it, along the last axis."""
        return dict(self.network.groups)


def _names(input: InputSpec) -> tuple[str, ...]:
    """Return the names of the features, or refuse the input."""
    if input.kind not in ("table", "vector") or input.has_tokens:
        many = " with many arrays per subject" if input.has_tokens else ""
        raise CompositionError(
            "radiomics needs a table or a vector of features with one row per subject, but this "
            f"modality is a {input.kind}{many}; radvit/roi-radiomics computes them from an image "
            "or volume and its mask, radvit/radiomics-tokens from the patches of an image"
        )
    text = [column.name for column in input.columns if column.levels is not None]
    if text:
        raise CompositionError(
            f"radiomics needs numbers, but the column {text[0]!r} holds categories; leave it out, "
            "or give it to an encoder of its own such as tabular"
        )
    if input.kind == "table":
        return tuple(column.name for column in input.columns)
    return tuple(f"entry {position}" for position in range(input.shape[0]))
