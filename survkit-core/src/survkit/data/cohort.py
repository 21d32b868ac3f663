"""A cohort: subjects, what happened to them, and their modalities."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data.cohort_config import CohortConfig
from survkit.data.modality_config import (
    ImageModality,
    Modality,
    TableModality,
    VectorModality,
    VolumeModality,
)
from survkit.data.outcome import UNKNOWN_EVENT, Outcome, sorted_codes
from survkit.data.problem import refuse
from survkit.data.raw_cohort import RawCohort, outcome_problems, read_raw_cohort, subject_problems
from survkit.data.readers.source import ModalitySource
from survkit.data.readers.table import open_table
from survkit.data.readers.vector import open_archive, open_vectors
from survkit.data.text_table import read_table
from survkit.data.twins import check_twins
from survkit.errors import ConfigError, DataError
from survkit.flow import SurvivalTarget
from survkit.protocols import Sample
from survkit.specs import InputSpec
from survkit.suggest import did_you_mean

if TYPE_CHECKING:
    from survkit.data.readers.volume import VolumeSource

Rows = torch.Tensor | Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Subjects in the order of the table; a row is a position in it.

    Attributes:
        name: Of the cohort.
        source: The cohort file, for messages.
        config: Its content.
        subjects: Identifiers, each once.
        outcome: What happened; ``None`` if it was not asked for.
        site: Centre of every subject, where the cohort file names the column.
        sources: The modalities.
        digest: Of the cohort file and the table.
        left_out: Subjects of the table whose event is missing, under ``unknown: exclude``.
        twins: Further names of modalities, such as that of a second encoder that reads one; name →
            modality. What is asked for by such a name is the modality's.
        group: What each subject must stay together with, where the cohort file names the column.
    """

    name: str
    source: str
    config: CohortConfig
    subjects: tuple[str, ...]
    outcome: Outcome | None
    site: tuple[str, ...] | None
    sources: Mapping[str, ModalitySource]
    digest: str
    left_out: tuple[str, ...] = ()
    twins: Mapping[str, str] = field(default_factory=dict)
    group: tuple[str, ...] | None = None

    @classmethod
    def read(
        cls,
        path_yaml: str | Path,
        *,
        table: str | Path | None = None,
        data_folder: str | Path | None = None,
        needs_outcome: bool = True,
    ) -> Cohort:
        """Read a cohort file, its tables and the outcome; images are read when they are asked for.

        Args:
            path_yaml: The cohort file.
            table: Table to use instead of the one that it names.
            data_folder: What relative paths in the cohort file are relative to; default: the file's
                folder.
            needs_outcome: With ``False`` no outcome column is looked at, for subjects yet to be
                predicted.

        Raises:
            ConfigError: The cohort file is wrong.
            DataError: A table is wrong; the message names the first row that is.
        """
        raw = read_raw_cohort(
            path_yaml, table=table, data_folder=data_folder, needs_outcome=needs_outcome
        )
        problems = subject_problems(raw)
        outcome = None
        if needs_outcome:
            outcome, found = outcome_problems(raw)
            problems += found
        refuse(problems, source=raw.table.source)
        whole = _assembled(raw, outcome)
        if outcome is None or bool((outcome.event != UNKNOWN_EVENT).all()):
            return whole
        unknown = outcome.event == UNKNOWN_EVENT
        left_out = tuple(whole.subjects[row] for row in np.flatnonzero(unknown))
        return replace(whole.subset(np.flatnonzero(~unknown)), left_out=left_out)

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def causes(self) -> tuple[str, ...]:
        """Names of the causes; event code k is ``causes[k - 1]``."""
        settings = self.config.outcome
        return tuple(settings.causes[code] for code in sorted_codes(settings))

    @property
    def time_unit(self) -> str:
        """Unit of every duration."""
        return self.config.outcome.unit

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names in the order of the cohort file, without twins."""
        return tuple(self.sources)

    @property
    def needs_mask(self) -> tuple[str, ...]:
        """Modalities that cannot be prepared without a mask, so neither can a new patient's."""
        settings = {name: self.config.modality(name) for name in self.modalities}
        return tuple(
            n for n, s in settings.items() if isinstance(s, VolumeModality) and s.crop == "mask"
        )

    def target(self, rows: Rows) -> SurvivalTarget:
        """Return what was observed for the rows; float64 and int64 (row).

        Raises:
            DataError: The cohort was read without its outcome.
        """
        if self.outcome is None:
            raise DataError(f"{self.source}: the cohort was read without its outcome")
        return self.outcome.target(self.positions(rows))

    def available(self, modality: str) -> NDArray[np.bool_]:
        """Return which subjects have the modality; bool (subject)."""
        return self.source_of(modality).available

    def input_spec(self, modality: str, rows: Rows) -> InputSpec:
        """Return what an encoder is given. Categories of columns are those of the given rows alone.

        Pass training rows: a category that only other subjects have is "unseen" to the model.
        """
        return self.source_of(modality).spec(self.positions(rows))

    def read_sample(self, modality: str, row: int, spec: InputSpec) -> Sample | None:
        """Return one subject's modality, ``None`` where it is missing.

        Raises:
            DataError: A file is missing, corrupt, or its geometry is not what was declared.
        """
        return self.source_of(modality).read(row, spec)

    def declaration(self, modality: str) -> Modality:
        """Return what the cohort file says of a modality.

        Raises:
            DataError: There is none of that name.
        """
        self.source_of(modality)
        return self.config.modality(self.twins.get(modality, modality), source=self.source)

    def with_twins(self, twins: Mapping[str, str]) -> Cohort:
        """Return the cohort with these further names of its modalities, and no others.

        Args:
            twins: Name → modality. Both have the same files, subjects and masks.

        Raises:
            ConfigError: A name is that of a modality, or what it stands for is none.
        """
        check_twins(twins, self.sources, self.source)
        return replace(self, twins=dict(twins))

    def subset(self, rows: Rows) -> Cohort:
        """Return the cohort of the given rows, in their order."""
        chosen = self.positions(rows)
        if len(np.unique(chosen)) < len(chosen):
            raise DataError("a subset names every subject once, but rows are repeated")
        return replace(
            self,
            subjects=tuple(self.subjects[row] for row in chosen),
            outcome=None if self.outcome is None else self.outcome.take(chosen),
            site=None if self.site is None else tuple(self.site[row] for row in chosen),
            group=None if self.group is None else tuple(self.group[row] for row in chosen),
            sources={name: source.take(chosen) for name, source in self.sources.items()},
        )

    def fingerprint(self) -> str:
        """Return a hash of the cohort file, tables, image sizes and subjects."""
        digest = hashlib.sha256(self.digest.encode())
        digest.update("\x1f".join(self.subjects).encode())
        for name, source in self.sources.items():
            digest.update(name.encode() + source.stamp())
        return digest.hexdigest()

    def positions(self, rows: Rows) -> NDArray[np.int64]:
        """Return rows as an int64 index.

        Raises:
            DataError: Not whole numbers, or outside the cohort.
        """
        index = np.asarray(rows.cpu() if isinstance(rows, torch.Tensor) else rows)
        if index.dtype.kind not in "iu" and index.size:
            raise DataError(f"rows are whole numbers, not {index.dtype}")
        wrong = index[(index < 0) | (index >= len(self))]
        if wrong.size:
            raise DataError(f"row {wrong[0]} is not in a cohort of {len(self)} subjects")
        return index.astype(np.int64)

    def source_of(self, modality: str) -> ModalitySource:
        """Return what reads a modality.

        Raises:
            DataError: There is none of that name.
        """
        name = self.twins.get(modality, modality)
        if name not in self.sources:
            raise DataError(
                f"{self.source}: no modality is named '{modality}'. "
                f"{did_you_mean(modality, self.sources)}"
            )
        return self.sources[name]


