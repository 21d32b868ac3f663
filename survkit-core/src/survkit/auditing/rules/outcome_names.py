"""Columns whose names say that they are known only after baseline."""

from __future__ import annotations

import re

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, Severity, some

NAME = "outcome-names"
OUTCOME = re.compile(
    r"death|(^|_)(dead|died|dod|alive)(_|$)|deceas|mortal|surviv|recurren|(^|_)recur(_|$)|relaps"
    r"|(tumou?r|disease)_progress|progression_free|disease_free|follow_?up|vital_?stat|censor"
    r"|(days|months|years|weeks|time)_(to|until)_|last_contact|last_seen|"
    r"(^|_)(os|pfs|rfs|dfs|efs|dss|ttp)(_|$)|outcome|salvage|unplanned"
    r"|^post_?(rt|radiotherapy|chemo|chemotherapy|ccrt|treatment|therapy)_",
    re.IGNORECASE,
)
LATER = re.compile(
    r"(^|_)(stop|end|final|last|subsequent|response|toxicity|complication|discharge)(_|$)"
    r"|^post(?!_?(menopaus|operative))",
    re.IGNORECASE,
)
HARMLESS = re.compile(r"family_history|history_of|previous_|prior_|(^|_)primar", re.IGNORECASE)


def _check(evidence: Evidence) -> Answer:
    names = _names(evidence)
    if not names:
        return NotChecked("the columns that the model saw are not known (--features or --cohort)")
    findings = []
    told = [name for name in names if OUTCOME.search(_bare(name)) and not _harmless(name)]
    later = [n for n in names if n not in told and LATER.search(_bare(n)) and not _harmless(n)]
    levels: tuple[tuple[Severity, list[str], str], ...] = (
        ("warning", told, "the outcome, or something that is known only with it"),
        ("note", later, "something measured after baseline"),
    )
    for severity, columns, what in levels:
        if columns:
            findings.append(
                Finding(
                    rule=NAME,
                    severity=severity,
                    message=f"{len(columns)} columns are named like {what}",
                    evidence=some(columns, 12),
                    cure="leave out what is not known at time 0, when the prediction is made",
                )
            )
    return findings


def _names(evidence: Evidence) -> list[str]:
    if evidence.features is not None:
        return list(evidence.features.names)
    if evidence.run is None or not evidence.run.folds:
        return []
    inputs = evidence.run.folds[0].config.get("inputs", {})
    return [f"{m}.{c['name']}" for m, one in inputs.items() for c in one.get("columns", ())]


def _bare(name: str) -> str:
    """Return the column without its modality, words joined by underscores."""
    return re.sub(r"[^0-9A-Za-z]+", "_", name.rpartition(".")[2])


def _harmless(name: str) -> bool:
    return bool(HARMLESS.search(_bare(name)))


RULE = Rule(
    name=NAME,
    asks="Is a column named like an outcome, or like something measured after baseline?",
    guard="a name proves nothing: a warning at most; family and previous history are spared",
    source="Kaufman et al. (2012); TCIA HNSCC clinical table (post-treatment columns)",
    check=_check,
)
