"""Puts runs of ``survkit cv`` beside a ridge Cox model in the same folds.

    python examples/compare_with_ridge.py RUN --cohort examples/hancock/cohort.yaml --data FOLDER

With several runs, each of another division (``--seed``), the mean difference over all their folds
has the interval of the corrected t-test, which knows that divisions of one cohort overlap (Nadeau
and Bengio 2003; Bouckaert and Frank 2004).

The ridge model is scikit-survival's (GPL-3, so it is a tool of this example and of tests, never of
survkit itself). It gets the same columns of the same subjects: numbers as they are, names as one
0/1 column per level; missing values become the training median with a 0/1 column that says so;
everything is standardised. All of that, and the penalty, comes from the training part of each fold:
the penalty is the one of highest concordance in an inner cross-validation of that part. With
competing causes there is one model per cause, the others being censored.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from survkit.comparison import corrected_resampled_t
from survkit.data import Cohort, Splits, read_modality
from survkit.evaluation import Predictions
from survkit.metrics import Bootstrap, Undefined, bootstrap_replicates, harrell_statistic
from survkit.recipe import Recipe

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
ALPHAS = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
INNER_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Compared:
    """One number of both models: all pairs within folds, over the whole follow-up.

    Attributes:
        cause: The cause of the event.
        survkit: Concordance and its interval.
        ridge: The same.
        difference: survkit minus ridge, with the interval of the paired bootstrap.
        by_fold: The difference in every fold.
    """

    cause: str
    survkit: tuple[float, float, float]
    ridge: tuple[float, float, float]
    difference: tuple[float, float, float]
    by_fold: tuple[float, ...]


def columns(cohort: Cohort, modalities: Sequence[str], train: Rows) -> Floats:
    """Return (subject, column) for everybody, NaN where missing; levels are those of training."""
    everyone = np.arange(len(cohort))
    blocks = []
    for name in modalities:
        spec = cohort.input_spec(name, train)
        read = read_modality(cohort, name, everyone, spec)
        values = read.values.double().numpy()
        values[~read.present.numpy()] = np.nan
        if spec.kind == "vector":
            blocks.append(values)
            continue
        for place, column in enumerate(spec.columns):
            one = values[:, place : place + 1]
            if column.levels is not None:
                seen = np.arange(len(column.levels))
                one = np.where(np.isnan(one), np.nan, one == seen)
            blocks.append(one)
    return np.concatenate(blocks, axis=1)


def prepare(raw: Floats, train: Rows) -> Floats:
    """Impute, add missing indicators (each once), standardise: estimated on the training rows."""
    absent = np.isnan(raw)
    indicators = np.unique(absent.astype(float), axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column that training never has
        median = np.nan_to_num(np.nanmedian(raw[train], axis=0))
    filled = np.concatenate([np.where(absent, median, raw), indicators], axis=1)
    spread = filled[train].std(axis=0)
    kept = spread > 1e-9
    scaled: Floats = (filled[:, kept] - filled[train][:, kept].mean(axis=0)) / spread[kept]
    return scaled


def fold_scores(
    features: Floats, durations: Floats, events: NDArray[np.bool_], train: Rows, test: Rows
) -> tuple[Floats, float]:
    """Return the log hazards of the test rows and the penalty chosen inside the training rows."""
    inner = np.empty(len(train), dtype=np.int64)
    random = np.random.default_rng(0)
    for group in (events[train], ~events[train]):  # events spread evenly over the inner folds
        places = random.permutation(np.flatnonzero(group))
        inner[places] = np.arange(len(places)) % INNER_FOLDS
    scores = {alpha: np.empty(len(train)) for alpha in ALPHAS}
    for number in range(INNER_FOLDS):
        fitted, left = train[inner != number], train[inner == number]
        found = ridge(features, durations, events, fitted, left, ALPHAS)
        for alpha in ALPHAS:
            scores[alpha][inner == number] = found[alpha]
    folds = torch.from_numpy(inner)
    value = {
        alpha: concordance(scores[alpha], durations[train], events[train], folds).estimate().value
        for alpha in ALPHAS
    }
    best = max(ALPHAS, key=lambda alpha: value[alpha])
    return ridge(features, durations, events, train, test, (best,))[best], best


def ridge(
    features: Floats,
    durations: Floats,
    events: NDArray[np.bool_],
    train: Rows,
    test: Rows,
    alphas: Sequence[float],
) -> dict[float, Floats]:
    """Return the log hazards of the test rows by penalty.

    The ridge solution lies in the span of the training rows, so with more columns than subjects the
    model is fitted on coordinates in that span: the same solution, sooner.
    """
    center = features[train].mean(axis=0)
    _, singular, axes = np.linalg.svd(features[train] - center, full_matrices=False)
    turned = (features - center) @ axes[singular > 1e-9 * singular[0]].T
    outcome = Surv.from_arrays(events[train], durations[train])
    found = {}
    for alpha in alphas:
        model = CoxPHSurvivalAnalysis(alpha=alpha, n_iter=200).fit(turned[train], outcome)
        found[alpha] = np.asarray(model.predict(turned[test]), dtype=np.float64)
    return found


def concordance(
    score: Floats, durations: Floats, events: NDArray[Any], folds: torch.Tensor, cause: int = 1
) -> Any:
    """Return Harrell's concordance of pairs within folds as a statistic that can be resampled."""
    from survkit.flow import SurvivalTarget

    target = SurvivalTarget(
        torch.from_numpy(durations), torch.from_numpy(events.astype(np.int64)), strata=folds
    )
    return harrell_statistic(torch.from_numpy(np.ascontiguousarray(score)), target, cause=cause)


