"""The same person under two names: what was observed and measured is equal to the last digit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some

NAME = "twin-subjects"
COINCIDENCES = 0.01
"""More pairs than this expected by chance, and equal rows prove nothing."""
FEWEST_STEMS, EQUAL_STEMS = 5, 0.9
_SUFFIX = re.compile(
    r"(?:[_\-. ](?:ct|pet|mr|scan|series|img|image|visit|v|s|r)?[_\-]?\d{1,2}|[_\-. ](?:l|r|left|"
    r"right|a|b|pre|post|ct|pet|mr)|\.(?:nii|gz|nrrd|dcm|png|jpg))+$",
    re.IGNORECASE,
)

Pair = tuple[str, str]


def _check(evidence: Evidence) -> Answer:
    if len(set(evidence.table.subject)) < 2:
        return NotChecked("there is one subject")
    pairs, equal = _equal_rows(evidence)
    findings = []
    if pairs:
        findings.append(_finding(evidence, pairs, f"the same {equal}"))
    stems = _equal_stems(evidence)
    if stems:
        findings.append(_finding(evidence, stems, "names with a common stem and equal outcomes"))
    return findings


def _finding(evidence: Evidence, pairs: Sequence[Pair], why: str) -> Finding:
    apart = [pair for pair in pairs if _parted(evidence, pair)]
    shown = some([f"{a} = {b}" for a, b in (apart or pairs)])
    where = f"; {len(apart)} of these pairs are in training and test of a fold"
    return Finding(
        rule=NAME,
        severity="warning" if apart or not evidence.folds else "note",
        message=f"{len(pairs)} pairs of subjects look like the same person ({why})",
        evidence=shown + (where if evidence.folds else ""),
        cure="give all series of a person one subject identifier, and split again",
    )


def _parted(evidence: Evidence, pair: Pair) -> bool:
    first, second = pair
    return any(
        (first in one.train and second in one.test) or (second in one.train and first in one.test)
        for one in evidence.folds
    )


def _equal_rows(evidence: Evidence) -> tuple[list[Pair], str]:
    """Return pairs of subjects with equal rows, where chance would give none."""
    features, table = evidence.features, evidence.table
    outcomes = evidence.outcomes()
    rows: dict[str, tuple[object, ...]] = {}
    if features is not None:
        columns = [*features.numeric.values(), *features.categorical.values()]
        for row, name in enumerate(features.subject):
            if name in outcomes:
                rows[name] = (*outcomes[name], *(repr(column[row]) for column in columns))
    else:
        for place in np.flatnonzero(table.usable & table.reported).tolist():
            name = table.subject[place]
            scores = tuple(repr(values[place]) for values in table.risk.values())
            fold = (table.repeat[place], table.fold[place])
            rows.setdefault(name, (*outcomes[name], fold, *scores))
    groups: dict[tuple[object, ...], list[str]] = {}
    for name, cells in rows.items():
        groups.setdefault(cells, []).append(name)
    pairs = [pair for names in groups.values() for pair in combinations(names, 2)]
    if not pairs or _expected(list(groups)) > COINCIDENCES:
        return [], ""
    return pairs, "outcome and features" if features is not None else "outcome and risk score"


def _expected(rows: Sequence[tuple[object, ...]]) -> float:
    """Pairs expected to be equal by chance among different rows, columns taken as independent.

    Only the outcome and the four most telling columns count: correlated columns add nothing.
    """
    n = len(rows)
    if n < 3:
        return float("inf")
    shares = []
    for column in zip(*rows, strict=True):
        equal = sum(count * (count - 1) for count in Counter(column).values())
        shares.append(max(equal, 1) / (n * (n - 1)))
    telling = shares[:2] + sorted(shares[2:])[:4]
    return float(n * (n - 1) / 2 * np.prod(telling))


def _equal_stems(evidence: Evidence) -> list[Pair]:
    """Return pairs whose names differ in a suffix only, where such pairs share their outcome."""
    outcomes = evidence.outcomes()
    stems: dict[str, list[str]] = {}
    for name in outcomes:
        stems.setdefault(_SUFFIX.sub("", name).strip().lower(), []).append(name)
    several = [names for names in stems.values() if len(names) > 1]
    equal = [names for names in several if len({outcomes[name] for name in names}) == 1]
    distinct = len(set(outcomes.values())) / max(len(outcomes), 1)
    if len(equal) < FEWEST_STEMS or len(equal) < EQUAL_STEMS * len(several) or distinct < 0.1:
        return []
    return [pair for names in equal for pair in combinations(names, 2)]


RULE = Rule(
    name=NAME,
    asks="Is the same person there under two names?",
    guard=(
        "equal rows count only where chance would give none (fewer than 0.01 pairs expected from "
        "the columns' ties); names with a common stem only if nine in ten such groups share their "
        "outcome"
    ),
    source="several scans or lesions per patient under identifiers of their own",
    check=_check,
)
