"""The metrics of an evaluation in their order, with the words that tables and reports use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MetricName:
    """How a metric is spoken of.

    Attributes:
        key: Its name in ``metrics.json``.
        label: Its name in tables.
        best: Which value is best.
        chance: The value of a model that knows nothing, where there is one.
        meaning: One or two sentences for a reader who has not met it.
    """

    key: str
    label: str
    best: Literal["highest", "lowest", "one"]
    chance: float | None
    meaning: str


HARRELL = "harrell_concordance_within_folds"
ANTOLINI = "antolini_concordance_all_pairs"
BRIER = "brier_score"
INTEGRATED_BRIER = "integrated_brier_score"
OBSERVED_EXPECTED = "observed_expected_ratio"

METRICS = (
    MetricName(
        HARRELL,
        "Harrell's concordance, pairs within folds",
        "highest",
        0.5,
        "Among pairs of subjects of whom it is known who had the event first, the share in which "
        "that subject had the higher risk score; equal scores count half. Who had another cause "
        "first counts as censored then. Pairs are formed within "
        "folds, because risk scores of different folds come from different models and need not "
        "share a scale; concordant pairs of all folds are divided by comparable pairs of all "
        "folds.",
    ),
    MetricName(
        "antolini_concordance_within_folds",
        "Antolini's C-td, pairs within folds",
        "highest",
        0.5,
        "The same question asked of the predicted probability at the moment of the earlier event, "
        "so that curves may cross; pairs within folds.",
    ),
    MetricName(
        "harrell_concordance_all_pairs",
        "Harrell's concordance, all pairs",
        "highest",
        0.5,
        "As within folds, but with pairs across folds, whose scores come from different models; "
        "a large difference from the value within folds says that scores drift between folds.",
    ),
    MetricName(
        ANTOLINI,
        "Antolini's C-td, all pairs",
        "highest",
        0.5,
        "Antolini's C-td with pairs across folds, as probabilities share a scale. Its interval "
        "does not know that each fold has a model of its own, so it is too narrow in small "
        "cohorts.",
    ),
    MetricName(
        BRIER,
        "Brier score at the horizon",
        "lowest",
        None,
        "Mean squared difference between the predicted probability of the event by the horizon and "
        "what happened; subjects censored earlier are made up for by inverse probability of "
        "censoring, estimated on each fold's training subjects.",
    ),
    MetricName(
        INTEGRATED_BRIER,
        "Integrated Brier score",
        "lowest",
        None,
        "The Brier score averaged over the times up to the horizon.",
    ),
    MetricName(
        OBSERVED_EXPECTED,
        "Observed / expected at the horizon",
        "one",
        1.0,
        "The observed probability of the event by the horizon (Kaplan–Meier, or Aalen–Johansen "
        "with competing causes) divided by the mean predicted one. Above 1 the model expects too "
        "few events, below 1 too many. Each model was fitted to a part of the same cohort, so a "
        "value near 1 is expected here and says little about another hospital.",
    ),
)
"""The first is the headline."""
