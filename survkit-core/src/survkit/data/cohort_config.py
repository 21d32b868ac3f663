"""The cohort file: which columns say what, and what the modalities are.

Everything that changes a number on its way to the model is a key of this file; nothing is assumed
from the data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from survkit.errors import ConfigError
from survkit.safe_yaml import read_yaml
from survkit.suggest import did_you_mean
from survkit.validation import validate

Code = int | str
Name = Annotated[str, Field(min_length=1)]
ModalityName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Window = Annotated[list[Finite], Field(min_length=2, max_length=2)]


class Section(BaseModel):
    """A part of the file: unknown keys and values of another type are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class OutcomeConfig(Section):
    """Which columns say what happened.

    Attributes:
        duration: Column of the time from origin to event or censoring.
        unit: Unit of durations and entries; it is stored with every model and never converted.
        event: Column of the event code.
        causes: Name of the cause by its code in the column.
        censored: Code of subjects without an event.
        censor: Further codes that are knowingly counted as censored, such as other causes of death.
        unknown: Subjects whose event cell is empty are refused, or knowingly left out; who is left
            out is told by ``survkit cohort check``, by the run and in its report.
        entry: Column of the delayed entry (left truncation) time.
        weight: Column of the case weight.
    """

    duration: Name
    unit: Literal["days", "months", "years"]
    event: Name
    causes: Annotated[dict[Code, Name], Field(min_length=1)]
    censored: Code = 0
    censor: list[Code] = []
    unknown: Literal["refuse", "exclude"] = "refuse"
    entry: Name | None = None
    weight: Name | None = None

    @model_validator(mode="after")
    def _each_code_means_one_thing(self) -> OutcomeConfig:
        codes = [str(code) for code in (self.censored, *self.causes, *self.censor)]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(
                f"every event code means one thing, but {', '.join(twice)} stands more than once "
                "in causes, censored and censor"
            )
        names = list(self.causes.values())
        if len(set(names)) < len(names):
            raise ValueError(f"causes need different names, not {names}")
        return self


class TableModality(Section):
    """Columns of the cohort's table, or of a table of its own joined by subject.

    Attributes:
        file: Table with one row per subject; subjects without a row miss the modality.
        columns: Columns to use. With ``file`` the default is all of them but the subject.
        exclude: Columns of ``file`` to leave out.
        categorical: Columns whose values are names even if they look like numbers.
    """

    kind: Literal["table"]
    file: Name | None = None
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    exclude: list[Name] = []
    categorical: list[Name] = []

    @model_validator(mode="after")
    def _columns_are_named(self) -> TableModality:
        if self.file is None and self.columns is None:
            raise ValueError(
                "a table modality needs 'columns' (of the cohort's table) or 'file'; the cohort's "
                "table also holds the outcome, so its columns are always named"
            )
        if self.columns is not None:
            _refuse_repeats(self.columns)
            foreign = [name for name in self.categorical if name not in self.columns]
            if foreign:
                raise ValueError(f"categorical names {foreign[0]!r}, which is not in columns")
            if self.exclude:
                raise ValueError("give 'columns' or 'exclude', not both")
        return self


class VectorModality(Section):
    """Precomputed embeddings.

    Attributes:
        file: Parquet or CSV with the subject and numeric columns, or an ``.npz`` keyed by subject.
        columns: Columns to use; default: all but the subject.
        tokens: A subject may have several rows, each one token.
    """

    kind: Literal["vector"]
    file: Name | None = None
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    tokens: bool = False

    @model_validator(mode="after")
    def _columns_are_named(self) -> VectorModality:
        if self.file is None and self.columns is None:
            raise ValueError("a vector modality needs 'file' or 'columns' of the cohort's table")
        if self.file is None and self.tokens:
            raise ValueError("tokens need a 'file' with several rows per subject")
        _refuse_repeats(self.columns or [])
        return self