def _assembled(raw: RawCohort, outcome: Outcome | None) -> Cohort:
    subjects = tuple(str(name) for name in raw.subjects())
    sources = {name: open_modality(raw, name, subjects) for name in raw.config.modalities}
    present = np.any([source.available for source in sources.values()], axis=0)
    if not present.all():
        subject = subjects[int(np.flatnonzero(~present)[0])]
        raise DataError(
            f"{raw.table.source}: subject '{subject}' has none of the modalities "
            f"({int((~present).sum())} such subjects); remove the row (`survkit cohort check "
            "--drop-invalid` does, and says so)"
        )
    written = hashlib.sha256(raw.path.read_bytes()).hexdigest()
    return Cohort(
        name=raw.config.name,
        source=str(raw.path),
        config=raw.config,
        subjects=subjects,
        outcome=outcome,
        site=raw.cells(raw.config.site),
        sources=sources,
        digest=written + raw.table.sha256,
        group=raw.cells(raw.config.group),
    )


def open_modality(raw: RawCohort, name: str, subjects: Sequence[str]) -> ModalitySource:
    """Open one modality of the cohort.

    Raises:
        DataError: Its file or columns cannot be used.
        MissingExtraError: It needs an optional package that is not installed.
    """
    settings = raw.config.modality(name, source=str(raw.path))
    if isinstance(settings, VolumeModality):
        return _open_volumes(raw, name, settings)
    if isinstance(settings, ImageModality):
        from survkit.data.readers.image import open_images

        return open_images(settings, raw.table, raw.folder, name)
    if isinstance(settings, VectorModality) and str(settings.file).endswith(".npz"):
        return open_archive(settings, raw.file(str(settings.file)), subjects, name)
    table = raw.table
    if settings.file is not None:
        table = read_table(raw.file(settings.file), missing=raw.config.missing)
    opener = open_table if isinstance(settings, TableModality) else open_vectors
    return opener(settings, table, raw.config.subject, subjects, name)  # type: ignore[arg-type]


def _open_volumes(raw: RawCohort, name: str, settings: VolumeModality) -> VolumeSource:
    """Open volumes, with those whose grid they share."""
    from survkit.data.readers.volume import open_volumes

    reference = None
    if settings.grid is not None:
        other = raw.config.modality(settings.grid, source=str(raw.path))
        if not isinstance(other, VolumeModality):  # refused when the file was read
            raise ConfigError(f"{raw.path}: modalities.{name}.grid names no volume")
        reference = _open_volumes(raw, settings.grid, other)
    return open_volumes(settings, raw.table, raw.folder, name, reference)
