"""How important tokens are: to the encoder of a fold, over its training subjects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor

from survkit.data import SubjectStore
from survkit.errors import ConfigError, DataError, PluginError
from survkit.flow import ModalityInput
from survkit.hub.fitted_model import FittedModel, as_model_input
from survkit.hub.whole_float32 import whole_float32
from survkit.model import SurvivalModel
from survkit.prunes_tokens import PrunesTokens
from survkit.suggest import did_you_mean


def pruning_modality(fitted: FittedModel, asked: str | None) -> str:
    """Return whose encoder leaves tokens out.

    Raises:
        ConfigError: There is none, several, or none of that name.
    """
    parts = fitted.description.parts.encoders
    encoders = fitted.members[0].encoders
    able = [name for name, encoder in encoders.items() if isinstance(encoder, PrunesTokens)]
    if not able:
        said = ", ".join(f"{name} is read by {part.name}" for name, part in parts.items())
        raise ConfigError(
            f"no encoder of this model leaves tokens out ({said}); an encoder that does offers "
            "token_importance and keep_tokens, as a Vision Transformer may"
        )
    if asked is None and len(able) > 1:
        raise ConfigError(f"the encoders of {', '.join(able)} leave tokens out; name one of them")
    if asked is not None and asked not in able:
        raise ConfigError(
            f"no encoder named {asked!r} leaves tokens out. {did_you_mean(asked, able)}"
        )
    return able[0] if asked is None else asked


def refuse_pruned(fitted: FittedModel, modality: str, where: str) -> None:
    """Refuse a model whose encoder leaves tokens out already.

    Raises:
        ConfigError: It does.
    """
    for member in fitted.members:
        encoder = member.encoders[modality]
        before = {name: value.clone() for name, value in encoder.named_buffers()}
        cast(PrunesTokens, encoder).keep_tokens(None)
        after = dict(encoder.named_buffers())
        if before.keys() != after.keys() or any(
            not torch.equal(before[name], after[name]) for name in before
        ):
            raise ConfigError(
                f"{where}: the encoder of '{modality}' leaves tokens out already; prune the run "
                "that it was made from"
            )


def importance_of(encoder: PrunesTokens, input: ModalityInput) -> Tensor | None:
    """Return the importance for those who have the modality, (present, token); ``None`` if nobody.

    Raises:
        PluginError: It does not sum to one, or is negative.
    """
    values = input.values if input.complete else input.values[input.present]
    if len(values) == 0:
        return None
    found = encoder.token_importance(values)
    exact = found.double()
    whole = (exact.sum(dim=-1) - 1).abs().max() <= 1e-3 if found.ndim == 2 else False
    if len(found) != len(values) or not bool(whole) or bool((exact < 0).any()):
        raise PluginError(
            f"{type(encoder).__name__}.token_importance must return (batch, token), not negative "
            f"and summing to one for each of {len(values)} subjects; it returned "
            f"{tuple(found.shape)}"
        )
    return found


@whole_float32()
def population_importance(
    member: SurvivalModel,
    modality: str,
    store: SubjectStore,
    rows: Sequence[int],
    *,
    micro_batch: int,
    device: str,
    advance: Callable[[int], None],
) -> Tensor:
    """Return the mean importance over subjects who have the modality; float64 (token), on the CPU.

    Args:
        member: A network, in eval mode on the device.
        modality: Whose encoder.
        store: Holds the subjects.
        rows: Training subjects, as positions in the cohort.
        micro_batch: Subjects in memory at once.
        device: Where the network is.
        advance: Told of every subject.

    Raises:
        DataError: None of them has the modality.
    """
    encoder = cast(PrunesTokens, member.encoders[modality])
    dtype = next(member.parameters()).dtype
    total, count = torch.zeros(0), 0
    with torch.no_grad():
        for start in range(0, len(rows), micro_batch):
            part = rows[start : start + micro_batch]
            inputs = store.inputs(part, only=[modality])
            found = importance_of(encoder, as_model_input(inputs, dtype, device)[modality])
            advance(len(part))
            if found is not None:
                here = found.double().sum(dim=0).cpu()
                total = here if count == 0 else total + here
                count += len(found)
    if not count:
        raise DataError(f"no training subject has '{modality}', so no token is more important")
    return total / count