class ImagingModality(Section):
    """What images and volumes share.

    Attributes:
        path: Column of the cohort's table that holds the file; an empty cell is a missing modality.
        mask: Column that holds the file of the region of interest, on the same grid.
        label: Value of the mask that is the region; default: every value but 0.
        window: Values from and to which intensities are clipped and mapped to -1 and 1.
        pad: Intensity of what is added outside the image; default the lower end of the window, else
            the image's smallest intensity.
    """

    path: Name
    mask: Name | None = None
    label: Annotated[int, Field(gt=0)] | None = None
    window: Window | None = None
    pad: Finite | None = None

    @field_validator("window")
    @classmethod
    def _window_rises(cls, window: list[float] | None) -> list[float] | None:
        if window is not None and window[1] <= window[0]:
            raise ValueError(f"a window goes from a smaller to a larger value, not {window}")
        return window


class VolumeModality(ImagingModality):
    """3-D images (NIfTI, NRRD, MHA, or a folder with one DICOM series), turned to LPS axes.

    So z runs to the head, y to the back, x to the left of the patient.

    Attributes:
        channel: Component to take of an image that has several; default: all of them are channels.
        spacing: Voxel size to resample to, in mm, as [z, y, x].
        size: Voxels to crop or pad to, as [z, y, x].
        crop: Where the crop is centred: on the mask's bounding box or on the volume.
        interpolation: Of the image; masks always take the nearest voxel. B-splines may overshoot.
    """

    kind: Literal["volume"]
    channel: Annotated[int, Field(ge=0)] | None = None
    spacing: Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)] | None = None
    size: Annotated[list[PositiveInt], Field(min_length=3, max_length=3)] | None = None
    crop: Literal["center", "mask"] = "center"
    interpolation: Literal["linear", "bspline"] = "linear"

    @model_validator(mode="after")
    def _crop_has_what_it_needs(self) -> VolumeModality:
        if self.crop == "mask" and (self.mask is None or self.size is None):
            raise ValueError("crop: mask needs a 'mask' column and a 'size'")
        return self


class ImageModality(ImagingModality):
    """2-D images (PNG, JPEG).

    Attributes:
        size: Pixels to resize to, as [y, x].
        color: Channels that every image must have.
        convert: Change images of another colour to ``color``; without it they are refused.
    """

    kind: Literal["image"]
    size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = None
    color: Literal["gray", "rgb"] = "gray"
    convert: bool = False


Modality = TableModality | VectorModality | VolumeModality | ImageModality

MODALITY_KINDS: dict[str, type[Modality]] = {
    "table": TableModality,
    "vector": VectorModality,
    "volume": VolumeModality,
    "image": ImageModality,
}


class CohortConfig(Section):
    """A cohort file.

    Attributes:
        name: Of the cohort, in reports.
        table: CSV or Parquet file, one row per subject; relative to the cohort file.
        subject: Column of the subject's identifier.
        outcome: What happened.
        site: Column of the centre.
        strata: Column of the group with its own baseline hazard.
        missing: Cells of text tables that stand for a missing value.
        modalities: By name; the values are validated by :func:`read_cohort_config`.
    """

    name: Name
    table: Name
    subject: Name
    outcome: OutcomeConfig
    site: Name | None = None
    strata: Name | None = None
    missing: list[str] = ["", "NA", "N/A", "NaN", "nan", "NULL", "null"]
    modalities: Annotated[dict[ModalityName, dict[str, Any]], Field(min_length=1)]

    def modality(self, name: str, *, source: str = "cohort") -> Modality:
        """Return the settings of one modality.

        Raises:
            ConfigError: They are wrong.
        """
        settings = self.modalities[name]
        where = f"{source}: modalities.{name}"
        kind = settings.get("kind")
        if kind is None:
            raise ConfigError(f"{where}: the key 'kind' is required ({', '.join(MODALITY_KINDS)})")
        if kind not in MODALITY_KINDS:
            raise ConfigError(
                f"{where}: no kind is {kind!r}. {did_you_mean(str(kind), MODALITY_KINDS)}"
            )
        return validate(MODALITY_KINDS[kind], settings, source=where)


def read_cohort_config(path: Path) -> CohortConfig:
    """Read and validate a cohort file.

    Raises:
        ConfigError: One line that names the file, the key, what was expected and what came.
    """
    config = validate(CohortConfig, read_yaml(path), source=str(path))
    for name in config.modalities:
        config.modality(name, source=str(path))
    return config


def _refuse_repeats(columns: list[str]) -> None:
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise ValueError(f"the column {repeated[0]!r} stands twice")
