"""The paper's experiment over a frozen trunk: its own loop against survkit's cached road.

The plain loop is written here from the paper: every batch of 4 subjects, padded with zeros, goes
through the trunk in every epoch. survkit runs the trunk once per subject and trains what follows
on the cached features. Both are measured on little and projected to the paper's size; the formulas
are printed. Processor time on one thread, both sides in one process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from statistics import median
from time import process_time

import pytest
import torch
from torch import Tensor, nn

from survkit.compose import compose
from survkit.flow import Batch, ModalityInput, SurvivalTarget
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.specs import InputSpec, OutcomeSpec
from survkit.training.plan import TrainingPlan
from survkit.training.train import train
from survkit_slicetention.slices import SlicesEncoder
from survkit_slicetention.trunk.random_weights import made_up_images
from survkit_slicetention.trunk.slice_trunk import SliceTrunk

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SUBJECTS, TRAIN, VALIDATION = 415, 336, 37
SLICES, MEASURED_SLICES, EPOCHS, FOLDS, BATCH = 72, 24, 100, 10, 4
FEATURES, DIM, INTERVALS = 1280, 256, 26
ONE_FOLD, TEN_FOLDS, SLACK = 200.0, 600.0, 0.7


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run both sides on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class PaperModel(nn.Module):
    """Trunk, dropout, linear layer per slice, soft attention, DeepHit for one cause."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk.requires_grad_(False)
        self.linear = nn.Sequential(nn.Dropout(0.2), nn.Linear(FEATURES, DIM))
        self.score = nn.Linear(DIM, 1)
        self.shared = nn.Sequential(nn.Linear(DIM, 100), nn.ReLU())
        self.cause = nn.Sequential(
            nn.Linear(DIM + 100, 100), nn.ReLU(), nn.Dropout(0.3), nn.Linear(100, 100), nn.ReLU()
        )
        self.last = nn.Sequential(nn.Dropout(0.3), nn.Linear(100, INTERVALS))

    def forward(self, slices: Tensor, mask: Tensor) -> Tensor:
        """Return P(event in interval), the last one beyond the horizon; (batch, interval)."""
        flat = self.trunk(slices.flatten(0, 1)[:, None])
        tokens = self.linear(flat).reshape(*slices.shape[:2], DIM) * mask[:, :, None]
        scores = self.score(tokens).squeeze(2).masked_fill(~mask, -torch.inf)
        pooled = (scores.softmax(dim=1)[:, :, None] * tokens).sum(dim=1)
        hidden = self.cause(torch.cat([pooled, self.shared(pooled)], dim=1))
        mass: Tensor = self.last(hidden).softmax(dim=1)
        return mass


def paper_loss(mass: Tensor, interval: Tensor, event: Tensor) -> Tensor:
    """Likelihood plus half the ranking loss, sigma 0.1, as the paper's code has them."""
    incidence = mass.cumsum(dim=1)
    at_event = mass.gather(1, interval[:, None])[:, 0]
    beyond = 1 - incidence.gather(1, interval[:, None])[:, 0]
    likelihood = -torch.where(event > 0, (at_event + 1e-8).log(), (beyond + 1e-8).log()).mean()
    at_time = incidence[:, interval]  # (subject j, time of i)
    own = at_time.diagonal()
    earlier = (event[:, None] > 0) & (interval[:, None] < interval[None])
    ranking = (earlier * torch.exp(-(own[:, None] - at_time.T) / 0.1)).mean(dim=1).sum()
    return likelihood + 0.5 * ranking


class PlainLoop:
    """One batch of the paper's loop, on made-up slices; the trunk in eval mode."""

    def __init__(self, trunk: nn.Module) -> None:
        self.model = PaperModel(trunk).train()
        self.model.trunk.eval()
        trained = [each for each in self.model.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.01)
        images = made_up_images(BATCH * MEASURED_SLICES, (1, 224, 224), 0)
        self.slices = images.reshape(BATCH, MEASURED_SLICES, 224, 224)
        self.mask = torch.ones(BATCH, MEASURED_SLICES, dtype=torch.bool)
        self.interval, self.event = torch.tensor([3, 9, 17, 24]), torch.tensor([1, 0, 1, 0])

    def step(self) -> float:
        """Train on the batch; return the seconds."""
        begin = process_time()
        self.optimizer.zero_grad()
        loss = paper_loss(self.model(self.slices, self.mask), self.interval, self.event)
        loss.backward()
        self.optimizer.step()
        return process_time() - begin

    def validate(self) -> float:
        """Predict the batch; return the seconds."""
        self.model.linear.eval()
        begin = process_time()
        with torch.no_grad():
            self.model(self.slices, self.mask)
        self.model.linear.train()
        return process_time() - begin


