"""``survkit phantom``: generate a cohort of images with a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.errors import ConfigError

if TYPE_CHECKING:
    from survkit.phantom import Phantom
    from survkit.phantom.truth import CauseEffects


def command(
    out: Annotated[
        Path, typer.Option(help="Folder to write; it must not exist.", metavar="FOLDER")
    ],
    subjects: Annotated[int, typer.Option(help="Number of subjects.")] = 300,
    size: Annotated[int, typer.Option(help="Voxels per edge, 16 to 128.")] = 32,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal cohorts.")] = 0,
    causes: Annotated[int, typer.Option(help="1, or 2 competing ones.")] = 1,
    censored: Annotated[float, typer.Option(help="Expected share of censored subjects.")] = 0.35,
    follow_up: Annotated[float, typer.Option(help="Days after which all are censored.")] = 1825.0,
    modality: Annotated[
        list[str] | None,
        typer.Option(help="ct, pet, cxr or clinical; repeat it. Default: ct, pet, clinical."),
    ] = None,
    sites: Annotated[int, typer.Option(help="Number of sites with scanners of their own.")] = 3,
    site_shift: Annotated[
        float, typer.Option(help="How far scanners differ: 0 not at all, 1 ordinary, 3 badly.")
    ] = 1.0,
    missing: Annotated[
        list[str] | None,
        typer.Option(help="Share of subjects without a modality, such as pet=0.2; repeat it."),
    ] = None,
    lesion_radii: Annotated[
        tuple[float, float],
        typer.Option(help="Smallest and largest radius of a lesion in mm, 1 to 40."),
    ] = (20.0, 40.0),
    effect: Annotated[
        list[str] | None,
        typer.Option(
            help="Change of the log hazard per SD of a factor (size, texture, uptake, age, stage, "
            "sex), such as size=1.5; repeat it. Factors not named then have none. One cause only."
        ),
    ] = None,
    hu: Annotated[
        bool,
        typer.Option(
            "--hu",
            help="Give the CT in HU, without a window, and name the lesion's mask in cohort.yaml; "
            "slicetention/slices wants it so.",
        ),
    ] = False,
    masks: Annotated[
        bool,
        typer.Option(
            "--masks",
            help="Name the lesion's mask in cohort.yaml, also its shadow on the X-ray: to see "
            "whether a model looks there. The images stay the same.",
        ),
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes.")] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the phantom cohort that is there.")
    ] = False,
) -> None:
    """Generate a cohort of CT, PET, X-ray and clinical data with a known truth.

    The folder holds cohort.yaml for survkit fit and cv, and beside it, in truth/, each subject's
    lesion mask, log hazard and uncensored outcome.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.phantom import PhantomConfig, generate_phantom, write_cohort

    if workers < 1:
        raise ConfigError(f"--workers must be at least 1, not {workers}")
    config = PhantomConfig(
        subjects=subjects,
        size=size,
        seed=seed,
        causes=causes,
        censored=censored,
        follow_up=follow_up,
        modalities=tuple(modality) if modality else PhantomConfig().modalities,
        sites=sites,
        site_shift=site_shift,
        missing=parse_rates(missing or []),
        effects=parse_effects(effect or []),
        lesion_radii=lesion_radii,
        hounsfield=hu,
        masks=masks,
    )
    phantom = generate_phantom(config)
    with progress_bar("drawing subjects") as progress:
        path = write_cohort(phantom, out, overwrite=overwrite, workers=workers, progress=progress)
    print(_summary(phantom))
    print(path)


def parse_rates(pairs: list[str]) -> dict[str, float]:
    """Return ``{"pet": 0.2}`` for ``["pet=0.2"]``.

    Raises:
        ConfigError: Not of that form, or a modality twice.
    """
    return _parse_pairs(pairs, "--missing", "pet=0.2")


def parse_effects(pairs: list[str]) -> tuple[CauseEffects] | None:
    """Return the effects on the one cause for ``["size=1.5"]``; ``None`` if none is named.

    Raises:
        ConfigError: Not of that form, a factor twice or unknown.
    """
    from survkit.phantom.truth import FACTORS, CauseEffects

    named = _parse_pairs(pairs, "--effect", "size=1.5")
    for name in named:
        if name not in FACTORS:
            raise ConfigError(f"--effect names one of {', '.join(FACTORS)}, not {name!r}")
    return (CauseEffects(**named),) if named else None


def _parse_pairs(pairs: list[str], option: str, example: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            value = float(text)
        except ValueError:
            raise ConfigError(f"{option} must look like {example}, not {pair!r}") from None
        if name in found:
            raise ConfigError(f"{option} names {name!r} twice")
        found[name] = value
    return found


def _summary(phantom: Phantom) -> str:
    from survkit.metrics.estimate import Estimate

    events = phantom.outcome.event
    parts = [f"{len(phantom)} subjects", f"{(events == 0).mean():.0%} censored"]
    for code, cause in enumerate(phantom.config.cause_names, start=1):
        oracle = phantom.oracle_concordance(cause=code)
        value = f", oracle concordance {oracle.value:.3f}" if isinstance(oracle, Estimate) else ""
        parts.append(f"{(events == code).sum()} {cause.replace('_', ' ')}s{value}")
    return "; ".join(parts)
