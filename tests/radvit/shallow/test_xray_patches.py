"""Patches of phantom X-rays, and which of them the lesion's shadow touches."""

from __future__ import annotations

import pytest
import torch

from survkit.errors import ConfigError
from survkit_radvit.shallow.event_times import Follow
from survkit_radvit.shallow.subjects import Study
from survkit_radvit.shallow.xray_patches import XrayPatches, patches_of, standardize


@pytest.fixture(scope="module")
def study() -> Study:
    draws = XrayPatches(image_size=48, follow=Follow(), sizes=(60, 10, 10))
    return draws.draw(torch.Generator().manual_seed(0))


def test_patches_tile_the_picture_row_by_row() -> None:
    """Patch 3 of a 16 x 24 picture is the first of the second row; its pixels stay in order."""
    pictures = torch.arange(2 * 16 * 24.0).reshape(2, 16, 24)

    patches = patches_of(pictures)

    assert patches.shape == (2, 6, 64)
    torch.testing.assert_close(patches[1, 3].reshape(8, 8), pictures[1, 8:16, 0:8])
    torch.testing.assert_close(patches[0, 2].reshape(8, 8), pictures[0, 0:8, 16:24])


def test_training_subjects_alone_give_mean_and_sd() -> None:
    """Each pixel has mean 0 and SD 1 / 8 over them, so a patch of 64 has length 1 on average;
    others may be anything. A pixel without spread in training is 0 for everybody.
    """
    patches = torch.randn(50, 3, 64, generator=torch.Generator().manual_seed(0)) * 3 + 7
    patches[:40, 1, 5] = 2.5
    changed = patches.clone()
    changed[40:] = 1e6

    tokens = standardize(patches, 40)

    torch.testing.assert_close(tokens[:40], standardize(changed, 40)[:40])
    mean, squared = tokens[:40].mean(dim=0), tokens[:40].square().mean(dim=0)
    assert float(mean.abs().max()) < 1e-6
    assert bool((tokens[:, 1, 5] == 0).all())
    squared[1, 5] = 1 / 64
    torch.testing.assert_close(squared, torch.full((3, 64), 1 / 64))


def test_relevant_patches_are_where_it_is_brighter_than_usual(study: Study) -> None:
    """The shadow lies on the picture: relevant patches stand out, the others do not."""
    brightness = study.train.tokens.mean(dim=2)

    inside = brightness[study.train.relevant].mean()
    outside = brightness[~study.train.relevant].mean()
    assert float(inside) > 0.04
    assert float(outside) < 0
    counts = study.train.relevant.sum(dim=1)
    assert 1 <= int(counts.min()) <= int(counts.max()) <= 9


def test_the_brightest_patches_of_large_lesions_are_relevant(study: Study) -> None:
    """Of the quarter with the largest lesions, the brightest patch is nearly always one that the
    shadow touches; by chance it would be one time in eight.
    """
    large = study.train.log_hazard.topk(15).indices
    brightest = study.train.tokens[large].mean(dim=2).argmax(dim=1, keepdim=True)

    hits = study.train.relevant[large].gather(1, brightest)
    assert int(hits.sum()) >= 14


def test_the_outcome_is_that_of_the_phantom(study: Study) -> None:
    """Standardized volumes, evenly between -sqrt(3) and sqrt(3); days; parts are other people."""
    log_hazard = torch.cat([part.log_hazard for part in study.parts])

    assert float(log_hazard.abs().max()) <= 3**0.5
    assert len({*log_hazard.tolist()}) == 80
    assert [len(part) for part in study.parts] == [60, 10, 10]
    censored = 1 - torch.cat([part.observed for part in study.parts]).double().mean()
    assert float(censored) == pytest.approx(0.3, abs=4 * (0.21 / 80) ** 0.5)


def test_other_picture_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="image_size must be 48 or 96 pixels, not 64"):
        XrayPatches(image_size=64, follow=Follow())