class Features:
    """Cached features of the paper's number of subjects in one tensor."""

    in_memory = True

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        subjects = TRAIN + VALIDATION
        self.lengths = torch.randint(SLICES - 12, SLICES + 13, (subjects,), generator=generator)
        self.mask = torch.arange(SLICES + 12) < self.lengths[:, None]
        values = torch.randn(subjects, SLICES + 12, FEATURES, generator=generator)
        self.values = values.mul_(self.mask[:, :, None])
        time = torch.rand(subjects, generator=generator, dtype=torch.float64) * 1200 + 1
        event = (torch.rand(subjects, generator=generator) < 0.6).long()
        self.target = SurvivalTarget(time, event)

    def batch(self, rows: Sequence[int]) -> Batch:
        """Return the subjects, padded to the longest of them."""
        index = torch.as_tensor(rows)
        longest = int(self.lengths[index].max())
        given = ModalityInput(
            self.values[index][:, :longest],
            torch.ones(len(index), dtype=torch.bool),
            self.mask[index][:, :longest],
        )
        return Batch({"ct": given}, self.target_of(rows), index)

    def target_of(self, rows: Sequence[int]) -> SurvivalTarget:
        """Return the outcomes of the subjects."""
        index = torch.as_tensor(rows)
        return SurvivalTarget(self.target.duration[index], self.target.event[index])


def cached_recipe() -> Recipe:
    """Return the plugin's recipe, without weights to download and without stored views."""
    changes = ["encoders.ct.weights=null", "encoders.ct.views=0", "training.accelerator=cpu"]
    return Recipe.read("slicetention/lung1-cached", overrides=changes)


class CachedFold:
    """survkit's training of one fold of the paper's size on cached features."""

    def __init__(self) -> None:
        self.recipe, self.store = cached_recipe(), Features()
        edges = tuple(float(edge) for edge in self.recipe.outcome.grid.edges or ())
        self.outcome = OutcomeSpec(causes=("death",), horizon=edges[-1], time_grid=edges)
        spec = InputSpec(kind="volume", shape=(1, 64, 64, 64))
        registry = default_registry()
        self.made = compose(self.recipe, {"ct": spec}, self.outcome, registry)

    @property
    def trunk(self) -> SliceTrunk:
        """The frozen trunk, that of the plain loop too."""
        encoder = self.made.model.encoders["ct"]
        assert isinstance(encoder, SlicesEncoder)
        return encoder.reader.trunk

    def seconds(self, epochs: int, folder: Path) -> float:
        """Train a fresh copy for some epochs; return the seconds, all but composing included."""
        rows = list(range(TRAIN))
        plan = TrainingPlan(
            config=self.recipe.training.model_copy(update={"epochs": epochs}),
            objective=self.made.objective,
            outcome=self.outcome,
            store=self.store,
            train=rows,
            train_target=self.store.target_of(rows),
            validation=list(range(TRAIN, TRAIN + VALIDATION)),
            seed=(0,),
        )
        model = deepcopy(self.made.model).train()
        folder.mkdir()
        begin = process_time()
        train(model, plan, folder, resume=False, progress=False)
        return process_time() - begin


def test_the_experiment_over_a_frozen_trunk(tmp_path: Path) -> None:
    """At least 200 times as fast for one fold and 600 times for ten."""
    fold = CachedFold()
    trunk = fold.trunk
    plain = PlainLoop(deepcopy(trunk.backbone).to(memory_format=torch.contiguous_format))
    slices = plain.slices.flatten(0, 1)[:, None]
    with torch.no_grad():
        one, two = trunk(slices[:8]), plain.model.trunk(slices[:8])
    assert float((one - two).abs().max() / two.abs().max()) <= 1e-4
    fold.seconds(1, tmp_path / "warm")
    steps, checks, cached, short, long = [], [], [], [], []
    for turn in range(2):
        steps.append(plain.step())
        checks.append(plain.validate())
        begin = process_time()
        trunk(slices[:MEASURED_SLICES])
        cached.append(process_time() - begin)
        short.append(fold.seconds(1, tmp_path / f"short-{turn}"))
        long.append(fold.seconds(4, tmp_path / f"long-{turn}"))

    more = SLICES / MEASURED_SLICES
    step, check = more * median(steps), more * median(checks)
    plain_epoch = TRAIN / BATCH * step + VALIDATION / BATCH * check
    trunk_volume = more * median(cached)
    epoch = (median(long) - median(short)) / 3
    rest = median(short) - epoch
    our_fold, trunk_all = EPOCHS * epoch + rest, SUBJECTS * trunk_volume
    one = EPOCHS * plain_epoch / (trunk_all + our_fold)
    ten = FOLDS * EPOCHS * plain_epoch / (trunk_all + FOLDS * our_fold)

    print(
        f"\nplain loop, measured on {BATCH} x {MEASURED_SLICES} slices, times {more:g}: "
        f"step {step:.2f} s, validation {check:.2f} s per {BATCH} subjects"
        f"\n  epoch = {TRAIN}/{BATCH} x step + {VALIDATION}/{BATCH} x validation "
        f"= {plain_epoch:.0f} s"
        f"\nsurvkit: trunk {trunk_volume:.2f} s per volume, once for {SUBJECTS} = "
        f"{trunk_all:.0f} s; epoch {epoch:.2f} s ({epoch / (TRAIN / BATCH) * 1e3:.1f} ms per step, "
        f"validation within), rest of a fold {rest:.1f} s"
        f"\none fold: {EPOCHS} x {plain_epoch:.0f} / ({trunk_all:.0f} + {our_fold:.0f}) = {one:.0f}"
        f"\nten folds: {FOLDS} x {EPOCHS} x {plain_epoch:.0f} / "
        f"({trunk_all:.0f} + {FOLDS} x {our_fold:.0f}) = {ten:.0f}"
    )
    assert one >= ONE_FOLD * SLACK
    assert ten >= TEN_FOLDS * SLACK
