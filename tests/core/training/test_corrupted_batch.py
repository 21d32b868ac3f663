"""What a training subject meets is a function of seed, epoch, row and place in the list alone."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from survkit.corruptions.modality_corruption import build_part
from survkit.flow import Batch, ModalityInput, select
from survkit.model import SurvivalModel
from survkit.plugins import default_registry
from survkit.protocols import Sample
from survkit.specs import InputKind, InputSpec
from survkit.training.corrupted_batch import Corrupting
from survkit.training.micro_batches import MicroBatches
from survkit.training.training_corruptions import TrainingCorruption

SPECS = {
    "ct": InputSpec(kind="volume", shape=(1, 4, 4, 4)),
    "rna": InputSpec(kind="vector", shape=(5,)),
}


def corruption(
    modality: str, name: str, probability: float = 1.0, **settings: object
) -> TrainingCorruption:
    part = build_part(default_registry().find("corruption", name), modality, settings)
    return TrainingCorruption(
        part=part,
        probability=probability,
        readers=(modality,),
        spec=SPECS[modality],
        known=Sample(values=torch.empty(0), source="a test", intensity_range=(-1.0, 1.0)),
    )


NOISE = (
    corruption("ct", "gaussian-noise", 0.5, sigma=0.1),
    corruption("rna", "column-noise", 0.5, variation=0.2),
)


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    """The script that trains."""
    path = Path(__file__).with_name("tiny_training.py")
    spec = importlib.util.spec_from_file_location("tiny_training", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def everybody(batches_factory: Callable[..., list[Batch]]) -> Batch:
    (batch,) = batches_factory([40], torch.float32)
    return batch


def values(batch: Batch) -> dict[str, Tensor]:
    return {name: given.values for name, given in batch.inputs.items()}


def changed(before: Tensor, after: Tensor) -> Tensor:
    """Return which rows differ in any bit; bool (batch)."""
    return (before != after).flatten(1).any(dim=1)


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("size", [1, 4, 7, 40])
def test_values_do_not_depend_on_the_micro_batch(
    size: int, on_disk: bool, everybody: Batch, tiny: ModuleType
) -> None:
    """Nor on the order of rows, nor on how often they are read, nor on a global generator."""
    whole = values(Corrupting(NOISE, (3, 5))(everybody))
    rows = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    store = tiny.TensorStore(everybody, in_memory=not on_disk)
    batches = MicroBatches(
        store,
        [tuple(part.tolist()) for part in rows.split(size)],
        device=torch.device("cpu"),
        dtype=torch.float32,
        change=Corrupting(NOISE, (3, 5)),
    )

    for _ in range(2):
        torch.rand(3)
        for batch in batches:
            for name, found in values(batch).items():
                assert torch.equal(found, whole[name][batch.row])
    assert torch.equal(values(batches[0:1][0])["ct"], whole["ct"][rows[:size]])


def test_about_half_are_met_and_the_others_keep_every_bit(everybody: Batch) -> None:
    """Independently in both modalities and in every epoch; the store is left as it was."""
    before = {name: value.clone() for name, value in values(everybody).items()}
    met: dict[str, list[Tensor]] = {"ct": [], "rna": []}
    for epoch in range(20):
        after = values(Corrupting(NOISE, (3, epoch))(everybody))
        for name in met:
            met[name].append(changed(before[name], after[name]))

    assert all(torch.equal(value, before[name]) for name, value in values(everybody).items())
    ct, rna = (torch.stack(met[name]).float() for name in ("ct", "rna"))
    for share in (ct.mean(), rna.mean(), (ct == rna).float().mean()):
        assert abs(float(share) - 0.5) < 4 * 0.5 / 800**0.5  # four standard errors of 800 coins
    assert len({tuple(row.tolist()) for row in ct}) == 20


def test_another_epoch_seed_or_place_draws_otherwise(everybody: Batch) -> None:
    """The same corruption twice in the list adds two different noises."""
    once = (corruption("ct", "gaussian-noise", sigma=0.1),)
    drawn = [
        values(Corrupting(once * count, numbers)(everybody))["ct"]
        for count, numbers in ((1, (3, 0)), (1, (3, 1)), (1, (4, 0)), (2, (3, 0)))
    ]
    clean = values(everybody)["ct"]
    noise = [each - clean for each in drawn]

    assert len({float(each.sum()) for each in drawn}) == 4
    torch.testing.assert_close(noise[0].std().item(), 0.2, rtol=0.05, atol=0)  # 0.1 × the range
    torch.testing.assert_close(noise[3].std().item(), 0.2 * 2**0.5, rtol=0.05, atol=0)


def test_a_missing_modality_is_absent_and_never_the_last(everybody: Batch) -> None:
    """Whoever would lose all keeps all; who has one modality only never loses it."""
    both = [corruption(name, "missing-modality", 0.6) for name in ("ct", "rna")]
    alone = torch.arange(40) < 10
    rna = everybody.inputs["rna"]
    inputs = {"rna": replace(rna, present=~alone, complete=False), "ct": everybody.inputs["ct"]}
    given = replace(everybody, inputs=inputs)

    lost = torch.zeros(2)
    for epoch in range(10):
        after = Corrupting(both, (3, epoch))(given).inputs
        present = {name: one.present for name, one in after.items()}
        assert bool(present["ct"][alone].all())
        assert bool((present["ct"] | present["rna"]).all())
        assert not any(one.complete for one in after.values())
        for name, one in after.items():
            gone = given.inputs[name].present & ~present[name]
            assert not bool(one.values[gone].any())
            assert torch.equal(one.values[~gone], given.inputs[name].values[~gone])
        lost += torch.stack([(~present[name][~alone]).sum() for name in ("ct", "rna")])
    share = lost / 300
    assert (share - 0.24).abs().max() < 4 * (0.24 * 0.76 / 300) ** 0.5  # 0.6 × 0.4 each


def test_padding_is_no_token() -> None:
    """A subject's own tokens meet the corruption, padded ones stay zero."""
    mask = torch.tensor([[True, True, True], [True, False, False]])
    tokens = torch.rand(2, 3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    given = ModalityInput(tokens * mask[..., None, None, None], torch.ones(2).bool(), mask)
    kind: InputKind = "image"
    spec = InputSpec(kind=kind, shape=(1, 4, 4), has_tokens=True)
    gone = replace(corruption("ct", "missing-modality"), spec=spec)
    noisy = replace(corruption("ct", "gaussian-noise", sigma=0.1), spec=spec)
    target: Any = None
    other = ModalityInput(torch.ones(2, 1), torch.ones(2).bool())
    batch = Batch({"ct": given, "rna": other}, target, torch.arange(2))

    after = Corrupting([noisy], (0,))(batch).inputs["ct"]
    without = Corrupting([gone], (0,))(batch).inputs["ct"]

    assert after.token_mask is mask
    assert bool((after.values[mask] != given.values[mask]).any(dim=(1, 2, 3)).all())
    assert not bool(after.values[~mask].any())
    assert without.token_mask is not None
    assert not bool(without.present.any() | without.token_mask.any() | without.values.any())


class Seen:
    """Keeps what an encoder is given, in training and in eval mode."""

    def __init__(self, model: SurvivalModel) -> None:
        self.train: list[Tensor] = []
        self.eval: list[Tensor] = []
        for encoder in model.encoders.values():
            encoder.register_forward_pre_hook(self._keep, with_kwargs=True)

    def _keep(self, module: torch.nn.Module, given: tuple[Any, ...], _: dict[str, Any]) -> None:
        place = self.train if module.training else self.eval
        place.extend(row.flatten().clone() for row in given[0].values)

    def rows(self, mode: str) -> list[tuple[float, ...]]:
        return [tuple(row.tolist()) for row in getattr(self, mode)]


def trained(
    tiny: ModuleType,
    folder: Path,
    model: SurvivalModel,
    corruptions: Sequence[TrainingCorruption] = NOISE,
    **settings: object,
) -> Seen:
    seen = Seen(model)
    tiny.run(folder, model=model, corruptions=corruptions, **{"epochs": 2, **settings})
    return seen


def test_training_subjects_alone_meet_it(
    tiny: ModuleType,
    tmp_path: Path,
    model_factory: Callable[..., SurvivalModel],
    everybody: Batch,
) -> None:
    """Both passes see the same bits, one graph sees them too, validation sees the store's."""
    new = model_factory
    two = trained(tiny, tmp_path / "two", new(torch.float32))
    one = trained(tiny, tmp_path / "one", new(torch.float32), gradient="one-graph")
    larger = trained(tiny, tmp_path / "larger", new(torch.float32), micro_batch=7)
    clean = trained(tiny, tmp_path / "clean", new(torch.float32), ())

    assert sorted(two.rows("train")) == sorted(2 * one.rows("train"))
    assert sorted(two.rows("train")) == sorted(larger.rows("train"))
    assert set(two.rows("train")) != set(clean.rows("train"))
    stored = {tuple(r.flatten().tolist()) for v in values(everybody).values() for r in v}
    validation = select(everybody, torch.arange(30, 40))
    asked = {tuple(r.flatten().tolist()) for v in values(validation).values() for r in v}
    assert set(two.rows("eval")) == asked
    assert set(clean.rows("train")) <= stored
    met = [row for row in one.rows("train") if row not in stored]
    assert len(met) == len(set(met))  # two epochs never draw the same
    assert 30 < len(met) < 90  # of 120, half are expected
