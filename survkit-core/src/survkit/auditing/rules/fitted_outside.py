"""What a run fitted, fitted anew: on the training part alone it must come out the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from survkit.auditing.division import Division
from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.run_files import FoldFiles
from survkit.data import Cohort, read_modality, store_for
from survkit.flow import ModalityInput, select
from survkit.hub import FittedModel, load_model
from survkit.model import SurvivalModel
from survkit.protocols import FitsBaseline, FitsInput
from survkit.time_grid import fit_time_grid

NAME = "fitted-outside"
RELATIVE, ABSOLUTE = 1e-4, 1e-5
State = Mapping[str, Tensor | tuple[Any, ...]]


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Something that was fitted: what is stored, and how it is fitted to given rows."""

    what: str
    stored: State
    fit: Callable[[list[int]], State]


def _check(evidence: Evidence) -> Answer:
    run, cohort = evidence.run, evidence.cohort
    if run is None or not any(fold.config for fold in run.folds):
        return NotChecked("not a run folder of survkit with models in its folds")
    if cohort is None:
        return NotChecked("what was fitted can be fitted anew only with the cohort; give --cohort")
    if cohort.fingerprint() != run.run.get("cohort"):
        return NotChecked("the cohort is not the one of the run, or has changed since")
    known = {(one.repeat, one.fold): one for one in evidence.folds}
    wrong: dict[tuple[str, str], list[str]] = {}
    for fold in run.folds:
        division = known.get((fold.repeat, fold.fold))
        if division is None or not fold.config:
            continue
        for one in _everything(fold, cohort, run.recipe, division):
            who, evidence_text = _blame(one, _parts(cohort, division))
            if who is not None:
                wrong.setdefault((one.what, who), []).append(f"{fold.name}: {evidence_text}")
    return [_finding(what, who, texts) for (what, who), texts in wrong.items()]


def _finding(what: str, who: str, texts: Sequence[str]) -> Finding:
    unknown = who == ""
    return Finding(
        rule=NAME,
        severity="warning" if unknown else "error",
        message=(
            f"{what} cannot be reproduced from the training part"
            if unknown
            else f"{what} was fitted on {who}, not on the training part alone"
        ),
        evidence="; ".join(texts[:2]) + f" ({len(texts)} folds)",
        cure="fit it on the training subjects of each fold; run `survkit cv` again",
    )


def _parts(cohort: Cohort, division: Division) -> dict[str, list[int]]:
    place = {name: row for row, name in enumerate(cohort.subjects)}
    train, validation, test = (
        [place[name] for name in getattr(division, part) if name in place]
        for part in ("train", "validation", "test")
    )
    return {
        "training": train,
        "all subjects": list(range(len(cohort))),
        "training and validation subjects": sorted(train + validation),
        "training and test subjects": sorted(train + test),
    }


def _blame(one: _Fitted, parts: Mapping[str, list[int]]) -> tuple[str | None, str]:
    """Return on whom it was fitted: ``None`` for training, ``""`` where nobody fits."""
    own = one.fit(parts["training"])
    if _equal(one.stored, own):
        return None, ""
    for name, rows in parts.items():
        if name != "training" and set(rows) != set(parts["training"]):
            other = one.fit(rows)
            if _equal(one.stored, other):
                return name, _difference(one.stored, own)
    return "", _difference(one.stored, own)


def _everything(
    fold: FoldFiles, cohort: Cohort, recipe: Mapping[str, Any], division: Division
) -> list[_Fitted]:
    fitted = load_model(fold.folder)
    cohort = cohort.with_twins(fitted.description.twins)
    found = [_levels(fitted, cohort)]
    grid = (recipe.get("outcome") or {}).get("grid") or {}
    if grid.get("kind") == "quantile":
        found.append(_grid(fitted, cohort, int(grid["intervals"])))
    kinds = {name: spec.kind for name, spec in fitted.description.inputs.items()}
    for number, member in enumerate(fitted.members):
        suffix = f" (network {number})" if len(fitted.members) > 1 else ""
        for name, encoder in member.encoders.items():
            if isinstance(encoder, FitsInput) and kinds[name] in ("table", "vector"):
                found.append(_scaling(fitted, cohort, name, encoder, suffix))
        if isinstance(member.head, FitsBaseline) and set(kinds.values()) <= {"table", "vector"}:
            found.append(_baseline(fitted, cohort, member, suffix))
    return found


