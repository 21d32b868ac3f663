"""The contrast of MMRL against NT-Xent's known values and a slow loop."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch.nn import functional

from survkit.errors import ConfigError, DataError
from survkit.specs import OutcomeSpec
from survkit.testing import LossConformance, random_output, random_target
from survkit_robsurv.compared.cross_patient import CrossPatient, cross_patient_loss

OUTCOME = OutcomeSpec(causes=("death",), horizon=10.0, time_grid=(2.0, 5.0, 10.0))


class TestCrossPatient(LossConformance):
    component = CrossPatient
    outcome = OUTCOME


class TestPlainContrast(LossConformance):
    component = CrossPatient
    outcome = OUTCOME
    settings: ClassVar = {"share": 0.0, "temperature": 0.5}


def test_without_neighbours_it_is_nt_xent() -> None:
    """Mean of both directions: 1.20139 and 1.01319, computed apart."""
    one = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    two = torch.tensor([[1.0, 0.2], [0.1, 1.0], [0.5, -1.0]], dtype=torch.float64)

    loss = cross_patient_loss(one, two, torch.ones(3, dtype=torch.bool), temperature=0.5, share=0.0)

    torch.testing.assert_close(float(loss), 1.1072907281140651, rtol=1e-12, atol=0)


@pytest.mark.parametrize("neighbours", [1, 2, 9])
def test_it_is_the_formula(neighbours: int) -> None:
    """Patient by patient, those without both modalities left out."""
    torch.manual_seed(0)
    first, second = torch.randn(2, 6, 4, dtype=torch.float64)
    counts = torch.tensor([True, True, False, True, True, True])
    rows = counts.nonzero().flatten().tolist()
    cosine = functional.cosine_similarity
    total = 0.0
    for i in rows:
        alike = {
            j: float(cosine(first[i], first[j], dim=0) + cosine(second[i], second[j], dim=0))
            for j in rows
            if j != i
        }
        near = sorted(alike, key=lambda j: -alike[j])[:neighbours]
        for a, b in ((first, second), (second, first)):
            score = torch.stack([cosine(a[i], b[j], dim=0) / 0.1 for j in rows])
            log_share = dict(zip(rows, score.log_softmax(0).tolist(), strict=True))
            total -= 0.7 * log_share[i] / 2
            total -= 0.3 * sum(log_share[j] for j in near) / len(near) / 2

    loss = cross_patient_loss(first, second, counts, neighbours=neighbours, share=0.3)

    torch.testing.assert_close(float(loss), total / len(rows), rtol=1e-10, atol=0)


@pytest.mark.parametrize(("share", "nearer"), [(0.0, False), (0.5, True)])
def test_like_patients_are_drawn_together(share: float, nearer: bool) -> None:
    """Plain contrast pushes two patients apart who differ by 0.1 rad; neighbours attract."""
    angle = torch.tensor([0.0, 0.1], dtype=torch.float64)
    vectors = torch.stack([angle.cos(), angle.sin()], dim=1).repeat(2, 1, 1).requires_grad_()
    loss = cross_patient_loss(*vectors, torch.ones(2, dtype=torch.bool), share=share)

    moved = vectors - 0.01 * torch.autograd.grad(loss, vectors)[0]

    cosine = functional.cosine_similarity(moved[0, 0], moved[1, 1], dim=0)
    assert bool(cosine > angle[1].cos()) == nearer


def test_who_lacks_a_modality_is_no_partner() -> None:
    """Rows of zeros, as fusions give them: the loss is that of the others."""
    output = random_output("log-hazard", OUTCOME, 6, dtype=torch.float64)
    target = random_target(OUTCOME, 6)
    ct = output.modality_embeddings["ct"].clone()
    ct[4:] = 0
    pet = output.modality_embeddings["pet"]
    loss = CrossPatient(OUTCOME)

    value = loss(replace(output, modality_embeddings={"ct": ct, "pet": pet}), target)

    fewer = replace(output, modality_embeddings={"ct": ct[:4], "pet": pet[:4]})
    torch.testing.assert_close(value, loss(fewer, target))


def test_one_modality_or_other_widths_are_refused() -> None:
    """With what would give such."""
    output = random_output("log-hazard", OUTCOME, 4)
    target = random_target(OUTCOME, 4)
    wide = {"ct": torch.randn(4, 3), "pet": torch.randn(4, 5)}

    for found in ({"ct": torch.randn(4, 3)}, wide, {}):
        with pytest.raises(DataError, match=r"at least two modality embeddings of one width"):
            CrossPatient(OUTCOME)(replace(output, modality_embeddings=found), target)


def test_wrong_settings_are_refused() -> None:
    """Each by name."""
    for change in ({"temperature": 0.0}, {"neighbours": 0}, {"share": 1.0}):
        with pytest.raises(ConfigError, match=next(iter(change))):
            CrossPatient(OUTCOME, **change)  # type: ignore[arg-type]
