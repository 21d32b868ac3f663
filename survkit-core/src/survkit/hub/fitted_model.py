"""A trained model with everything that predicting for new subjects needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

import torch

from survkit.errors import DataError
from survkit.flow import ModalityInput, to_device
from survkit.hub.average_prediction import AveragePrediction
from survkit.hub.description import ModelDescription
from survkit.hub.origin import Origin
from survkit.hub.other_preparation import other_preparation
from survkit.hub.whole_float32 import whole_float32
from survkit.model import SurvivalModel
from survkit.prediction import SurvivalPrediction
from survkit.protocols import SurvivalHead

if TYPE_CHECKING:
    from survkit.data import Cohort, PreparationCache, SubjectStore
    from survkit.hub.push_settings import PushOptions

Progress = Callable[[int, int], None]
ENTRIES = "entries"
"""Names of an embedding's columns, added to what the cohort file declares."""
_SOURCE_KEYS = frozenset(
    {"path", "mask", "file", "columns", "exclude", "categorical", "label", ENTRIES}
)
"""Keys of a modality that say where its data lie, not how they are prepared."""
_GRID_KEYS = ("spacing", "size", "crop")
"""Keys that say which voxels the modality has whose grid another one shares."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedModel:
    """Trained networks and their description.

    Attributes:
        members: One network, or several whose predictions are averaged; in eval mode, on the CPU.
        description: What they are.
        source: Which commit on the Hub they were fetched from; ``None`` if they were not.
    """

    members: tuple[SurvivalModel, ...]
    description: ModelDescription
    source: Origin | None = None

    def predict(
        self,
        cohort: Cohort,
        rows: Sequence[int] | None = None,
        *,
        micro_batch: int = 16,
        device: str = "cpu",
        cache: PreparationCache | None = None,
        progress: Progress | None = None,
    ) -> SurvivalPrediction:
        """Predict for subjects of a cohort, whose outcome need not be known.

        Args:
            cohort: Declares the same modalities, prepared alike.
            rows: Positions in it; everybody by default.
            micro_batch: Subjects in memory at once; changes nothing but memory and time.
            device: Where the networks run.
            cache: Where prepared images are kept.
            progress: Told how many images each network has been given, and of how many.

        Raises:
            DataError: The cohort lacks a modality or prepares it otherwise.
        """
        from survkit.data import store_for

        cohort = cohort.with_twins(self.description.twins)
        check_preparation(self.description, cohort)
        chosen = list(range(len(cohort)) if rows is None else rows)
        predictions = []
        for member in self.members:
            encoders = dict(member.encoders.items())
            specs = self.description.inputs
            store = store_for(
                cohort, chosen, specs, encoders=encoders, cache=cache, progress=progress
            )
            parts = _in_parts(store, chosen, micro_batch)
            predictions.append(predict_inputs(member, parts, device=device))
        return predictions[0] if len(predictions) == 1 else AveragePrediction(predictions)

    def save_pretrained(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the model folder, as :func:`survkit.save_pretrained` does."""
        from survkit.hub.save import save_pretrained

        return save_pretrained(self, folder, overwrite=overwrite)

    def push_to_hub(self, name: str, **options: Unpack[PushOptions]) -> Origin:
        """Publish the model with a card that is made for it, and return which commit it became.

        What was measured of a model lies in its folder, not in the model: push the folder with
        :func:`survkit.push_to_hub` to publish its ``metrics.json`` and its own card too.

        Args:
            name: Such as ``org/name``.
            options: ``private``, ``revision``, ``token`` and ``message`` of
                :func:`survkit.push_to_hub`.
        """
        from survkit.hub.push_fitted import push_fitted

        return push_fitted(self, name, **options)


def _in_parts(
    store: SubjectStore, rows: Sequence[int], micro_batch: int
) -> Iterator[Mapping[str, ModalityInput]]:
    """Yield what the networks are given, so many subjects at a time."""
    for start in range(0, len(rows), micro_batch):
        yield store.inputs(rows[start : start + micro_batch])


