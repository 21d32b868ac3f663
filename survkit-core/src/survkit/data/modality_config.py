"""What a cohort file says of each modality: columns, embeddings, images and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from survkit.errors import ConfigError
from survkit.suggest import did_you_mean

Name = Annotated[str, Field(min_length=1)]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Window = Annotated[list[Finite | str], Field(min_length=2, max_length=2)]
Crop = Literal["center", "mask", "peak"]


class Section(BaseModel):
    """A part of the file: unknown keys and values of another type are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


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
        columns: Columns to use. With ``file`` the default is all of them but the subject.
        exclude: Columns of ``file`` to leave out.
        tokens: A subject may have several rows, each one token.
    """

    kind: Literal["vector"]
    file: Name | None = None
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    exclude: list[Name] = []
    tokens: bool = False

    @model_validator(mode="after")
    def _columns_are_named(self) -> VectorModality:
        if self.file is None and self.columns is None:
            raise ValueError("a vector modality needs 'file' or 'columns' of the cohort's table")
        if self.file is None and self.tokens:
            raise ValueError("tokens need a 'file' with several rows per subject")
        if self.columns is not None and self.exclude:
            raise ValueError("give 'columns' or 'exclude', not both")
        _refuse_repeats(self.columns or [])
        return self


class ImagingModality(Section):
    """What images and volumes share.

    Attributes:
        path: Column of the cohort's table that holds the file; an empty cell is a missing modality.
        mask: Column that holds the file of the region of interest, on the same grid.
        label: Value of the mask that is the region; default: every value but 0.
        window: Values from and to which intensities are clipped and mapped to -1 and 1. An end such
            as "p99.9" is that percentile of the prepared image itself, what was added outside it
            not counted; nothing is learnt from other subjects.
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
    def _window_rises(cls, window: list[float | str] | None) -> list[float | str] | None:
        ends = [_end(end) for end in window or []]
        if window is None or isinstance(window[0], str) != isinstance(window[1], str):
            return window  # a number and a percentile are compared image by image
        if ends[1] <= ends[0]:
            raise ValueError(f"a window goes from a smaller to a larger value, not {window}")
        return window


class VolumeModality(ImagingModality):
    """3-D images (NIfTI, NRRD, MHA, or a folder with one DICOM series), turned to LPS axes.

    So z runs to the head, y to the back, x to the left of the patient.

    Attributes:
        channel: Component to take of an image that has several; default: all of them are channels.
        spacing: Voxel size to resample to, in mm, as [z, y, x].
        size: Voxels to crop or pad to, as [z, y, x].
        crop: Where the crop is centred: on the mask's bounding box, on the volume, or on its peak,
            the brightest voxel after a light smoothing (for a PET without a mask).
        interpolation: Of the image; masks always take the nearest voxel, and so must a map of
            labels that is a modality of its own. B-splines may overshoot.
        grid: Another volume modality, to whose prepared grid this one is resampled: the same
            points of the patient, so that one box cuts both.
        alone: Where the crop is centred in a subject who has this volume but not the one that
            ``grid`` names; spacing and size stay that one's. Without it such a subject is refused.
    """

    kind: Literal["volume"]
    channel: Annotated[int, Field(ge=0)] | None = None
    spacing: Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)] | None = None
    size: Annotated[list[PositiveInt], Field(min_length=3, max_length=3)] | None = None
    crop: Crop = "center"
    interpolation: Literal["linear", "bspline", "nearest"] = "linear"
    grid: Name | None = None
    alone: Crop | None = None

    @model_validator(mode="after")
    def _crop_has_what_it_needs(self) -> VolumeModality:
        if self.crop == "mask" and (self.mask is None or self.size is None):
            raise ValueError("crop: mask needs a 'mask' column and a 'size'")
        if self.crop == "peak" and self.size is None:
            raise ValueError("crop: peak needs a 'size'")
        return self

    @model_validator(mode="after")
    def _one_grid(self) -> VolumeModality:
        if self.grid is None:
            if self.alone is not None:
                raise ValueError("alone is about subjects without the volume that 'grid' names")
            return self
        if self.spacing is not None or self.size is not None or self.crop != "center":
            raise ValueError(
                f"grid: {self.grid} takes spacing, size and crop from '{self.grid}'; leave them "
                "out here (alone: peak, mask or center says where the crop of a subject without "
                f"'{self.grid}' is centred)"
            )
        if self.alone == "mask" and self.mask is None:
            raise ValueError("alone: mask needs a 'mask' column")
        return self


