"""Splits, models and predictions belong together: all carry one hash."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule

NAME = "splits-hash"


def _check(evidence: Evidence) -> Answer:
    divisions = evidence.divisions
    if divisions is None or divisions.own_hash is None:
        return NotChecked("there is no splits file of survkit")
    own = divisions.own_hash
    carried = {f"the file itself ({divisions.source})": divisions.stated_hash}
    carried["the predictions"] = evidence.table.facts.get("splits_hash")
    if evidence.run is not None:
        carried["run.json"] = evidence.run.run.get("splits")
        for fold in evidence.run.folds:
            carried[f"the model of {fold.name}"] = fold.training.get("splits_sha256")
    known = {where: value for where, value in carried.items() if value}
    if not known:
        return NotChecked("neither the splits file nor the predictions carry a hash")
    wrong = {where: value for where, value in known.items() if value != own}
    if not wrong:
        return []
    shown = "; ".join(f"{where} says {str(value)[:12]}…" for where, value in wrong.items())
    return [
        Finding(
            rule=NAME,
            severity="error",
            message="the splits are not those that the predictions or models were made with",
            evidence=f"the content has sha256 {own[:12]}…, but {shown}",
            cure="give the splits file of this run, or run it again with this one",
        )
    ]


RULE = Rule(
    name=NAME,
    asks="Do splits, models and predictions carry the same hash?",
    guard="only hashes that are there are compared",
    source="a splits file edited after training proves nothing about the training",
    check=_check,
)
