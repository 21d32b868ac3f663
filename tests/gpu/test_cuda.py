"""What must hold on a CUDA device: run by ``python -m nox -s gpu`` where there is one."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from survkit.cli import main
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.cox import CoxLoss
from survkit.losses.deephit_likelihood import DeepHitLikelihood
from survkit.losses.deephit_ranking import DeepHitRanking
from survkit.metrics import Estimate, harrell_concordance
from survkit.specs import OutcomeSpec

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("default"),
]

OUTCOME = OutcomeSpec(causes=("death",), horizon=8.0, time_grid=(2.0, 4.0, 6.0, 8.0))
COHORTS = {
    "robsurv/small": "--subjects 48 --size 32 --modality ct --modality pet",
    "slicetention/small": "--subjects 24 --size 48 --modality ct --hu",
}
"""How phantoms for a recipe are asked for."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cohort per recipe."""
    folder = tmp_path_factory.mktemp("gpu")
    for recipe, phantoms in COHORTS.items():
        assert main(["phantom", "--out", str(folder / recipe), *phantoms.split()]) == 0
    return folder


@pytest.fixture(autouse=True)
def _there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("SURVKIT_CACHE", str(place / "cache"))


def fit(recipe: str, out: str, *settings: str) -> None:
    """Train for three epochs."""
    asked = [f"--set={each}" for each in ("training.epochs=3", *settings)]
    line = f"fit {recipe} --cohort {recipe}/cohort.yaml --out {out} --quiet"
    assert main([*line.split(), *asked]) == 0


def predicted(recipe: str, model: str, device: str) -> pd.DataFrame:
    """Return the survival probabilities at two times."""
    out = f"{model}-{device}.csv"
    line = f"predict {model} --cohort {recipe}/cohort.yaml --times 365,1000 --out {out}"
    assert main([*line.split(), "--device", device]) == 0
    return pd.read_csv(out).set_index("subject")


def random_risk_set(dtype: torch.dtype, width: int) -> tuple[ModelOutput, SurvivalTarget]:
    """Return a risk set of 257 subjects with tied times, on the CPU."""
    generator = torch.Generator().manual_seed(3)
    parameters = torch.randn(257, width, generator=generator, dtype=dtype)
    duration = torch.randint(1, 20, (257,), generator=generator).to(torch.float64) / 2
    event = torch.randint(0, 2, (257,), generator=generator)
    name = "log-hazard" if width == 1 else "pmf"
    return ModelOutput(parameters, name, parameters), SurvivalTarget(duration, event)


@pytest.mark.parametrize(
    ("loss", "width"),
    [
        (CoxLoss(OUTCOME), 1),
        (CoxLoss(OUTCOME, ties="efron"), 1),
        (DeepHitLikelihood(OUTCOME), 5),
        (DeepHitRanking(OUTCOME), 5),
    ],
)
def test_losses_and_gradients_are_those_of_the_cpu(loss: Any, width: int) -> None:
    """In float64 to 1e-10: the order of additions alone differs."""
    from survkit.flow import to_device

    output, target = random_risk_set(torch.float64, width)
    found = []
    for device in ("cpu", "cuda"):
        here = to_device(output, device)
        leaf = here.parameters.clone().requires_grad_()
        value = loss(
            ModelOutput(leaf, output.parameterization, leaf.detach()), to_device(target, device)
        )
        value.backward()
        assert leaf.grad is not None
        found.append((value.item(), leaf.grad.cpu()))

    assert found[0][0] == pytest.approx(found[1][0], rel=1e-10)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-9, atol=1e-12)


def test_a_concordance_is_that_of_the_cpu() -> None:
    """Counts of pairs are whole numbers."""
    output, target = random_risk_set(torch.float64, 1)
    on_cpu = harrell_concordance(output.parameters[:, 0], target)
    moved = SurvivalTarget(target.duration.cuda(), target.event.cuda())
    on_gpu = harrell_concordance(output.parameters[:, 0].cuda(), moved)

    assert isinstance(on_cpu, Estimate)
    assert isinstance(on_gpu, Estimate)
    assert on_cpu.value == on_gpu.value


@pytest.mark.parametrize("recipe", COHORTS)
def test_a_model_trained_on_the_gpu_predicts_alike_on_both(recipe: str) -> None:
    """In bfloat16 trained, in float32 predicted; no code of a codebook is chosen otherwise."""
    model = recipe.replace("/", "-")
    fit(recipe, model, "training.accelerator=cuda")

    on_cpu, on_gpu = predicted(recipe, model, "cpu"), predicted(recipe, model, "cuda")
    assert on_cpu.to_numpy().std() > 0
    np.testing.assert_allclose(on_gpu.to_numpy(), on_cpu.to_numpy(), atol=1e-4)


def test_the_same_seed_gives_nearly_the_same_model_on_both_devices() -> None:
    """In float32, without dropout, whose draws differ: data, order and start are one."""
    exact = ("training.precision=32-true", "training.epochs=1", "training.schedule.warmup=0")
    found = []
    for device in ("cpu", "cuda"):
        settings = (*exact, "fusion.dropout=0.0", f"training.accelerator={device}")
        fit("robsurv/small", f"exact-{device}", *settings)
        found.append(predicted("robsurv/small", f"exact-{device}", "cpu").to_numpy())

    np.testing.assert_allclose(found[0], found[1], atol=0.02)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Where the host waited for the device, from the second step of every training on."""
    from survkit.training.module import SurvivalModule

    original, taken, found = SurvivalModule.training_step, [0], set[str]()

    def note(message: Warning | str, *_: object) -> None:
        if "synchronizing" in str(message):
            ours = [one for one in traceback.extract_stack() if "survkit" in one.filename]
            inner = [one for one in ours if "test_cuda" not in one.filename][-1]
            found.add(f"{inner.filename}:{inner.lineno}: {inner.line}")

    def watched(self: Any, index: int, position: int) -> None:
        taken[0] += 1
        torch.cuda.set_sync_debug_mode("warn" if taken[0] > 1 else "default")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                monkeypatch.setattr(warnings, "showwarning", note)
                original(self, index, position)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(SurvivalModule, "training_step", watched)
    yield found
    assert taken[0] > 2


@pytest.mark.parametrize("recipe", COHORTS)
@pytest.mark.parametrize("gradient", ["one-graph", "two-pass"])
def test_the_host_never_waits_in_a_step(waits: set[str], gradient: str, recipe: str) -> None:
    """Penalties, codebooks, augmentation, ranking loss and both ways of gradients included."""
    fit(
        recipe,
        f"waits-{gradient}-{recipe.replace('/', '-')}",
        "training.accelerator=cuda",
        f"training.gradient={gradient}",
        "training.micro_batch=8",
    )

    assert sorted(waits) == []