MOST_PIXELS = 2**26
"""More than any detector has: 8,192 x 8,192."""


class ImageModality(ImagingModality):
    """2-D images: PNG, JPEG, TIFF, or one DICOM file of a radiograph; every bit is kept.

    Bright means dense: DICOM in MONOCHROME1 and TIFF whose zero is white are mirrored. Slope and
    intercept of DICOM are applied, its VOI window and LUT are not: ``window`` is said here.

    Attributes:
        size: Pixels to resize to, as [y, x].
        fit: How a picture of another aspect gets that size: stretched, padded (with ``pad``) or
            cropped to the middle.
        color: Channels that every image must have.
        convert: Change images of another colour to ``color``; without it they are refused.
        invert: Mirror all intensities within the range of the file's bits: for files in which
            dense is dark though nothing in them says so.
        range: What intensities are mapped to, such as [0, 255]: from ``window`` where it is given
            (instead of -1 and 1), else from the full range of the file's bits.
    """

    kind: Literal["image"]
    size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = None
    fit: Literal["stretch", "pad", "crop"] = "stretch"
    color: Literal["gray", "rgb"] = "gray"
    convert: bool = False
    invert: bool = False
    range: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _keys_fit(self) -> ImageModality:
        if self.size is not None and prod(self.size) > MOST_PIXELS:
            raise ValueError(
                f"size: an image has at most {MOST_PIXELS} pixels, not {self.size[0]} x "
                f"{self.size[1]}"
            )
        if self.fit != "stretch" and self.size is None:
            raise ValueError(f"fit: {self.fit} needs a 'size' to fit into")
        if self.pad is not None and self.fit != "pad":
            raise ValueError("'pad' is an intensity for fit: pad; nothing is padded without it")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError(f"a range goes from a smaller to a larger value, not {self.range}")
        return self


Modality = TableModality | VectorModality | VolumeModality | ImageModality

MODALITY_KINDS: dict[str, type[Modality]] = {
    "table": TableModality,
    "vector": VectorModality,
    "volume": VolumeModality,
    "image": ImageModality,
}


def check_grids(volumes: Mapping[str, VolumeModality], source: str) -> None:
    """Refuse a ``grid`` that names no volume with a grid of its own.

    Raises:
        ConfigError: It does, or ``alone`` centres a crop that has no size.
    """
    for name, settings in volumes.items():
        if settings.grid is None:
            continue
        where = f"{source}: modalities.{name}.grid"
        others = [other for other in volumes if other != name]
        if settings.grid not in others:
            raise ConfigError(
                f"{where}: no other modality of kind volume is '{settings.grid}'. "
                f"{did_you_mean(settings.grid, others)}"
            )
        reference = volumes[settings.grid]
        if reference.grid is not None:
            raise ConfigError(
                f"{where}: '{settings.grid}' has itself the grid of '{reference.grid}'; name "
                "a modality with a grid of its own"
            )
        if settings.alone in ("mask", "peak") and reference.size is None:
            raise ConfigError(
                f"{source}: modalities.{name}.alone: {settings.alone} centres a crop, but "
                f"modalities.{settings.grid} declares no 'size' to crop to"
            )


def _refuse_repeats(columns: list[str]) -> None:
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise ValueError(f"the column {repeated[0]!r} stands twice")


def _end(end: float | str) -> float:
    """Return a number, or the percentage of a percentile."""
    if not isinstance(end, str):
        return end
    number = end.removeprefix("p")
    if end == number or not number.replace(".", "", 1).isdecimal() or float(number) > 100:
        raise ValueError(f'an end is a number or a percentile such as "p99.9", not {end!r}')
    return float(number)
