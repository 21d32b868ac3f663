"""What one seed gives, under the names of the table and of the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from survkit.findings import Curve, ExperimentFigure, Findings, Measure
from survkit_radvit.shallow import reference as named
from survkit_radvit.shallow.study_design import Studied

_THRESHOLD = "threshold c (a token is kept if its importance is at least c times even attention)"
_BAND = "Lines: mean over the seeds; bands: from the lowest to the highest of them."

FIGURES = (
    ExperimentFigure(
        name="attention-mass",
        title="Attention on the relevant tokens",
        x_label="epoch",
        y_label="share of the attention",
        caption="Attention on relevant tokens of the validation subjects, before training (epoch "
        f"0) and after every epoch of the training on all tokens. {_BAND}",
    ),
    ExperimentFigure(
        name="concordance",
        title="Concordance against the threshold",
        x_label="threshold c",
        y_label="Harrell's concordance",
        caption=f"Test subjects; c: {_THRESHOLD}. Pruned: the model trained on all tokens sees the "
        f"kept ones alone; retrained: a new model is trained on those. {_BAND}",
    ),
    ExperimentFigure(
        name="kept",
        title="Tokens kept against the threshold",
        x_label="threshold c",
        y_label="share",
        caption=f"Tokens of the test subjects; c: {_THRESHOLD}. Precision: share of the kept that "
        f"are relevant; recall: share of the relevant that are kept. {_BAND}",
    ),
)


def findings(
    studied: Studied, thresholds: Sequence[float], expected: Mapping[str, named.Range]
) -> Findings:
    """Return the measures, each with what to expect of it, and the curves."""
    measures = (
        Measure(name, value, expected.get(name)) for name, value in _values(studied, thresholds)
    )
    return Findings(tuple(measures), tuple(_curves(studied, tuple(thresholds))))


def _values(studied: Studied, thresholds: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Yield what is measured, by name."""
    yield named.ORACLE, studied.oracle
    yield named.ALL, studied.concordance
    yield named.AUROC, studied.auroc
    yield named.MASS, studied.mass
    yield named.EVEN, studied.even
    for threshold, pruned in zip(thresholds, studied.pruned, strict=True):
        agreement = pruned.agreement
        for what, value in (
            (named.KEPT, agreement.share),
            (named.PRECISION, agreement.precision),
            (named.RECALL, agreement.recall),
            (named.JACCARD, agreement.jaccard),
            (named.PRUNED, pruned.pruned),
            (named.GAIN, pruned.pruned - studied.concordance),
            (named.RETRAINED, pruned.retrained),
        ):
            yield named.at(threshold, what), value


def _curves(studied: Studied, thresholds: tuple[float, ...]) -> Iterator[Curve]:
    mass = studied.trained.mass
    epochs = tuple(map(float, range(len(mass))))
    yield Curve("attention-mass", "on relevant tokens", epochs, mass)
    yield Curve("attention-mass", "were attention even", epochs, (studied.even,) * len(mass))
    count, after = len(thresholds), studied.pruned
    for label, values in (
        ("pruned", [each.pruned for each in after]),
        ("pruned and retrained", [each.retrained for each in after]),
        ("all tokens", [studied.concordance] * count),
        ("true log hazard", [studied.oracle] * count),
    ):
        yield Curve("concordance", label, thresholds, tuple(values))
    for label, values in (
        ("kept", [each.agreement.share for each in after]),
        ("precision", [each.agreement.precision for each in after]),
        ("recall", [each.agreement.recall for each in after]),
    ):
        yield Curve("kept", label, thresholds, tuple(values))
