"""How much the predicted risk leans on each feature, to first order.

Of one subject and feature: |derivative of the risk with respect to the feature| times |feature -
reference|. Of a feature that is scaled linearly this is |gradient x input| of its standardised
value. The risk is the log hazard where the model has one, else the risk score at the horizon.

Reference: Shrikumar, Greenside and Kundaje (2017), section 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor

from survkit.flow import ModalityInput
from survkit.hub.fitted_model import as_model_input
from survkit.importance.feature_group import FeatureGroup
from survkit.importance.fold_model import FoldModel


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose risk of what the derivative is of.

    Attributes:
        horizon: Of risk scores.
        cause: Event code, 1..K.
    """

    horizon: float
    cause: int


def gradient_sizes(
    model: FoldModel, groups: Sequence[FeatureGroup], asked: Asked
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return |gradient x input| summed over features, tokens and other axes of each group.

    Args:
        model: Has predicted its test subjects.
        groups: All groups.
        asked: Which risk.

    Returns:
        By key of the group, float64 (test subject), 0 for who lacks the modality; and by key of
        other groups why it has none.
    """
    reasons = {group.key: reason for group in groups if (reason := _why_not(model, group))}
    able = [group for group in groups if group.key not in reasons]
    found: dict[str, list[Tensor]] = {group.key: [] for group in able}
    for batch in model.batches:
        inputs = model.inputs(batch)
        slopes = _slopes(model, inputs, {group.modality for group in able}, asked)
        for group in able:
            slope = slopes.get(group.modality)
            if slope is None:
                reasons.setdefault(group.key, NO_DERIVATIVE)
                continue
            sizes = _of_group(model, group, inputs[group.modality], slope)
            if not bool(sizes.isfinite().all()):
                reasons.setdefault(group.key, "a derivative of the risk is not finite")
            found[group.key].append(sizes)
    return {key: torch.cat(found[key]) for key in found if key not in reasons}, reasons


NO_DERIVATIVE = "the predicted risk has no derivative with respect to what the encoder gets"


def _why_not(model: FoldModel, group: FeatureGroup) -> str:
    """Say what in the data forbids a derivative; empty where nothing does."""
    if group.categorical:
        return f"{', '.join(group.categorical)} is a category, and has no derivative"
    if group.positions is None:
        return ""
    places = torch.tensor(group.positions)
    for batch in model.batches:
        input = model.inputs(batch)[group.modality]
        missing = input.values[..., places].isnan()
        if bool(missing.any()):
            row = int(missing.flatten(1).any(dim=1).nonzero()[0])
            name = model.subjects.cohort.subjects[model.subjects.test[batch[row]]]
            return f"a value is missing, of subject '{name}' for one"
    return ""


def _slopes(
    model: FoldModel, inputs: Mapping[str, ModalityInput], wanted: set[str], asked: Asked
) -> dict[str, Tensor]:
    """Return the derivative of each subject's risk by its own values, by modality, on the CPU;
    modalities through whose encoder no derivative passes are left out.
    """
    given = as_model_input(inputs, model.dtype, model.device)
    names = sorted(name for name in wanted if bool(inputs[name].present.any()))
    for name in names:
        values = given[name].values.detach().requires_grad_()
        given[name] = replace(given[name], values=values)
    with torch.enable_grad():
        encodings = model.member.encode(given, penalties=False)
        parameters = model.member.decide(encodings).parameters
        risk = _risk(model.head.predict(parameters.cpu()), asked)
    found = {name: torch.zeros_like(inputs[name].values) for name in wanted - {*names}}
    for name in names:
        values = given[name].values
        # Rows do not depend on one another, so the derivative of the sum holds everybody's own.
        slope = _derivative(risk, values)
        if slope is None and _derivative(encodings[name].summary, values) is not None:
            slope = torch.zeros_like(values)  # the encoder can be seen through, but nobody looks
        if slope is not None:
            found[name] = slope.cpu()
    return found


def _derivative(of: Tensor, by: Tensor) -> Tensor | None:
    """Return the derivative of a sum; ``None`` where nothing leads from one to the other."""
    if not of.requires_grad:
        return None
    (found,) = torch.autograd.grad(of.sum(), [by], allow_unused=True, retain_graph=True)
    return cast("Tensor | None", found)


def _risk(prediction: Any, asked: Asked) -> Tensor:
    log_hazard = getattr(prediction, "log_hazard", None)
    if log_hazard is not None:
        return cast(Tensor, log_hazard[:, asked.cause - 1])
    return cast(Tensor, prediction.risk_score(asked.horizon, asked.cause))


def _of_group(model: FoldModel, group: FeatureGroup, input: ModalityInput, slope: Tensor) -> Tensor:
    """Sum over all but the batch; float64 (batch)."""
    values = input.values.double()
    if group.positions is None:
        products = (slope.double() * values).abs()
    else:
        places = torch.tensor(group.positions)
        away = values[..., places] - model.reference(group.modality)[places]
        products = (slope[..., places].double() * away).abs()
    if input.token_mask is not None:
        mask = input.token_mask.reshape(*input.token_mask.shape, *[1] * (products.ndim - 2))
        products = products.masked_fill(~mask, 0.0)
    return products.flatten(1).sum(dim=1).masked_fill(~input.present, 0.0)
