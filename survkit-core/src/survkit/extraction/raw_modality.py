"""The modality whose features are extracted, with the intensities of its files."""

from __future__ import annotations

from dataclasses import replace

from survkit.data import Cohort
from survkit.data.modality_config import ImageModality, ImagingModality
from survkit.data.readers.image import ImageSource
from survkit.data.readers.volume import VolumeSource
from survkit.errors import ConfigError, DataError
from survkit.extraction.settings import ExtractionSettings

RawSource = ImageSource | VolumeSource


def only_imaging(cohort: Cohort) -> str:
    """Return the name of the cohort's only image or volume.

    Raises:
        ConfigError: There is none, or there are several.
    """
    names = [
        name for name in cohort.modalities if isinstance(cohort.declaration(name), ImagingModality)
    ]
    if len(names) != 1:
        found = ", ".join(names) or f"no image, only {', '.join(cohort.modalities)}"
        raise ConfigError(
            f"{cohort.source}: features are of one image or volume, but the cohort has {found}"
            + ("; choose by --modality" if names else "")
        )
    return names[0]


def raw_modality(cohort: Cohort, modality: str, settings: ExtractionSettings) -> RawSource:
    """Return a modality as the cohort file declares it, but without ``window``.

    Features by bins of a fixed width are of the intensities that were measured; a window would
    clip them and map them to [-1, 1], of which there is one grey level. A declared ``range``
    stays: it makes files of different depths alike.

    Raises:
        DataError: There is no such modality.
        ConfigError: It is no image of one channel, or has no masks although regions are asked for.
    """
    source = cohort.source_of(modality)
    where = f"{cohort.source}: modalities.{modality}"
    if not isinstance(source, ImageSource | VolumeSource):
        kind = cohort.declaration(modality).kind
        raise ConfigError(f"{where} is a {kind}; radiomic features are of an image or a volume")
    config = source.config
    if isinstance(config, ImageModality) and config.color == "rgb":
        raise ConfigError(
            f"{where}.color is rgb, but radiomic features are of one channel; declare color: gray "
            "(with convert: true, where the files are in colour)"
        )
    if settings.region == "patches" and not isinstance(source, ImageSource):
        raise ConfigError(
            f"{where} is a volume, but patches are cut from images; take the features of its "
            "region (--region roi)"
        )
    if settings.region == "roi" and config.mask is None:
        raise ConfigError(
            f"{where} names no 'mask', so there is no region; declare the column of the masks"
            + (", or take --region patches" if isinstance(source, ImageSource) else "")
        )
    plain = config.model_copy(update={"window": None})
    return replace(source, config=plain)  # type: ignore[arg-type]


def refuse_channels(channels: int, source: str) -> None:
    """Refuse an image of several channels.

    Raises:
        DataError: It has.
    """
    if channels != 1:
        raise DataError(
            f"{source}: radiomic features are of one channel, but the image has {channels}; choose "
            "one by 'channel' in the cohort file"
        )