def ridge_scores(
    cohort: Cohort, splits: Splits, modalities: Sequence[str], table: Predictions
) -> tuple[Floats, list[list[float]]]:
    """Return out-of-fold log hazards (row of the table, cause), and the penalties by fold."""
    target = cohort.target(range(len(cohort)))
    durations, codes = target.duration.numpy(), target.event.numpy()
    place = {
        (str(s), int(r)): k
        for k, (s, r) in enumerate(zip(table.subject, table.repeat, strict=True))
    }
    scores = np.full((len(table), len(cohort.causes)), np.nan)
    chosen = []
    for fold in splits.folds:
        rows = splits.rows(fold, cohort.subjects)
        train, test = torch.cat([rows.train, rows.validation]).numpy(), rows.test.numpy()
        features = prepare(columns(cohort, modalities, train), train)
        at = [place[cohort.subjects[row], fold.repeat] for row in test]
        penalties = []
        for cause in range(1, len(cohort.causes) + 1):
            found, alpha = fold_scores(features, durations, codes == cause, train, test)
            scores[at, cause - 1] = found
            penalties.append(alpha)
        chosen.append(penalties)
    return scores, chosen


def compare(table: Predictions, ridge_score: Floats, replicates: int) -> list[Compared]:
    """Return both concordances of every cause and their paired difference.

    Raises:
        SystemExit: A concordance is undefined, or the run has repeats.
    """
    if len(table.repeats) > 1:
        raise SystemExit("give a run without --repeats: intervals here are of one division")
    folds, found = torch.from_numpy(table.fold), []
    bootstrap = Bootstrap(replicates=replicates)
    for cause, name in enumerate(table.causes, start=1):
        pairs = []
        for score in (table.risk_score[:, cause - 1], ridge_score[:, cause - 1]):
            statistic = concordance(score, table.duration, table.event, folds, cause)
            value = statistic.estimate()
            if isinstance(value, Undefined):
                raise SystemExit(f"{name}: {value.reason}")
            pairs.append((value.value, bootstrap_replicates(statistic, bootstrap)))
        (own, own_draws), (other, other_draws) = pairs
        found.append(
            Compared(
                name,
                (own, *limits(own_draws)),
                (other, *limits(other_draws)),
                (own - other, *limits(own_draws - other_draws)),
                fold_differences(table, ridge_score, cause),
            )
        )
    return found


