"""Codes of three real FDG-PET/CT examinations: the decoder makes of them whom they are of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from survkit.data import Cohort
from survkit.flow import ModalityInput
from survkit_robsurv.vq3d.vq3d_encoder import VQ3DEncoder

pytest.importorskip("SimpleITK")

SUBJECTS = ("STS_001", "STS_002", "STS_003")
COHORT: dict[str, Any] = {
    "name": "sts",
    "table": "table.csv",
    "subject": "subject",
    "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "made-up"}},
    "modalities": {
        "ct": {
            "kind": "volume",
            "path": "ct",
            "mask": "gtv",
            "spacing": [4, 4, 4],
            "size": [32, 32, 32],
            "crop": "mask",
            "window": [-250, 250],
        },
        "pet": {"kind": "volume", "path": "pet", "grid": "ct", "window": [0, "p99.9"]},
    },
}


@pytest.fixture
def sts(shared_data: Path, tmp_path: Path) -> Cohort:
    """The cohort of the page on CT and PET; its outcomes are made up and nobody reads them."""
    rows = ["subject,days,event,ct,gtv,pet"]
    for k, name in enumerate(SUBJECTS):
        files = [f"{name}/{part}.nii.gz" for part in ("ct_image", "ct_mask", "pet_image")]
        rows.append(",".join([name, str(100 + k), "1", *files]))
    table, path = tmp_path / "table.csv", tmp_path / "cohort.yaml"
    table.write_text("\n".join(rows) + "\n")
    path.write_text(yaml.safe_dump(COHORT))
    return Cohort.read(path, table=table, data_folder=shared_data / "petct-sts")


def volumes(cohort: Cohort, modality: str) -> torch.Tensor:
    """All subjects, (subject, channel, z, y, x)."""
    rows = range(len(cohort))
    spec = cohort.input_spec(modality, rows)
    samples = [cohort.read_sample(modality, row, spec) for row in rows]
    return torch.stack([sample.values for sample in samples if sample is not None])


def trained(values: torch.Tensor, cohort: Cohort, modality: str, steps: int) -> VQ3DEncoder:
    """A small vq3d after some steps on its own penalties, weighed as in the paper (eq. 3)."""
    torch.manual_seed(0)
    spec = cohort.input_spec(modality, range(len(cohort)))
    encoder = VQ3DEncoder(spec, width=0.125, codebook_size=64).train()
    given = ModalityInput(values, torch.ones(len(values), dtype=torch.bool))
    encoder.fit_batches([given])
    assert encoder.quantizer is not None
    optimizer = torch.optim.Adam(encoder.parameters(), lr=3e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        found = encoder(given).penalties
        loss = found["codebook"] + 0.25 * found["commitment"] + found["reconstruction"]
        loss.mean().backward()
        optimizer.step()
        encoder.quantizer.after_step()
    return encoder.eval()


@pytest.mark.parametrize(
    ("modality", "steps"), [("ct", 110), pytest.param("pet", 160, marks=pytest.mark.slow)]
)
def test_codes_tell_patients_apart(sts: Cohort, modality: str, steps: int) -> None:
    """Eight codes per volume: the error is below half the variance within volumes, and below that
    of the best picture that is the same for everybody, which is what codes that tell nothing give.
    """
    values = volumes(sts, modality)
    assert values.shape == (3, 1, 32, 32, 32)
    assert float(values.abs().max()) == 1.0

    encoder = trained(values, sts, modality, steps)

    with torch.no_grad():
        made = encoder.reconstruct(values)
    error = (made - values).square().mean()
    constant = (values - values.mean((1, 2, 3, 4), keepdim=True)).square().mean()
    same = (values - values.mean(0)).square().mean()
    print(f"\n{modality}: error {error:.4f}, constant {constant:.4f}, same {same:.4f}")
    assert error < 0.5 * constant
    assert error < 0.75 * same
    if modality == "pet":  # hot tissue is made hot, not grey
        bright = values > 0.5
        assert (made - values)[bright].square().mean() < 0.3
        assert made.max() > 0.6
