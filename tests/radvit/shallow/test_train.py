"""Training: who is looked at, which epoch is kept, and what attention learns."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import Tensor

from survkit.errors import DataError
from survkit_radvit.shallow.design import Design
from survkit_radvit.shallow.event_times import Follow
from survkit_radvit.shallow.fixed_region import REGION, FixedRegion
from survkit_radvit.shallow.importance import token_importance
from survkit_radvit.shallow.kept_tokens import kept_tokens
from survkit_radvit.shallow.streams import Purpose, fresh_model, stream
from survkit_radvit.shallow.subjects import Study, Subjects
from survkit_radvit.shallow.train import Schedule, Trained, concordance, train

DRAWS = FixedRegion(noise=0.15, follow=Follow(), sizes=(150, 80, 200))
DESIGN = Design(
    name="B", noise=0.15, draws=DRAWS, shape=(36, 64), position="learned",
    map_of="population", epochs=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def study() -> Study:
    return DRAWS.draw(stream(0, "study"))


def trained(study: Study, seed: int = 0, **changes: float) -> Trained:
    schedule = replace(Schedule(epochs=4, batch=50), **changes)  # type: ignore[arg-type]
    model = fresh_model(stream(seed, "weights"), tokens=36, dim=64, position="learned")
    return train(model, study, schedule, stream(seed, "order"))


def weights(found: Trained) -> Tensor:
    return torch.cat([each.detach().flatten() for each in found.model.parameters()])


def spoilt(subjects: Subjects) -> Subjects:
    return replace(
        subjects, tokens=torch.full_like(subjects.tokens, torch.nan), observed=~subjects.observed
    )


def test_test_subjects_are_not_looked_at(study: Study) -> None:
    """With NaN for their tokens and other outcomes the weights are the same, and so is what design
    B prunes by, which other validation subjects do not change either.
    """
    found = trained(study)
    other = trained(replace(study, test=spoilt(study.test)))
    assert torch.equal(weights(found), weights(other))

    changed = replace(study, validation=spoilt(study.validation), test=spoilt(study.test))
    maps = [DESIGN.importance(found.model, each) for each in (study, changed)]
    for one, two in zip(*maps, strict=True):
        assert torch.equal(one, two)
    own = token_importance(found.model, study.train).mean(dim=0)
    assert torch.equal(maps[0][2], own.expand(200, -1))


def test_the_best_validation_epoch_is_kept(study: Study) -> None:
    """Its weights have the best concordance of the trace, which begins before training."""
    found = trained(study, epochs=6, lr=0.02)

    assert len(found.validation) == len(found.mass) == 7
    assert found.validation[found.best_epoch] == max(found.validation)
    assert concordance(found.model, study.validation) == max(found.validation)
    assert found.best_epoch > 0


def test_the_same_seed_gives_the_same_weights(study: Study) -> None:
    """Another seed others; the process-wide stream of chance is left alone."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two, other = trained(study), trained(study), trained(study, seed=1)

    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(weights(one), weights(two))
    assert one.mass == two.mass
    assert not torch.equal(weights(one), weights(other))


def test_streams_of_chance_differ() -> None:
    """Every purpose of every seed draws something else."""
    purposes = get_args(Purpose)
    drawn = {float(torch.rand(1, generator=stream(s, p))) for s in range(3) for p in purposes}

    assert len(purposes) == 5
    assert len(drawn) == 15


def test_attention_moves_to_the_region(study: Study) -> None:
    """It starts even, 4 of 36 tokens; after some steps of the Cox loss the region has half as much
    again, and an even share as the threshold keeps the region alone.
    """
    found = trained(study, epochs=25, lr=0.003)

    assert found.mass[0] == pytest.approx(4 / 36, abs=0.002)
    assert found.mass[-1] > 1.5 * 4 / 36
    kept = kept_tokens(DESIGN.importance(found.model, study)[2], 1.0)
    assert kept[0].nonzero()[:, 0].tolist() == list(REGION)


def test_the_pruned_study_is_the_study_without_the_rest(study: Study) -> None:
    """Four tokens are left, those of the region; outcomes stay; the concordance of a model is that
    of its masked log hazards.
    """
    region = torch.zeros(36, dtype=torch.bool)
    region[list(REGION)] = True
    masks = [region.expand(len(part), -1) for part in study.parts]
    left = study.pruned((masks[0], masks[1], masks[2]))
    model = trained(study).model

    assert left.test.tokens.shape == (200, 4, 64)
    assert torch.equal(left.test.tokens, study.test.tokens[:, list(REGION)])
    assert torch.equal(left.test.duration, study.test.duration)
    assert bool(left.test.relevant.all())
    with torch.no_grad():
        masked = model(study.test.tokens, masks[2])
        dropped = model(left.test.tokens, left.test.kept, left.test.places)
    torch.testing.assert_close(dropped, masked)


def test_a_model_that_diverged_is_said(study: Study) -> None:
    """Not a concordance of NaN."""
    with pytest.raises(DataError, match="log hazards are not finite; give a smaller lr"):
        trained(study, lr=1e30)
