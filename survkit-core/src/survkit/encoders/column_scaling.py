"""What a table encoder learns from training columns, and the features it makes of a row."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from survkit.encoders.fitted_state import FittedState
from survkit.encoders.yeo_johnson import fit_yeo_johnson, yeo_johnson
from survkit.errors import ConfigError, DataError
from survkit.specs import ColumnSpec

Transform = Literal["standard", "yeo-johnson"]
Missing = Literal["indicator", "refuse"]


class ColumnScaling(FittedState):
    """Turns raw columns (NaN = missing, categories as level index) into features without NaN.

    A numeric column becomes ``(value - mean) / SD`` with the training mean and SD (population form)
    over subjects who have it, 0 where it is missing. With ``transform="yeo-johnson"`` the scaled
    column is then made more symmetric by the power of greatest likelihood and scaled again. A
    categorical column becomes one 0/1 feature per training level: all zero for a missing value and
    for a level not seen in training. With ``missing="indicator"`` a 0/1 feature per column says
    that the value is missing.

    Features that were constant in the training subjects (a column without variance, the indicator
    of a column that was never missing) carry no information that training could weigh: they are
    switched off, that is, always 0, also for later subjects. A value missing where training never
    missed one is therefore treated as the training mean. A column without variance gets the scale
    1.

    Feature order: numeric values, levels of the categorical columns, missing indicators in column
    order.
    """

    mean: Tensor
    scale: Tensor
    power: Tensor
    center: Tensor
    spread: Tensor
    active: Tensor
    numeric: Tensor
    categorical: Tensor
    level: Tensor

    def __init__(
        self, columns: tuple[ColumnSpec, ...], *, missing: Missing, transform: Transform
    ) -> None:
        super().__init__()
        if missing not in get_args(Missing):
            raise ConfigError(f"missing must be one of {get_args(Missing)}, not {missing!r}")
        if transform not in get_args(Transform):
            raise ConfigError(f"transform must be one of {get_args(Transform)}, not {transform!r}")
        self.columns, self.missing, self.transform = columns, missing, transform
        numeric = [index for index, column in enumerate(columns) if column.levels is None]
        of_level = [
            (index, level)
            for index, column in enumerate(columns)
            for level in range(len(column.levels or ()))
        ]
        self._constant("numeric", numeric)
        self._constant("categorical", [index for index, _ in of_level])
        self._constant("level", [level for _, level in of_level])
        indicators = len(columns) if missing == "indicator" else 0
        self.features = len(numeric) + len(of_level) + indicators
        for name, value in {
            "mean": 0.0,
            "scale": 1.0,
            "power": 1.0,
            "center": 0.0,
            "spread": 1.0,
        }.items():
            self.register_buffer(name, torch.full((len(numeric),), value))
        self.register_buffer("active", torch.ones(self.features))

    def _constant(self, name: str, indices: list[int]) -> None:
        """Keep indices that follow from the columns on the device, but out of what is saved."""
        self.register_buffer(name, torch.tensor(indices, dtype=torch.int64), persistent=False)

    def fit(self, values: Tensor) -> None:
        """Estimate everything from the training subjects' values (subject, column), in float64.

        Raises:
            DataError: No subject, an infinite value, a column nobody has, a level index that is
                none, or (with ``missing="refuse"``) a missing value.
        """
        values = values.detach().to(torch.float64)
        self._check(values)
        numeric = values[:, self.numeric]
        for position in range(numeric.shape[1]):
            column = numeric[:, position]
            self._fit_column(position, column[~column.isnan()])
        self.active.fill_(1.0)
        features = self._features(values)
        self.active.copy_((features != features[:1]).any(dim=0))
        self.mark_fitted()

    def _fit_column(self, position: int, column: Tensor) -> None:
        mean, scale = _moments(column)
        scaled = (column - mean) / scale
        if self.transform == "yeo-johnson":
            power = fit_yeo_johnson(scaled)
            self.power[position] = power
            self.center[position], self.spread[position] = _moments(yeo_johnson(scaled, power))
        self.mean[position], self.scale[position] = mean, scale

    def forward(self, values: Tensor) -> Tensor:
        """Return the features (subject, feature), in the dtype of the fitted state."""
        self.check_fitted()
        # Asking a device for its values would stall a training step; there, the fit has already
        # looked at every row.
        if self.missing == "refuse" and (not self.training or values.device.type == "cpu"):
            self._check_missing(values)
        return self._features(values.to(self.mean.dtype)) * self.active

    def _features(self, values: Tensor) -> Tensor:
        absent = values.isnan()
        scaled = (values[:, self.numeric].nan_to_num(nan=0.0) - self.mean) / self.scale
        if self.transform == "yeo-johnson":
            scaled = (yeo_johnson(scaled, self.power.to(scaled.dtype)) - self.center) / self.spread
        scaled = scaled.masked_fill(absent[:, self.numeric], 0.0)
        levels = (values[:, self.categorical] == self.level).to(scaled.dtype)
        parts = [scaled, levels]
        if self.missing == "indicator":
            parts.append(absent.to(scaled.dtype))
        return torch.cat(parts, dim=1)

    def _check(self, values: Tensor) -> None:
        if len(values) == 0:
            raise DataError(
                "a table encoder is fitted on training subjects, but none of them has this modality"
            )
        for index, column in enumerate(self.columns):
            known = values[:, index][~values[:, index].isnan()]
            if len(known) == 0:
                raise DataError(
                    f"column {column.name!r} is missing for every training subject; leave it out"
                )
            if bool(known.isinf().any()):
                raise DataError(
                    f"column {column.name!r} holds an infinite value; correct the table"
                )
            if column.levels is not None:
                wrong = (known != known.round()) | (known < 0) | (known > len(column.levels))
                if bool(wrong.any()):
                    raise DataError(
                        f"column {column.name!r} must hold level indices 0 to {len(column.levels)} "
                        f"(the last for a level unseen in training), not {float(known[wrong][0]):g}"
                    )
        if self.missing == "refuse":
            self._check_missing(values)

    def _check_missing(self, values: Tensor) -> None:
        absent = values.isnan()
        if bool(absent.any()):
            row, index = (int(number) for number in absent.nonzero()[0])
            raise DataError(
                f"column {self.columns[index].name!r} is missing for row {row} of the batch "
                f'({int(absent.sum())} missing values); impute them or set missing="indicator"'
            )


def _moments(column: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and population SD, or 1 for the SD where there is only rounding."""
    mean, deviation = column.mean(), column.std(correction=0)
    floor = 8 * torch.finfo(column.dtype).eps * column.abs().max()
    return mean, torch.where(deviation > floor, deviation, torch.ones_like(deviation))
