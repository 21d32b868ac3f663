"""The encoder of table rows: scaled numbers, one-hot levels, missing indicators, a network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from survkit.encoders.column_scaling import ColumnScaling, Missing, Transform
from survkit.encoders.linear_path import feature_network
from survkit.errors import CompositionError
from survkit.flow import Encoding, ModalityInput
from survkit.specs import EncodingSpec, InputSpec


class TabularEncoder(nn.Module):
    """Encodes one row of numeric and categorical columns as a single token.

    How columns become features, and what happens to missing values and unseen levels, is said at
    :class:`survkit.encoders.column_scaling.ColumnScaling`. Without hidden layers the encoder is a
    linear map of those features. With ``dim=None`` it is the features themselves: a linear Cox head
    on them is then an ordinary (with weight decay: ridge) Cox model.

    Args:
        input: The table's columns.
        hidden: Widths of the hidden layers.
        dim: Width of the token; ``None`` leaves out the linear output layer.
        dropout: Dropout rate after each hidden layer.
        linear_path: Put the features themselves beside the last hidden layer, so that a penalised
            linear head is a ridge model that the network may add to.
        missing: ``"indicator"`` adds a feature per column that says its value is missing;
            ``"refuse"`` refuses missing values.
        transform: ``"yeo-johnson"`` makes skewed numeric columns more symmetric before scaling.

    Raises:
        CompositionError: The input is not a table with one row per subject.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        hidden: Sequence[int] = (),
        dim: int | None = 16,
        dropout: float = 0.0,
        linear_path: bool = False,
        missing: Missing = "indicator",
        transform: Transform = "standard",
    ) -> None:
        super().__init__()
        if input.kind != "table" or input.has_tokens:
            raise CompositionError(
                "TabularEncoder needs a table modality with one row per subject, but this one is "
                f"a {input.kind}{' with many arrays per subject' if input.has_tokens else ''}; "
                "vector fits embeddings, resnet3d-18 and densenet3d-121 fit volumes"
            )
        self.scaling = ColumnScaling(input.columns, missing=missing, transform=transform)
        self.network, width = feature_network(
            self.scaling.features, hidden, dim=dim, dropout=dropout, linear_path=linear_path
        )
        self._encoding = EncodingSpec(dim=width)

    @property
    def encoding(self) -> EncodingSpec:
        """One token per subject."""
        return self._encoding

    def fit(self, input: ModalityInput) -> None:
        """Estimate the scaling and switch off constant features, from present training subjects."""
        self.scaling.fit(input.values[input.present])

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the rows; ``penalties`` changes nothing, there are none.

        Raises:
            DataError: Not fitted yet, or a missing value although ``missing="refuse"``.
        """
        summary = self.network(self.scaling(input.values))
        return Encoding(tokens=summary[:, None], summary=summary, present=input.present)
