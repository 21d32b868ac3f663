"""Needs a segmentation of the tumour, which no clinic has for a new patient."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule

NAME = "mask-at-inference"


def _check(evidence: Evidence) -> Answer:
    run = evidence.run
    if run is None or not run.cohort:
        return NotChecked("not a run folder of survkit with its cohort file")
    declared = run.cohort.get("modalities") or {}
    findings = []
    for name in run.modalities or tuple(declared):
        settings = declared.get(name) or {}
        if not settings.get("mask"):
            continue
        cropped = settings.get("crop") == "mask"
        findings.append(
            Finding(
                rule=NAME,
                severity="warning" if cropped else "note",
                message=f"{name} is prepared with a mask"
                + (", on which the image is cropped" if cropped else ""),
                evidence=f"modalities.{name}.mask: {settings['mask']}"
                + (", crop: mask" if cropped else ""),
                cure=(
                    "say so in the paper and predict with masks as they will be made in use "
                    "(automatic ones); crop: center needs none"
                ),
            )
        )
    return findings


RULE = Rule(
    name=NAME,
    asks="Does a prediction need a segmentation that a new patient does not have?",
    guard="a mask that does not decide the crop is a note; modalities outside the recipe are not "
    "looked at",
    source="XSurv #3: crops centred on the tumour label, also when evaluating",
    check=_check,
)
