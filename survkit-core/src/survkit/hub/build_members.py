"""Builds the networks of a model from its description, and gives each exactly its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from survkit.build import build_model
from survkit.errors import RunError, UserError
from survkit.hub.build_budget import BuildBudget, OverBudgetError
from survkit.hub.description import ModelDescription
from survkit.hub.model_files import CONFIG_FILE, WEIGHTS_FILE
from survkit.model import SurvivalModel

if TYPE_CHECKING:
    from survkit.registry import Registry

_OF_BUILDING = (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError, MemoryError)
"""What constructors raise where settings of the right type make no sense together."""


def divide_tensors(
    tensors: Mapping[str, Tensor], kind: str, count: int, folder: Path, *, above: str = ""
) -> list[dict[str, Tensor]]:
    """Return the tensors of each of several parts; every tensor has its place.

    Args:
        tensors: Named ``<kind>.<number>.<rest>``.
        kind: ``"members"`` or ``"models"``.
        count: How many parts there are.
        folder: Of the model.
        above: Start of the names that stand in the file, for messages.

    Raises:
        RunError: A tensor is of no part, or a part has none.
    """
    own: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, _, rest = name.removeprefix(f"{kind}.").partition(".")
        if not name.startswith(f"{kind}.") or not _is_number(number, count):
            raise RunError(f"{folder / WEIGHTS_FILE}: no part of the model is named {above}{name}")
        own.setdefault(number, {})[rest] = value
    if len(own) < count:
        words = {"members": "networks"}.get(kind, kind)
        raise RunError(
            f"{folder / WEIGHTS_FILE}: has {len(own)} {words}, but {CONFIG_FILE} speaks of "
            f"{count}; get the model anew"
        )
    return [own[str(number)] for number in range(count)]


def _is_number(text: str, count: int) -> bool:
    """Whether it is the number of one of the parts, as it is written when they are saved."""
    if not text.isdecimal() or len(text) > len(str(count)):
        return False
    return str(int(text)) == text and int(text) < count


def build_members(
    description: ModelDescription,
    tensors: Mapping[str, Tensor],
    registry: Registry,
    folder: Path,
    budget: BuildBudget,
    *,
    above: str = "",
) -> tuple[SurvivalModel, ...]:
    """Build the networks of one model and give each its tensors.

    Args:
        description: Of the model.
        tensors: Named ``members.<number>.<rest>``.
        registry: Where components are looked up.
        folder: Of the model, for messages.
        budget: What building may ask of memory, for all networks of the folder together.
        above: Start of the names that stand in the file, for messages.

    Raises:
        RunError: The tensors are not those of these networks, or a network cannot be built.
        UserError: A component refuses its settings.
    """
    divided = divide_tensors(tensors, "members", description.members, folder, above=above)
    return tuple(_member(description, own, registry, folder, budget) for own in divided)


def _member(
    description: ModelDescription,
    tensors: Mapping[str, Tensor],
    registry: Registry,
    folder: Path,
    budget: BuildBudget,
) -> SurvivalModel:
    """Build one network; what a stranger's settings make of memory and code is bounded."""
    where = f"{folder / CONFIG_FILE}: no network can be built from it"
    try:
        # Weights drawn here are replaced below.
        with torch.random.fork_rng(devices=[]), budget:
            model, _ = build_model(
                description.parts, description.inputs, description.outcome, registry
            )
    except UserError:
        raise
    except OverBudgetError as error:
        raise RunError(
            f"{where}: its settings ask for {error}, but {WEIGHTS_FILE} holds far less; get the "
            "model from somebody you trust"
        ) from error
    except _OF_BUILDING as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise RunError(f"{where} ({type(error).__name__}: {reason}); get the model anew") from error
    _load_strictly(model, tensors, folder)
    return model.eval()


def _load_strictly(model: SurvivalModel, tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Give the network exactly these tensors, in their precision.

    Raises:
        RunError: Every name that is missing, unexpected or of another shape, and the first tensor
            of another kind of number or with one that is not finite.
    """
    own = model.state_dict()
    for name, value in tensors.items():
        where = f"{folder / WEIGHTS_FILE}: {name}"
        if name in own and own[name].is_floating_point() != value.is_floating_point():
            raise RunError(f"{where} is {value.dtype}, not {own[name].dtype}; get the model anew")
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise RunError(f"{where} holds NaN or infinite numbers; get the model anew")
    try:
        model.load_state_dict(dict(tensors), strict=True, assign=True)
    except RuntimeError as error:
        problems = " ".join(str(error).split()).partition(": ")[2]
        raise RunError(
            f"{folder / WEIGHTS_FILE}: the weights do not fit the components that are installed: "
            f"{problems} Install the versions named in {CONFIG_FILE}"
        ) from error
