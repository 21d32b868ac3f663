"""One vector of radiomic features: on one scale, then as it is, or as a token per group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec
from survkit_radvit.groups.feature_scaling import FeatureScaling, ValuesOf


class GroupNetwork(nn.Module):
    """Encodes the features of a region.

    Without ``dim`` the summary, and the only token, is the scaled features themselves: a linear
    head on them is a linear model of z-scores. With ``dim`` each group of features goes through
    layers of its own to one token, and the summary is the mean of the tokens.

    Args:
        names: Of the features.
        groups: Positions of each group's features.
        dim: Width of a token; ``None`` for the features themselves.
        hidden: Widths of hidden layers (ReLU) before the linear one, in each group.
        dropout: After each hidden layer.

    Raises:
        ConfigError: A width below 1, a dropout outside [0, 1), hidden layers without ``dim``.
    """

    order: Tensor
    like: Tensor

    def __init__(
        self,
        names: Sequence[str],
        groups: Mapping[str, tuple[int, ...]],
        *,
        dim: int | None,
        hidden: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        if any(width < 1 for width in (*hidden, 1 if dim is None else dim)):
            raise ConfigError(f"dim and hidden must be at least 1, not {dim} and {list(hidden)}")
        if not 0 <= dropout < 1:
            raise ConfigError(f"dropout must lie in [0, 1), not {dropout:g}")
        if dim is None and hidden:
            raise ConfigError(
                f"hidden layers {list(hidden)} need a dim to end in; without dim the features are "
                "handed on as they are"
            )
        self.scaling = FeatureScaling(names)
        self.groups = dict(groups)
        # A list, since a group may have a name that a module's child may not.
        self.layers = nn.ModuleList()
        if dim is not None:
            widths = [(len(columns), *hidden, dim) for columns in self.groups.values()]
            self.layers.extend(_layers(each, dropout) for each in widths)
        order = [column for columns in self.groups.values() for column in columns]
        self.register_buffer("order", torch.tensor(order), persistent=False)
        self.register_buffer("like", torch.empty(0), persistent=False)  # of the network's dtype
        tokens = 1 if dim is None else len(self.groups)
        self.encoding = EncodingSpec(dim=len(names) if dim is None else dim, tokens=tokens)

    def forward(self, input: ModalityInput) -> Encoding:
        """Return the encoding of features (batch, feature), NaN where one is missing."""
        scaled = self.scaling(input.values).to(self.like.dtype)
        if not self.layers:
            return Encoding(tokens=scaled[:, None], summary=scaled, present=input.present)
        parts = scaled.index_select(1, self.order).split(
            [len(columns) for columns in self.groups.values()], dim=1
        )
        tokens = torch.stack(
            [layers(part) for layers, part in zip(self.layers, parts, strict=True)], dim=1
        )
        return Encoding(tokens=tokens, summary=tokens.mean(dim=1), present=input.present)

    def fit(self, batches: Iterable[ModalityInput]) -> None:
        """Learn gaps, constant features and scale from training subjects."""
        self.scaling.fit(ValuesOf(batches))


def _layers(widths: Sequence[int], dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        layers += [nn.Linear(before, after), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
