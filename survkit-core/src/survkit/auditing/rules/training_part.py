"""How many subjects a model says it was trained on, beside how many it was to be trained on."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule

NAME = "training-part"


def _check(evidence: Evidence) -> Answer:
    if evidence.run is None or not evidence.folds:
        return NotChecked("not a run folder of survkit with its splits")
    known = {(one.repeat, one.fold): one for one in evidence.folds}
    wrong, alone = [], []
    for fold in evidence.run.folds:
        division, facts = known.get((fold.repeat, fold.fold)), fold.training
        if division is None:
            wrong.append(f"{fold.name}: no such fold in the splits")
            continue
        for part in ("train", "validation"):
            stated, expected = facts.get(f"{part}_subjects"), len(getattr(division, part))
            if stated is not None and stated != expected:
                wrong.append(f"{fold.name}: {stated} {part} subjects, the splits say {expected}")
        chosen, epochs = facts.get("best_epoch", []), facts.get("epochs", [])
        early = [best for best, of in zip(chosen, epochs, strict=False) if best != of - 1]
        if not division.validation and early:
            alone.append(f"{fold.name}: epoch {early[0]}")
    findings = []
    if wrong:
        findings.append(
            Finding(
                rule=NAME,
                severity="error",
                message="models were trained on other subjects than the splits say",
                evidence="; ".join(wrong[:4]) + f" ({len(wrong)} in all)",
                cure="run `survkit cv` again with these splits",
            )
        )
    if alone:
        findings.append(
            Finding(
                rule=NAME,
                severity="error",
                message="an epoch was chosen, but there is no validation part to choose it on",
                evidence="; ".join(alone[:4]) + f" ({len(alone)} folds)",
                cure="set training.validation > 0, or train to the last epoch",
            )
        )
    return findings


RULE = Rule(
    name=NAME,
    asks="Were the models trained on as many subjects as the splits say, and epochs chosen there?",
    guard="only numbers that the run states are compared",
    source="best epoch chosen on whatever was at hand",
    check=_check,
)
