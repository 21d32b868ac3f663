"""What is not installed but known: who provides a component, and which extra an optional package.

Plain data, so that an unknown name or a missing import can be answered with the ``pip install``
line that cures it. A name missing here costs nothing but that hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Provider(NamedTuple):
    """Who provides a component that may not be installed."""

    distribution: str
    plugin: str


CATALOG: Mapping[Provider, Mapping[str, tuple[str, ...]]] = {
    Provider("survkit-robsurv", "robsurv"): {
        "encoder": ("voxels", "vq", "vq3d"),
        "fusion": (
            "dual-patch-fuse",
            "joint-segmentation",
            "max",
            "merging-diverging",
            "patch-transformer",
        ),
        "loss": ("cross-patient",),
        "recipe": (
            "coxph",
            "deepmts",
            "deepsurv",
            "hecktor",
            "hecktor-batch2",
            "hecktor-without-continuous",
            "hecktor-without-dualpatchfuse",
            "hecktor-without-dualvq",
            "hn1",
            "mmrl",
            "multimodal-dropout",
            "nsclc-radiogenomics",
            "small",
            "small-without-continuous",
            "small-without-dualpatchfuse",
            "small-without-dualvq",
            "survrnc",
            "tmss",
            "xsurv",
        ),
        "demonstration": ("small",),
        "reproduction": ("figure2", "figure3", "table1", "table2"),
    },
    Provider("survkit-slicetention", "slicetention"): {
        "encoder": ("lung-volume", "slice-transformer", "slices"),
        "fusion": ("class-token", "soft-attention"),
        "recipe": (
            "lung1",
            "lung1-alexnet",
            "lung1-cached",
            "lung1-class-token",
            "lung1-densenet3d",
            "lung1-densenet3d-half",
            "lung1-half",
            "lung1-mean",
            "lung1-medvit",
            "lung1-mst",
            "lung1-mst-half",
            "lung1-resnet3d",
            "lung1-resnet3d-half",
            "lung1-resnet50",
            "lung1-vgg16",
            "lung1-vit",
            "small",
        ),
        "demonstration": ("small",),
        "reproduction": ("question4", "table3", "table4", "table5"),
    },
    Provider("survkit-radvit", "radvit"): {
        "encoder": ("radiomics", "radiomics-tokens", "roi-radiomics", "vit"),
        "fusion": ("mixed-risk",),
        "loss": ("contrastive-alignment",),
        "recipe": (
            "covid-cxr",
            "covid-cxr-radiomics",
            "covid-cxr-vit",
            "small",
            "small-radiomics",
            "small-vit",
        ),
        "demonstration": ("small",),
        "reproduction": ("hybrid", "sweep-alpha", "sweep-lambda", "sweep-tau"),
        "experiment": ("shallow",),
    },
}

EXTRA_OF_MODULE: Mapping[str, str] = {
    "monai": "imaging",
    "nibabel": "imaging",
    "pydicom": "imaging",
    "SimpleITK": "imaging",
    "pycox": "pycox",
    "torchtuples": "pycox",
    "sksurv": "sksurv",
    "sklearn": "sksurv",
    "pytest": "testing",
    "radiomics": "pyradiomics",
}
"""Import name of an optional package, and the extra of ``survkit-core`` that brings it."""


def providers_of(kind: str, name: str) -> Iterator[Provider]:
    """Yield who is known to provide the component, asked by bare or full name.

    A full name of a known plugin is answered even where the component itself is not in the
    catalog: the plugin may have grown since.
    """
    plugin, _, bare = name.rpartition("/")
    for provider, components in CATALOG.items():
        if plugin == provider.plugin or (not plugin and bare in components.get(kind, ())):
            yield provider


def known_names(kind: str) -> list[str]:
    """Return the full names of the kind that the catalog knows."""
    return [
        f"{provider.plugin}/{name}"
        for provider, components in CATALOG.items()
        for name in components.get(kind, ())
    ]


def extra_line(module: str) -> str | None:
    """Return the line that installs the optional package; ``None`` if no extra has it."""
    extra = EXTRA_OF_MODULE.get(module.partition(".")[0])
    return f'pip install "survkit-core[{extra}]"' if extra else None
