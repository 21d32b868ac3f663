"""A split by site has no site on both sides."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some
from survkit.auditing.rules.subject_overlap import UNKNOWN_TRAINING

NAME = "site-overlap"


def _check(evidence: Evidence) -> Answer:
    if not evidence.site_splits:
        return NotChecked("the split is not said to be by site (--site-splits says so)")
    if not evidence.folds:
        return NotChecked(UNKNOWN_TRAINING)
    site = _sites(evidence)
    if not site:
        return NotChecked("the site of the subjects is not known: the table has no column site")
    wrong = []
    for division in evidence.folds:
        trained = {site[name] for name in division.train if name in site}
        tested = {site[name] for name in division.test if name in site}
        if both := sorted(trained & tested):
            wrong.append(f"{division.name}: {some(both)}")
    if not wrong:
        return []
    return [
        Finding(
            rule=NAME,
            severity="error",
            message="a split that is said to be by site has sites in training and in test",
            evidence="; ".join(wrong[:3]) + f" ({len(wrong)} of {len(evidence.folds)} folds)",
            cure="make the splits with `survkit cohort split --by-site`, or claim no new sites",
        )
    ]


def _sites(evidence: Evidence) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in (evidence.training, evidence.table):
        if table is not None and table.site is not None:
            found |= dict(zip(table.subject, table.site, strict=True))
    if evidence.cohort is not None and evidence.cohort.site is not None:
        found |= dict(zip(evidence.cohort.subjects, evidence.cohort.site, strict=True))
    return {name: site for name, site in found.items() if site}


RULE = Rule(
    name=NAME,
    asks="Where the split is by site, is a site in training and in test?",
    guard="asked only where the splits file or the user says that the split is by site",
    source="Howard et al. (2021), site signatures; PANTHER #36",
    check=_check,
)
