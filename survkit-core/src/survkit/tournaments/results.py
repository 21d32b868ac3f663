"""What a tournament found: the content of ``tournament.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.comparison import Comparison, PairComparison, compare
from survkit.comparison.comparable_metrics import DEFAULT_METRICS
from survkit.data import Cohort, Splits
from survkit.evaluation import Evaluation
from survkit.tournaments.corrected_pairs import (
    best_first,
    best_of,
    corrected_pairs,
    differences_to,
    shown_to_differ,
)
from survkit.tournaments.fair_choice import is_fair
from survkit.tournaments.not_told_apart import not_told_apart
from survkit.tournaments.preflight import Entrants
from survkit.tournaments.ranks import ranks
from survkit.tournaments.run_composition import Finished
from survkit.tournaments.settings import TournamentSettings
from survkit.tournaments.spent import parts_of, spent, tried_by_baseline
from survkit.tournaments.tournament_file import CHOSEN
from survkit.training.cross_validate import fold_names

FORMAT = 1
"""Version of ``tournament.json``. Keys may be added under one version, not renamed or removed."""

HEADLINE = DEFAULT_METRICS[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A tournament after its last training.

    Attributes:
        title: Of the tournament.
        cohort: Read with its outcome.
        splits: The outer division.
        place: Its folder.
        entrants: Who competed.
        finished: By name, what became of each.
        choices: By outer fold, which was chosen.
        chosen: Numbers of the chosen compositions' predictions.
        reference: Asked for; ``None`` for the best.
        settings: Of the tests and intervals.
    """

    title: str
    cohort: Cohort
    splits: Splits
    place: Path
    entrants: Entrants
    finished: Mapping[str, Finished]
    choices: Mapping[str, Any]
    chosen: Evaluation
    reference: str | None
    settings: TournamentSettings

    @property
    def names(self) -> list[str]:
        """Those that have numbers."""
        return [name for name, one in self.finished.items() if not one.reason]


def compare_all(ended: Ended) -> Comparison:
    """Compare every pair on the same subjects, as ``survkit compare`` does with the same runs."""
    settings = ended.settings
    return compare(
        {name: ended.place / name for name in ended.names},
        cause=settings.cause,
        permutations=settings.permutations,
        replicates=_resamples(settings.replicates),
        level=settings.level,
    )


def results(ended: Ended, compared: Comparison) -> dict[str, Any]:
    """Return everything that is computed; how long it took is kept apart."""
    headline = compared.metrics[HEADLINE]
    best = best_of(headline)
    reference = ended.reference if ended.reference in ended.names else best
    cause = str(compared.facts["cause"])
    different = shown_to_differ(headline, ended.settings.level)
    groups = not_told_apart(best_first(headline), different)
    return {
        "format": FORMAT,
        "title": ended.title,
        "cohort": ended.cohort.name,
        **{key: value for key, value in compared.facts.items() if key != "models"},
        "settings": _settings(ended)
        | {"reference_asked": ended.reference, "unit": compared.settings["unit"]},
        "metrics": {
            key: {"label": one.label, "best": one.best} for key, one in compared.metrics.items()
        },
        "compositions": _compositions(ended, cause, headline.best, groups),
        "left_out": dict(ended.entrants.left_out),
        "failed": {name: one.reason for name, one in ended.finished.items() if one.reason},
        "best": best,
        "reference": reference,
        "differences": {} if reference is None else differences_to(headline, reference),
        "pairs": {key: corrected_pairs(one) for key, one in compared.metrics.items()},
        "groups": [list(group) for group in groups],
        CHOSEN: _chosen(ended, cause, best),
    }


def _settings(ended: Ended) -> dict[str, Any]:
    settings = ended.settings
    return {
        "inner_folds": ended.entrants.inner_folds,
        "fair_choice": ended.entrants.inner_folds > 1
        or is_fair([one.recipe for one in ended.entrants.compositions]),
        "permutations": settings.permutations,
        "replicates": settings.replicates,
        "level": settings.level,
        "equal_budget": ended.entrants.equal_budget,
    }


def _compositions(
    ended: Ended, cause: str, best: str, groups: list[tuple[str, ...]]
) -> dict[str, Any]:
    metrics = {name: _metrics(ended.place / name, cause) for name in ended.names}
    ranked = _ranked(
        ended.splits, {name: one[HEADLINE]["folds"] for name, one in metrics.items()}, best
    )
    found = {}
    for one in ended.entrants.compositions:
        if one.name not in metrics:
            continue
        run, budget = ended.place / one.name, ended.entrants.budgets[one.name]
        total = None if budget is None else sum(budget[1:], budget[0]).to_json()
        tried = tried_by_baseline(ended.splits, run) if budget is None else budget[0].tried
        scores = [of["score"] for of in ended.finished[one.name].scores.values()]
        known = [score for score in scores if score is not None]
        found[one.name] = {
            "values": dict(one.values),
            "parts": parts_of(one.recipe),
            "modalities": list(one.recipe.modalities),
            "results": {key: metrics[one.name][key]["pooled"] for key in DEFAULT_METRICS},
            "rank": ranked[one.name],
            "groups": [number for number, group in enumerate(groups) if one.name in group],
            "inner_score": sum(known) / len(known) if known else None,
            "chosen_in": sum(c["chosen"] == one.name for c in ended.choices.values()),
            "tried": tried,
            "budget": total,
            "spent": spent(one, ended.cohort, ended.splits, run),
        }
    return found


def _ranked(
    splits: Splits, found: Mapping[str, Sequence[Mapping[str, Any]]], best: str
) -> dict[str, dict[str, Any]]:
    """Return the ranks by composition, those of the single folds by the name of the fold."""
    ranked, left_out = ranks(found, best=best)
    named = dict(
        zip([(fold.repeat, fold.fold) for fold in splits.folds], fold_names(splits), strict=True)
    )
    folds = [named[item["repeat"], item["fold"]] for item in next(iter(found.values()))]
    return {
        name: {
            **one,
            "ranks": dict(zip(folds, one["ranks"], strict=True)),
            "folds_left_out": left_out,
        }
        for name, one in ranked.items()
    }


def _metrics(run: Path, cause: str) -> dict[str, Any]:
    content = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = content["causes"][cause]["metrics"]
    return found


def _chosen(ended: Ended, cause: str, best: str | None) -> dict[str, Any]:
    """Return the numbers of the procedure, and how much too good the best of the table looks."""
    metrics = ended.chosen.causes[cause].metrics
    asked = ended.reference if ended.reference in ended.names else None
    optimism = None if best is None else _pair(ended, cause, best, CHOSEN).difference.to_json()
    against = None if asked is None else _pair(ended, cause, CHOSEN, asked)
    return {
        "results": {key: metrics[key].pooled.to_json() for key in DEFAULT_METRICS},
        "folds": dict(ended.choices),
        "best_minus_chosen": optimism,
        "against_reference": None
        if against is None
        else {
            "difference": against.difference.to_json(),
            "permutation": against.permutation.to_json(),
        },
    }


def _pair(ended: Ended, cause: str, first: str, second: str) -> PairComparison:
    """Compare two by the headline alone; one of them is the chosen, who is no composition."""
    found = compare(
        {name: ended.place / name for name in (first, second)},
        metric=HEADLINE,
        cause=cause,
        permutations=ended.settings.permutations,
        replicates=_resamples(ended.settings.replicates),
        level=ended.settings.level,
    )
    return found.metrics[HEADLINE].pair(first, second)


def _resamples(replicates: int) -> int:
    """Return how many resamples give an interval: none where there is but one, without spread."""
    return 0 if replicates < 2 else replicates
