"""The scenarios of a stress test for which nobody asked for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from survkit.corruptions.modality_corruption import ModalityCorruption, build_part
from survkit.errors import ConfigError
from survkit.registry import Registry
from survkit.specs import InputKind
from survkit.stress.scenario import Scenario
from survkit.suggest import did_you_mean

OF_MASKS = "mask-jitter"
"""The suite leaves it out where no encoder looks at a mask."""
COUNTED = "pet"
"""The modality whose noise is that of counting, in the joint scenarios."""
IMAGES = ("image", "volume")
DEFAULT_SEVERITIES = ("high",)


def suite(
    kinds: Mapping[str, InputKind],
    masked: Sequence[str],
    severities: Sequence[str],
    registry: Registry,
) -> list[Scenario]:
    """Return every registered corruption of every modality, at the levels asked for, and noise on
    all images at once.

    A corruption without levels is in it once, as it is by default.

    Args:
        kinds: Kind of each modality of the model.
        masked: Modalities whose encoder may look at a mask that the cohort names.
        severities: Names of levels.
        registry: Where corruptions are registered.

    Raises:
        ConfigError: No corruption that applies has a level of that name.
    """
    found: list[ModalityCorruption] = []
    known: set[str] = set()
    for modality, kind in kinds.items():
        for component in registry.iterate("corruption"):
            plain = component.load()
            levels, applies = plain.levels, kind in plain.kinds
            if not applies or (component.full_name == OF_MASKS and modality not in masked):
                continue
            known |= set(levels)
            chosen = [levels[name] for name in severities if name in levels]
            for settings in chosen if levels else [{}]:
                found.append(build_part(component, modality, settings))
    for name in severities:
        if name not in known:
            raise ConfigError(f"no severity is named {name!r}. {did_you_mean(name, known)}")
    images = [modality for modality, kind in kinds.items() if kind in IMAGES]
    return [*(Scenario((part,)) for part in found), *_noise_on_all(found, images, severities)]


def _noise_on_all(
    parts: Sequence[ModalityCorruption], images: Sequence[str], severities: Sequence[str]
) -> list[Scenario]:
    """Return one scenario per severity that corrupts every image modality of a model with several:
    white noise, but counting noise where the modality is called ``pet``.

    Reference: the robustness test of Farooq et al. (2025, arXiv 2505.02529), Gaussian noise on CT
    and Poisson noise on PET of the same subjects.
    """
    if len(images) < 2:
        return []
    noise = {name: "poisson-noise" if name == COUNTED else "gaussian-noise" for name in images}
    found = []
    for severity in severities:
        joined = tuple(
            part
            for part in parts
            if (noise.get(part.modality), severity) == (part.name, part.severity)
        )
        if len(joined) == len(images):  # else a level that another corruption has
            found.append(Scenario(joined))
    return found