def fold_differences(table: Predictions, ridge_score: Floats, cause: int) -> tuple[float, ...]:
    """Return survkit minus ridge in every fold.

    Raises:
        SystemExit: A fold has no comparable pair.
    """
    found = []
    for fold in np.unique(table.fold):
        rows = np.flatnonzero(table.fold == fold)
        one = torch.zeros(len(rows), dtype=torch.int64)
        values = [
            concordance(
                score[rows, cause - 1], table.duration[rows], table.event[rows], one, cause
            ).estimate()
            for score in (table.risk_score, ridge_score)
        ]
        if any(isinstance(value, Undefined) for value in values):
            raise SystemExit(f"fold {fold}: {values[0].reason}")
        found.append(values[0].value - values[1].value)
    return tuple(found)


def mean_difference(divisions: Sequence[Compared]) -> tuple[float, float, float]:
    """Return the mean difference over the folds of all divisions, with its corrected interval.

    Raises:
        SystemExit: The differences do not vary.
    """
    folds = len(divisions[0].by_fold)
    differences = [value for one in divisions for value in one.by_fold]
    test = corrected_resampled_t(differences, test_over_train=1 / (folds - 1))
    if isinstance(test, Undefined):
        raise SystemExit(test.reason)
    reach = float(stdtrit(test.degrees_of_freedom, 0.975)) * test.standard_error
    return test.difference, test.difference - reach, test.difference + reach


def limits(draws: torch.Tensor) -> tuple[float, float]:
    """Return the 95 % percentile interval."""
    lower, upper = torch.nanquantile(draws, draws.new_tensor([0.025, 0.975])).tolist()
    return lower, upper


def compare_run(
    run: Path, cohort_file: Path, data: Path, *, replicates: int = 1000
) -> tuple[list[Compared], list[list[float]]]:
    """Read a run of ``survkit cv`` and fit the ridge model in its folds."""
    cohort = Cohort.read(cohort_file, data_folder=data)
    table = Predictions.read(run / "predictions.parquet")
    splits = Splits.read(run / "splits.json", subjects=cohort.subjects)
    if splits.sha256 != table.splits_hash:
        raise SystemExit(f"{run}: the predictions were made with another division of the cohort")
    modalities = list(Recipe.read(run / "recipe.yaml").encoders)
    scores, chosen = ridge_scores(cohort, splits, modalities, table)
    return compare(table, scores, replicates), chosen


def main() -> None:
    """Read the arguments, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("run", type=Path, nargs="+", help="folder of a finished survkit cv")
    parser.add_argument("--cohort", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--replicates", type=int, default=1000)
    given = parser.parse_args()
    print("Harrell's concordance, pairs within folds, whole follow-up (95 % bootstrap interval)")
    divisions = []
    for run in given.run:
        found, chosen = compare_run(run, given.cohort, given.data, replicates=given.replicates)
        divisions.append(found)
        if len(given.run) > 1:
            print(run)
        for one in found:
            for label, numbers in (("survkit", one.survkit), ("ridge Cox", one.ridge)):
                print(f"{one.cause:12s} {label:12s} {'{:.3f} ({:.3f} to {:.3f})'.format(*numbers)}")
            shown = "{:+.3f} ({:+.3f} to {:+.3f})".format(*one.difference)
            print(f"{one.cause:12s} {'difference':12s} {shown}", flush=True)
        print(f"penalties chosen in the training parts, by fold and cause: {json.dumps(chosen)}")
    if len(divisions) > 1:
        for of_cause in zip(*divisions, strict=True):
            shown = "{:+.3f} ({:+.3f} to {:+.3f})".format(*mean_difference(of_cause))
            print(f"{of_cause[0].cause:12s} mean over the folds of {len(divisions)} runs {shown}")


if __name__ == "__main__":
    main()
