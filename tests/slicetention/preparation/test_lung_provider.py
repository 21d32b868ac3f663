"""Where the lung mask comes from."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from survkit.errors import ConfigError, DataError, MissingExtraError
from survkit_slicetention.preparation import lung_provider
from survkit_slicetention.preparation.lung_mask import segment_lungs
from survkit_slicetention.preparation.lung_provider import lungs_of


@pytest.fixture(autouse=True)
def _no_network_of_before() -> None:
    lung_provider._r231.cache_clear()


def test_threshold_is_the_built_in_segmenter(chest: Any) -> None:
    """A mask of the cohort is left alone."""
    given = np.zeros(chest.volume.shape, dtype=bool)

    actual = lungs_of("threshold", chest.volume, chest.spacing, given)

    np.testing.assert_array_equal(actual, segment_lungs(chest.volume, chest.spacing))


def test_given_is_the_mask_of_the_cohort(chest: Any) -> None:
    """As it is."""
    actual = lungs_of("given", chest.volume, chest.spacing, chest.lungs)

    np.testing.assert_array_equal(actual, chest.lungs)


def test_none_keeps_everything(chest: Any) -> None:
    """Whole slices, and all of them."""
    assert lungs_of("none", chest.volume, chest.spacing, None).all()


def test_given_needs_a_fitting_mask(chest: Any) -> None:
    """There, of the same shape, bool, and not empty."""
    for mask, message in (
        (None, "the subject has none"),
        (chest.lungs[1:], "but the CT has"),
        (chest.lungs.astype(np.uint8), "is bool, not uint8"),
        (np.zeros_like(chest.lungs), "is empty"),
    ):
        with pytest.raises(DataError, match=message):
            lungs_of("given", chest.volume, chest.spacing, mask)


@pytest.mark.parametrize("provider", ["threshold", "given", "none"])
def test_every_provider_refuses_what_is_not_hu(chest: Any, provider: Any) -> None:
    """Clipping and standardising need HU as well."""
    with pytest.raises(DataError, match="HU"):
        lungs_of(provider, chest.volume + 1024, chest.spacing, chest.lungs)


def test_an_unknown_provider_is_refused(chest: Any) -> None:
    """All known ones are named."""
    with pytest.raises(ConfigError, match="threshold, lungmask, given, none, not 'unet'"):
        lungs_of("unet", chest.volume, chest.spacing, None)  # type: ignore[arg-type]


def test_lungmask_without_the_package(chest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the line that installs it."""
    monkeypatch.setitem(sys.modules, "lungmask", None)

    with pytest.raises(MissingExtraError, match="pip install lungmask"):
        lungs_of("lungmask", chest.volume, chest.spacing, None)


class Network:
    """Stands for lungmask.LMInferer: right lung 1, left lung 2, by what an array in LPS shows."""

    def __init__(self, modelname: str, tqdm_disable: bool) -> None:
        self.settings = (modelname, tqdm_disable)

    def apply(self, volume: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return labels, and spoil what came in."""
        labels = np.where(volume < -500, 1, 0).astype(np.uint8)
        labels[:, :, 67:] *= 2
        volume[:] = 0
        return labels


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the weights are looked for, with a package that is there."""
    package, module = ModuleType("lungmask"), ModuleType("lungmask.mask")
    package.LMInferer = Network  # type: ignore[attr-defined]
    module.MODEL_URLS = {"R231": ("https://example.org/r231.pth", 3)}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lungmask", package)
    monkeypatch.setitem(sys.modules, "lungmask.mask", module)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints" / "r231.pth"


def test_lungmask_without_the_weights(chest: Any, weights: Path) -> None:
    """Nothing is downloaded unasked; the message says from where to where."""
    with pytest.raises(MissingExtraError, match=r"download https://example.org/r231.pth to .*r231"):
        lungs_of("lungmask", chest.volume, chest.spacing, None)


def test_lungmask_gives_both_lungs_and_leaves_the_ct_alone(chest: Any, weights: Path) -> None:
    """Labels 1 and 2 are lung."""
    weights.touch()
    before = chest.volume.copy()

    lungs = lungs_of("lungmask", chest.volume, chest.spacing, None)

    np.testing.assert_array_equal(lungs, before < -500)
    np.testing.assert_array_equal(chest.volume, before)