def predict_inputs(
    model: SurvivalModel,
    parts: Iterable[Mapping[str, ModalityInput]],
    *,
    device: str | torch.device = "cpu",
) -> SurvivalPrediction:
    """Predict for inputs that are given in parts, one in memory at a time; the curves are made on
    the CPU.
    """
    dtype = next(model.parameters()).dtype
    model.eval().to(device)
    try:
        with torch.no_grad(), whole_float32():
            parameters = [
                model(as_model_input(inputs, dtype, device), penalties=False).parameters.cpu()
                for inputs in parts
            ]
    finally:
        model.cpu()
    return cast(SurvivalHead, model.head).predict(torch.cat(parameters))


def check_preparation(description: ModelDescription, cohort: Cohort) -> None:
    """Refuse a cohort whose images reach the model otherwise than those it was trained on.

    Raises:
        DataError: The unit of time is another, or a modality is missing, of another kind, or
            prepared with other settings.
    """
    if cohort.time_unit != description.outcome.time_unit:
        raise DataError(
            f"{cohort.source}: outcome.unit is {cohort.time_unit}, but the model speaks of "
            f"{description.outcome.time_unit}; give durations and the unit in "
            f"{description.outcome.time_unit}"
        )
    for name, trained in description.preparation.items():
        modality = description.modality_of(name)
        if modality not in cohort.modalities:
            raise DataError(
                f"{cohort.source}: the model needs the modality '{modality}', but the cohort has "
                f"{', '.join(cohort.modalities)}; a subject without it is an empty cell, not a "
                "missing modality"
            )
        given = declared(cohort, name)
        where = f"{cohort.source}: modalities.{modality}"
        _check_entries(trained.get(ENTRIES), given.get(ENTRIES), where)
        for key in sorted({*trained, *given} - _SOURCE_KEYS):
            was = trained[key] if key in trained else _default(cohort, name, key)
            if was != given.get(key):
                raise DataError(
                    other_preparation(cohort.source, modality, key, given.get(key), was)
                )


def _default(cohort: Cohort, modality: str, key: str) -> Any:
    """Return what a key meant to a model from before there was one: its default."""
    fields = type(cohort.declaration(modality)).model_fields
    known = key in fields and not fields[key].is_required()
    return fields[key].default if known else None


def _check_entries(trained: list[str] | None, given: list[str] | None, where: str) -> None:
    """Refuse an embedding whose columns stand in another order: the network knows places only."""
    if not trained or not given or trained == given:
        return
    if len(trained) != len(given):
        raise DataError(f"{where} has {len(given)} entries, but the model takes {len(trained)}")
    place = next(k for k, names in enumerate(zip(trained, given, strict=True)) if len({*names}) > 1)
    raise DataError(
        f"{where}: entry {place + 1} of the embedding is the column '{given[place]}', but the "
        f"model was trained on '{trained[place]}' there; list the columns in the order of training "
        f"under modalities.{where.rpartition('.')[2]}.columns"
    )


def declared(cohort: Cohort, modality: str) -> dict[str, Any]:
    """Return a modality's settings in the cohort file, with all defaults, as plain data.

    An embedding's column names are added, for the network knows their order only; so is the
    declaration of the modality whose grid a volume shares, for it decides where that is cut.
    """
    from survkit.data.modality_config import VolumeModality
    from survkit.data.readers.vector import VectorSource

    settings = cohort.declaration(modality)
    plain = settings.model_dump(mode="json")
    source = cohort.source_of(modality)
    if isinstance(source, VectorSource):
        plain[ENTRIES] = list(source.entries)
    if isinstance(settings, VolumeModality) and settings.grid is not None:
        other = declared(cohort, settings.grid)
        shared = {key: other[key] for key in _GRID_KEYS}
        plain["grid"] = {"of": settings.grid, **shared}
    return plain


def as_model_input(
    inputs: Mapping[str, ModalityInput], dtype: torch.dtype, device: str | torch.device
) -> dict[str, ModalityInput]:
    """Return the inputs in the network's precision and on its device."""
    return {
        name: to_device(replace(value, values=value.values.to(dtype)), device)
        for name, value in inputs.items()
    }
