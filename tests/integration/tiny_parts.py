"""A tiny setting of every installed component, and the company in which a fusion is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from survkit.plugins import default_registry
from survkit.specs import ColumnSpec, InputSpec

VOLUME = InputSpec(kind="volume", shape=(1, 16, 16, 16), spacing=(20.0, 20.0, 20.0))
IMAGE = InputSpec(kind="image", shape=(1, 32, 32))
TABLE = InputSpec(
    kind="table", shape=(2,), columns=(ColumnSpec("age"), ColumnSpec("sex", ("f", "m")))
)
NUMBERS = InputSpec(kind="table", shape=(2,), columns=(ColumnSpec("mean"), ColumnSpec("entropy")))
VECTOR = InputSpec(kind="vector", shape=(6,))
INPUTS = {"volume": VOLUME, "image": IMAGE, "table": TABLE, "vector": VECTOR}
"""One input of each kind."""

_CT = {"size": 32, "spacing": (20.0, 10.0, 10.0), "dim": 8}

ENCODERS: Mapping[str, tuple[InputSpec, Mapping[str, Any]]] = {
    "tabular": (TABLE, {"dim": 8}),
    "vector": (VECTOR, {"hidden": [4]}),
    "cnn3d": (VOLUME, {"channels": [4], "halvings": 1, "dim": 8}),
    "resnet3d-18": (VOLUME, {"width": 0.0625, "stem": "small", "norm": "group", "dim": 8}),
    "densenet3d-121": (VOLUME, {"width": 0.0625, "norm": "group", "dim": 8}),
    "slicetention/slices": (VOLUME, _CT | {"backbone": "mobilenetv3_small_050", "weights": None}),
    "slicetention/slice-transformer": (
        VOLUME,
        _CT | {"backbone": "vit_tiny_patch16_224", "weights": None, "heads": 2},
    ),
    "slicetention/lung-volume": (
        VOLUME,
        _CT
        | {
            "network_settings": {"width": 0.0625, "stem": "small", "norm": "group"},
            "depth": 16,
            "size": 16,
        },
    ),
    "robsurv/vq": (
        VOLUME,
        {
            "encoder": "cnn3d",
            "encoder_settings": {"channels": [4, 4], "halvings": 2, "dim": 8},
            "codebook_size": 4,
        },
    ),
    "robsurv/vq3d": (VOLUME, {"width": 0.0625, "codebook_size": 4}),
    "robsurv/voxels": (VOLUME, {"patch": 4}),
    "radvit/vit": (
        IMAGE,
        {
            "backbone": "vit_tiny_patch16_224", "patch": 8, "dim": 8, "depth": 1, "heads": 2,
            "blocks": 1, "weights": None, "tune": "all",
        },
    ),
    "radvit/radiomics-tokens": (
        IMAGE,
        {"patch": 16, "classes": ["firstorder"], "dim": 8, "heads": 2, "hidden": 8},
    ),
    "radvit/radiomics": (NUMBERS, {"dim": 8}),
    "radvit/roi-radiomics": (IMAGE, {"dim": 8}),
}  # fmt: skip
"""Input and settings of every encoder, by full name."""

FUSIONS: Mapping[str, Mapping[str, Any]] = {
    "concat": {},
    "mean": {"dim": 8},
    "gated": {"dim": 8, "gate_dim": 4},
    "attention": {"dim": 8, "heads": 2},
    "slicetention/soft-attention": {},
    "slicetention/class-token": {"heads": 2, "feed_forward": 8},
    "robsurv/dual-patch-fuse": {
        "patch": 1, "dim": 8, "heads": 1, "head_dim": 8, "continuous_dim": 8, "feed_forward": 8,
        "layer_heads": 1, "reduction": 2, "out_dim": 8,
    },
    "robsurv/joint-segmentation": {
        "channels": [4, 8], "dense_layers": [2, 1], "growth": 4, "features": 4,
    },
    "robsurv/merging-diverging": {
        "channels": [4, 8, 8], "self_levels": 1, "cross_levels": 1, "heads": 2, "window": 2,
    },
    "robsurv/patch-transformer": {
        "dim": 16, "layers": 2, "heads": 2, "feed_forward": 16, "decoder_channels": 4,
    },
    "robsurv/max": {"dim": 8},
    "radvit/mixed-risk": {"radiomics": "other", "projection": 8},
}  # fmt: skip
"""Settings of every fusion, by full name."""

HEADS: Mapping[str, Mapping[str, Any]] = {
    "cox": {},
    "deephit": {"shared": [4], "cause": [4]},
    "discrete-hazard": {},
    "cause-hazard": {"shared": [4], "cause": [4]},
    "mtlr": {},
    "pc-hazard": {},
    "weibull": {},
}
"""Settings of every head, by full name."""

LOSSES: Mapping[str, Mapping[str, Any]] = {
    "cox": {},
    "deephit-likelihood": {},
    "deephit-ranking": {},
    "hazard-likelihood": {},
    "weibull": {},
    "piecewise-likelihood": {},
    "pycox-logistic-hazard": {},
    "pycox-mtlr": {},
    "pycox-pc-hazard": {},
    "pycox-pmf": {},
    "rank-n-contrast": {},
    "robsurv/cross-patient": {},
    "radvit/contrastive-alignment": {"query": "one", "key": "other"},
}
"""Settings of every loss, by full name."""

TINY: Mapping[str, Mapping[str, Any]] = {
    "encoder": ENCODERS,
    "fusion": FUSIONS,
    "head": HEADS,
    "loss": LOSSES,
}

TWO_ALIKE = ("robsurv/dual-patch-fuse",)
"""Fusions of two modalities of one kind: the encoder is tried twice, not beside a table."""


@dataclass(frozen=True)
class Scene:
    """The modalities in which an encoder meets a fusion."""

    encoders: Mapping[str, Mapping[str, Any]]
    specs: Mapping[str, InputSpec]


def scene(encoder: str, fusion: str) -> Scene:
    """Return the encoder as ``one``, beside ``other``: a table, or the same encoder again."""
    spec, settings = ENCODERS[encoder]
    one = {"use": encoder, **settings}
    if fusion in TWO_ALIKE:
        return Scene({"one": one, "other": one}, {"one": spec, "other": spec})
    table, beside = ENCODERS["tabular"]
    other = {"use": "tabular", **beside}
    return Scene({"one": one, "other": other}, {"one": spec, "other": table})


def installed_names(kind: str) -> list[str]:
    """Return the full names of what is installed, in the order of ``survkit list``."""
    return [each.full_name for each in default_registry().iterate(kind)]