def _levels(fitted: FittedModel, cohort: Cohort) -> _Fitted:
    tables = [n for n, spec in fitted.description.inputs.items() if spec.kind == "table"]

    def fit(rows: list[int]) -> State:
        return {n: _columns(cohort.input_spec(n, rows)) for n in tables}

    stored = {n: _columns(fitted.description.inputs[n]) for n in tables}
    return _Fitted("the levels of columns", stored, fit)


def _columns(spec: Any) -> tuple[Any, ...]:
    return tuple((column.name, column.levels) for column in spec.columns)


def _grid(fitted: FittedModel, cohort: Cohort, intervals: int) -> _Fitted:
    outcome = fitted.description.outcome

    def fit(rows: list[int]) -> State:
        target = cohort.target(rows)
        edges = fit_time_grid(
            "quantile",
            intervals=intervals,
            horizon=outcome.horizon,
            duration=target.duration,
            observed=target.event > 0,
        )
        return {"edges": torch.tensor(edges, dtype=torch.float64)}

    stored = {"edges": torch.tensor(outcome.time_grid, dtype=torch.float64)}
    return _Fitted("the time grid", stored, fit)


def _scaling(fitted: FittedModel, cohort: Cohort, name: str, encoder: Any, suffix: str) -> _Fitted:
    spec = fitted.description.inputs[name]

    def fit(rows: list[int]) -> State:
        copy = deepcopy(encoder).eval()
        given = read_modality(cohort, name, rows, spec, encoder=copy)
        there = given if given.complete else select(given, given.present.nonzero().flatten())
        cast(FitsInput, copy).fit(there)
        return {key: value.clone() for key, value in copy.state_dict().items()}

    return _Fitted(f"the scaling of {name}{suffix}", dict(encoder.state_dict()), fit)


def _baseline(fitted: FittedModel, cohort: Cohort, member: SurvivalModel, suffix: str) -> _Fitted:
    head = cast(Any, member.head)

    def fit(rows: list[int]) -> State:
        copy = deepcopy(head)
        encoders = dict(member.encoders.items())
        store = store_for(cohort, rows, fitted.description.inputs, encoders=encoders)
        dtype = next(member.parameters()).dtype
        typed = {
            name: ModalityInput(
                value.values.to(dtype), value.present, value.token_mask, value.complete
            )
            for name, value in store.inputs(rows).items()
        }
        with torch.no_grad():
            parameters = member.eval()(typed, penalties=False).parameters
        cast(FitsBaseline, copy).fit_baseline(parameters, cohort.target(rows))
        return {key: value.clone() for key, value in copy.state_dict().items()}

    return _Fitted(f"the baseline hazard{suffix}", dict(head.state_dict()), fit)


def _equal(stored: State, made: State) -> bool:
    return all(_close(stored[key], made[key]) for key in stored)


def _close(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return bool(one == other)
    if one.shape != other.shape:
        return False
    left, right = one.double(), other.double()
    scale = float(left.abs().max()) if left.numel() else 0.0
    return bool(torch.allclose(left, right, rtol=RELATIVE, atol=ABSOLUTE * max(scale, 1e-6)))


def _difference(stored: State, own: State) -> str:
    """Show the first thing that differs, and its first differing entry."""
    key = next(key for key in stored if not _close(stored[key], own[key]))
    one, other = stored[key], own[key]
    if isinstance(one, tuple) or isinstance(other, tuple):
        pairs = zip(cast(Any, one), cast(Any, other), strict=False)
        a, b = next((a, b) for a, b in pairs if a != b)
        return f"{key}.{a[0]} has the levels {a[1]}, in the training part {b[1]}"
    if one.shape != other.shape:
        return f"{key} has {one.numel()} entries, from the training part {other.numel()}"
    place = int((one.double() - other.double()).abs().flatten().argmax())
    return (
        f"{key}[{place}] is {float(one.flatten()[place]):.5g}, from the training part "
        f"{float(other.flatten()[place]):.5g}"
    )


RULE = Rule(
    name=NAME,
    asks="Were levels, scalers, time grid or baseline fitted on more than the training part?",
    guard=(
        "everything is fitted anew and compared to 1e-4; an error only if another part reproduces "
        "it; asked only where the cohort is the one of the run"
    ),
    source="HECKTOR-2025 baseline (age scaler, medians, one-hot columns fitted on all)",
    check=_check,
)
