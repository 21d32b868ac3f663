"""Try a composition on a few made-up subjects, so that a misfit is found before data are read.

Encoder, fusion, head and losses are run once on a copy of the model: every declared spec is held
against what really comes out, and the failing part is named. Nothing of the model and no random
state is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import TypeVar, cast

import torch
from torch import Tensor

from survkit.build import Parts
from survkit.errors import CompositionError, UserError
from survkit.flow import Encoding, ModalityInput, ModelOutput, SurvivalTarget, projected
from survkit.model import SurvivalModel, encode_present
from survkit.objective import Objective
from survkit.protocols import (
    Encoder,
    FitsBatches,
    FitsInput,
    Fusion,
    Prepares,
    PreparesExample,
    Sample,
)
from survkit.specs import EncodingSpec, InputSpec, OutcomeSpec

Result = TypeVar("Result")

SUBJECTS = 4
TOKENS = 2


def dry_run(
    model: SurvivalModel,
    objective: Objective,
    specs: Mapping[str, InputSpec],
    outcome: OutcomeSpec,
    parts: Parts,
) -> None:
    """Run made-up subjects, one without the first modality where there are several, through
    everything.

    Raises:
        CompositionError: A part fails, or gives something other than it declared; the sentence
            names the part.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        trial = deepcopy(model).eval()
        encodings = {
            modality: _encode(
                trial, modality, specs[modality], f"encoders.{modality} ({part.name})"
            )
            for modality, part in parts.encoders.items()
        }
        encodings = _with_one_absent(encodings, getattr(trial.fusion, "supervision", ()))
        output = _decide(trial, encodings, parts)
        target = _target(outcome)
        for term in objective.terms:
            value = _guarded(f"the loss {term.name}", partial(term.loss, output, target))
            if value.shape != ():
                raise CompositionError(
                    f"the loss {term.name} gave shape {tuple(value.shape)}, not a scalar"
                )


def made_up_values(spec: InputSpec, generator: torch.Generator) -> Tensor:
    """Return one subject's values as the spec describes them."""
    shape = (TOKENS, *spec.shape) if spec.has_tokens else spec.shape
    values = torch.randn(shape, generator=generator)
    for position, column in enumerate(spec.columns):
        if column.levels is not None:
            values[..., position] = torch.randint(len(column.levels) + 1, (), generator=generator)
    return values


def _encode(model: SurvivalModel, modality: str, spec: InputSpec, where: str) -> Encoding:
    encoder = model.encoders[modality]
    generator = torch.Generator().manual_seed(0)

    def run() -> Encoding:
        prepared = [_prepared(encoder, spec, generator) for _ in range(SUBJECTS)]
        present = torch.ones(SUBJECTS, dtype=torch.bool)
        mask = present[:, None].expand(SUBJECTS, TOKENS) if spec.has_tokens else None
        input = ModalityInput(values=torch.stack(prepared), present=present, token_mask=mask)
        if isinstance(encoder, FitsInput):
            encoder.fit(input)
        if isinstance(encoder, FitsBatches):
            encoder.fit_batches([input])
        return encode_present(cast(Encoder, encoder), input, penalties=False)

    encoding = projected(_guarded(where, run))
    _check_encoding(encoding, cast(Encoder, encoder).encoding, where)
    return encoding


def _prepared(encoder: object, spec: InputSpec, generator: torch.Generator) -> Tensor:
    """Return one made-up subject as the encoder is given it."""
    if isinstance(encoder, PreparesExample):
        return encoder.prepared_example(generator=generator)
    values = made_up_values(spec, generator)
    if isinstance(encoder, Prepares):
        return encoder.prepare(Sample(values=values, spacing=spec.spacing))
    return values


def _check_encoding(encoding: Encoding, spec: EncodingSpec, where: str) -> None:
    batch, tokens, dim = encoding.tokens.shape
    declared = (SUBJECTS, tokens if spec.tokens is None else spec.tokens, spec.dim)
    if (batch, tokens, dim) != declared or encoding.summary.shape != (SUBJECTS, spec.dim):
        raise CompositionError(
            f"{where}: declares tokens of shape {declared}, "
            f"but gave {tuple(encoding.tokens.shape)} "
            f"and a summary of {tuple(encoding.summary.shape)}"
        )
    if encoding.grid != spec.grid or (encoding.continuous is not None) != spec.has_continuous:
        raise CompositionError(
            f"{where}: declares grid={spec.grid}, has_continuous={spec.has_continuous}, "
            f"but gave grid={encoding.grid}, continuous={encoding.continuous is not None}"
        )


def _with_one_absent(
    encodings: Mapping[str, Encoding], supervision: Collection[str]
) -> dict[str, Encoding]:
    """Let the first subject lack the first modality, as happens in every real cohort.

    If that would leave it nothing to be predicted from, it lacks what is only learnt from.
    """
    changed = dict(encodings)
    if len(changed) > 1:
        read = sorted(changed.keys() - set(supervision))
        first = read[0] if len(read) > 1 else min(supervision)
        present = changed[first].present.clone()
        present[0] = False
        changed[first] = replace(changed[first], present=present)
    return changed


def _decide(model: SurvivalModel, encodings: Mapping[str, Encoding], parts: Parts) -> ModelOutput:
    fusion = cast(Fusion, model.fusion)
    where = f"fusion ({parts.fusion.name})"
    fused = _guarded(where, lambda: fusion(encodings))
    if fused.embedding.shape != (SUBJECTS, fusion.dim):
        raise CompositionError(
            f"{where}: declares dim={fusion.dim}, "
            f"but gave an embedding of {tuple(fused.embedding.shape)}"
        )
    output = _guarded(f"head ({parts.head.name})", lambda: model.decide(encodings))
    if len(output.parameters) != SUBJECTS:
        raise CompositionError(
            f"head ({parts.head.name}): gave {len(output.parameters)} rows for {SUBJECTS} subjects"
        )
    return output


def _target(outcome: OutcomeSpec) -> SurvivalTarget:
    share = torch.arange(1, SUBJECTS + 1, dtype=torch.float64) / SUBJECTS
    event = torch.tensor([1, 0, len(outcome.causes), 1])
    return SurvivalTarget(duration=share * outcome.horizon, event=event)


def _guarded(where: str, run: Callable[[], Result]) -> Result:
    """Run a part; any failure becomes a sentence that names it."""
    try:
        return run()
    except UserError as error:
        raise CompositionError(f"{where}: {error}") from error
    except Exception as error:
        raise CompositionError(
            f"{where}: fails on made-up subjects: {type(error).__name__}: {error}"
        ) from error
