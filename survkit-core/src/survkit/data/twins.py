"""Further names of modalities, for encoders that are not named after what they read."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from survkit.errors import ConfigError
from survkit.suggest import did_you_mean


def check_twins(twins: Mapping[str, str], modalities: Collection[str], source: str) -> None:
    """Refuse names that would say something else than the cohort file.

    Args:
        twins: Name of an encoder → modality that it reads.
        modalities: Of the cohort.
        source: The cohort file, for messages.

    Raises:
        ConfigError: A name is that of a modality of the cohort, or what is read is no modality of
            it, such as the name of another encoder.
    """
    for name, modality in twins.items():
        where = f"{source}: the encoder '{name}' reads the modality '{modality}', but"
        if name in modalities:
            raise ConfigError(
                f"{where} the cohort has a modality '{name}' of its own; name the encoder, or that "
                "modality, otherwise"
            )
        if modality in twins and modality not in modalities:
            raise ConfigError(
                f"{where} '{modality}' is an encoder, which reads '{twins[modality]}'; name the "
                "modality itself"
            )
        if modality not in modalities:
            raise ConfigError(
                f"{where} the cohort has none of that name. {did_you_mean(modality, modalities)}"
            )
