"""A model of a new plugin's parts and another's."""

from __future__ import annotations

from pathlib import Path

from tests.roundtrip.models import predict

RECIPE = """\
title: patches of CT beside codes of PET
encoders:
  ct: {use: my-paper/patches, dim: 8, patch: 8}
  pet: {use: robsurv/vq3d, width: 0.125, codebook_size: 16, start: kmeans}
fusion: {use: my-paper/weighted, dim: 8}
head: {use: discrete-hazard}
outcome: {horizon: 1095, unit: days, grid: {kind: uniform, intervals: 6}}
objective:
  - {use: my-paper/pair-ranking, weight: 0.5, sigma: 1.0}
  - {use: hazard-likelihood, weight: 1.0}
  - {penalty: pet.codebook, weight: 1.0}
  - {penalty: pet.commitment, weight: 0.25}
  - {penalty: pet.reconstruction, weight: 1.0}
training: {epochs: 1, micro_batch: 16, risk_set: 16, optimizer: {use: adam, lr: 1.0e-3},
           accelerator: cpu}
"""
PHANTOM = "phantom --subjects 24 --size 16 --modality ct --modality pet"


def lines_of_mixing(folder: Path) -> tuple[str, ...]:
    """Write the recipe; return what is typed to train, publish, and predict other subjects."""
    (folder / "mixed.yaml").write_text(RECIPE)
    return (
        f"{PHANTOM} --out cohort",
        f"{PHANTOM} --out others --seed 1",
        "fit mixed.yaml --cohort cohort/cohort.yaml --out model --quiet",
        "push model org/mixed",
        predict("model", "others", "curves.parquet"),
    )
