"""The best fold, seed or epoch instead of what was to be expected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean, median

import numpy as np

from survkit.auditing.claims import DIMENSIONS, Claim
from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.scoring import concordance

NAME = "best-of-many"
FEWEST = 3
LOWER_IS_BETTER = ("brier", "integrated_brier")


def _check(evidence: Evidence) -> Answer:
    claims = evidence.claims
    if not claims:
        return NotChecked("no reported numbers are given (--metrics)")
    findings = []
    for headline in [one for one in claims if not one.of and math.isfinite(one.value)]:
        accused = [*_among_claims(headline, claims), *_among_folds(headline, evidence)]
        findings += accused[:1]
    return findings


def _among_claims(headline: Claim, claims: Sequence[Claim]) -> Iterator[Finding]:
    for dimension in DIMENSIONS:
        values = [
            one.value
            for one in claims
            if one.metric == headline.metric
            and one.cause == headline.cause
            and set(one.of) == {dimension}
            and math.isfinite(one.value)
        ]
        ordinary = [fmean(values), median(values)] if values else []
        if dimension == "epoch":
            ordinary += values[-1:]
        yield from _judged(headline, values, ordinary, f"{dimension}s", "as reported")


def _among_folds(headline: Claim, evidence: Evidence) -> Iterator[Finding]:
    """Compare a concordance with those of the table's own folds and repeats."""
    table = evidence.table
    cause = headline.cause or table.causes[0]
    if headline.kind != "harrell" or cause not in table.causes:
        return
    scored = table.reported
    whole = [concordance(table, scored, cause, pooled=pooled) for pooled in (False, True)]
    ordinary = [found.value for found in whole if found is not None]
    folds = []
    for key in dict.fromkeys(zip(table.repeat, table.fold, strict=True)):
        rows = scored & (table.repeat == key[0]) & (table.fold == key[1])
        folds.append(concordance(table, rows, cause))
    repeats = [
        concordance(table, scored & (table.repeat == name), cause)
        for name in dict.fromkeys(table.repeat)
    ]
    for what, found in (("folds", folds), ("repeats", repeats)):
        values = [one.value for one in found if one is not None]
        means = [fmean(values), median(values)] if values else []
        yield from _judged(headline, values, ordinary + means, what, "computed from the table")


def _judged(
    headline: Claim, values: Sequence[float], ordinary: Sequence[float], what: str, where: str
) -> Iterator[Finding]:
    if len(values) < FEWEST:
        return
    lowest = headline.kind in LOWER_IS_BETTER
    best = min(values) if lowest else max(values)
    spread = float(np.ptp(values))
    if not headline.equals(best) or any(headline.equals(value) for value in ordinary):
        return
    yield Finding(
        rule=NAME,
        severity="error",
        message=f"the reported {headline.metric} is that of the best of {len(values)} {what}",
        evidence=(
            f"reported {headline.value:g}; {what} {where}: best {best:.4f}, "
            f"mean {fmean(values):.4f}, range {spread:.4f}"
        ),
        cure=f"report the mean over all {what}, or the pooled value, with its interval",
    )


RULE = Rule(
    name=NAME,
    asks="Is a reported number the best of folds, seeds or epochs instead of their mean?",
    guard=(
        "it must equal the best of three or more to its own decimals, and neither their mean, "
        "median, pooled value nor (of epochs) the last"
    ),
    source='HECKTOR-2025 baseline ("best fold"); pycox #55 (seeds move C by 0.1)',
    check=_check,
)
