"""The metrics of an evaluation in their order, with the words that tables and reports use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["discrimination", "overall", "calibration"]
"""Who fails first; distance of the probabilities from what happened; are they right on average."""

GROUPS: tuple[Group, ...] = ("discrimination", "overall", "calibration")


@dataclass(frozen=True, slots=True)
class MetricName:
    """How a metric is spoken of.

    Attributes:
        key: Its name in ``metrics.json``.
        label: Its name in tables.
        best: Which value is best.
        chance: The value of a model that knows nothing, where there is one.
        meaning: One or two sentences for a reader who has not met it.
        group: What kind of question it answers.
    """

    key: str
    label: str
    best: Literal["highest", "lowest", "one"]
    chance: float | None
    meaning: str
    group: Group


ALL_PAIRS = "_all_pairs"
"""How the keys end of metrics with pairs across folds; of a fold alone they say nothing more."""
HARRELL = "harrell_concordance_within_folds"
ANTOLINI = "antolini_concordance_within_folds"
HARRELL_ALL = "harrell_concordance_all_pairs"
ANTOLINI_ALL = "antolini_concordance_all_pairs"
UNO = "uno_concordance_within_folds"
DYNAMIC_AUC = "dynamic_auc"
MEAN_DYNAMIC_AUC = "mean_dynamic_auc"
BRIER = "brier_score"
INTEGRATED_BRIER = "integrated_brier_score"
SCALED_BRIER = "scaled_brier_score"
INTEGRATED_SCALED_BRIER = "integrated_scaled_brier_score"
OBSERVED_EXPECTED = "observed_expected_ratio"
ICI = "ici"
E50 = "e50"
E90 = "e90"
INCIDENCE_CALIBRATION = "incidence_calibration"

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
        "discrimination",
    ),
    MetricName(
        ANTOLINI,
        "Antolini's C-td, pairs within folds",
        "highest",
        0.5,
        "The same question asked of the predicted probability at the moment of the earlier event, "
        "so that curves may cross; pairs within folds.",
        "discrimination",
    ),
    MetricName(
        UNO,
        "Uno's concordance, pairs within folds",
        "highest",
        0.5,
        "Harrell's concordance of events by the horizon, freed from who happened to be censored: "
        "each pair is weighted by inverse probability of censoring, estimated on the training "
        "subjects of its fold.",
        "discrimination",
    ),
    MetricName(
        DYNAMIC_AUC,
        "Cumulative/dynamic AUC at the horizon",
        "highest",
        0.5,
        "The probability that a subject with the event by the horizon had a higher prediction than "
        "one who was event-free after it, pairs within folds, weighted by inverse probability of "
        "censoring.",
        "discrimination",
    ),
    MetricName(
        MEAN_DYNAMIC_AUC,
        "Mean cumulative/dynamic AUC",
        "highest",
        0.5,
        "The cumulative/dynamic AUC averaged over the times up to the horizon, each weighted by "
        "how many events fall between it and the time before.",
        "discrimination",
    ),
    MetricName(
        HARRELL_ALL,
        "Harrell's concordance, all pairs",
        "highest",
        0.5,
        "As within folds, but with pairs across folds, whose scores come from different models; "
        "a large difference from the value within folds says that scores drift between folds.",
        "discrimination",
    ),
    MetricName(
        ANTOLINI_ALL,
        "Antolini's C-td, all pairs",
        "highest",
        0.5,
        "Antolini's C-td with pairs across folds, as probabilities share a scale. Its interval "
        "does not know that each fold has a model of its own, so it is too narrow in small "
        "cohorts.",
        "discrimination",
    ),
    MetricName(
        BRIER,
        "Brier score at the horizon",
        "lowest",
        None,
        "Mean squared difference between the predicted probability of the event by the horizon and "
        "what happened; subjects censored earlier are made up for by inverse probability of "
        "censoring, estimated on each fold's training subjects.",
        "overall",
    ),
    MetricName(
        INTEGRATED_BRIER,
        "Integrated Brier score",
        "lowest",
        None,
        "The Brier score averaged over the times up to the horizon.",
        "overall",
    ),
    MetricName(
        SCALED_BRIER,
        "Scaled Brier score at the horizon",
        "highest",
        0.0,
        "By how much the Brier score is better than that of predicting the curve of each fold's "
        "training subjects (Kaplan–Meier or Aalen–Johansen) for everybody: 1 is perfect, 0 no "
        "better than that curve, below 0 worse.",
        "overall",
    ),
    MetricName(
        INTEGRATED_SCALED_BRIER,
        "Integrated scaled Brier score",
        "highest",
        0.0,
        "The same of the integrated Brier score: both scores are averaged over time before they "
        "are divided.",
        "overall",
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
        "calibration",
    ),
    MetricName(
        ICI,
        "ICI: mean calibration error at the horizon",
        "lowest",
        None,
        "Integrated calibration index: the mean distance between each predicted probability and a "
        "smooth curve of what was observed. It is above 0 even for perfect predictions.",
        "calibration",
    ),
    MetricName(
        E50,
        "E50: median calibration error",
        "lowest",
        None,
        "The median of the same distances.",
        "calibration",
    ),
    MetricName(
        E90,
        "E90: 0.9 quantile of the calibration error",
        "lowest",
        None,
        "Nine of ten subjects have a smaller distance than this.",
        "calibration",
    ),
    MetricName(
        INCIDENCE_CALIBRATION,
        "Incidence calibration until the horizon",
        "lowest",
        None,
        "Mean squared difference, over the time up to the horizon, between the mean predicted "
        "curve and the observed one (Kaplan–Meier calibration, or Aalen–Johansen with competing "
        "causes). 0 is calibrated on average at every time.",
        "calibration",
    ),
)
"""The first is the headline."""
