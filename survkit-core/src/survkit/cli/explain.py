"""``survkit explain``: what a model looked at in single subjects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from survkit.cli.left_out import print_left_out
from survkit.cli.options import CacheFolder, CohortFile, DataFolder, Device, Revision, TableFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def command(
    run: Annotated[
        str,
        typer.Argument(
            help="A finished run of survkit cv, a model folder, such as a run of survkit fit, or "
            "ORG/NAME on the Hub.",
            metavar="RUN",
        ),
    ],
    cohort: CohortFile,
    revision: Revision = None,
    subjects: Annotated[
        str | None,
        typer.Option(help="Names separated by commas; chosen by rule by default."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many the rule chooses.")] = 4,
    top: Annotated[
        int, typer.Option(min=1, max=12, help="Slices with most attention to show of each.")
    ] = 6,
    masks: Annotated[
        int,
        typer.Option(
            "--mask-subjects",
            min=0,
            help="Of at most so many subjects the masks of the cohort are compared with the "
            "attention; 0 for none.",
        ),
    ] = 100,
    with_outcome: Annotated[
        bool,
        typer.Option(
            "--with-outcome",
            help="Of a model: show what happened; else outcomes are not read. Always on for a run "
            "of survkit cv.",
        ),
    ] = False,
    table: TableFile = None,
    data: DataFolder = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write; explain in a run of survkit cv by default."),
    ] = None,
    device: Device = "cpu",
    cache: CacheFolder = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace earlier explanations in --out.")
    ] = False,
) -> None:
    """Show the slices with most attention, the weights along the volume and the prediction.

    Of volumes: three slices of the input, its reconstruction and codes, and the attention on them.
    Of pictures: the encoder's maps of attention, and what is left of them when its weights are
    shuffled.
    Test subjects of a cross-validation are predicted by the model of the fold that never saw them.
    The pictures show patients; keep them where the images may be kept.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.cli.located import located
    from survkit.cli.predict import check_device
    from survkit.data import Cohort, PreparationCache, default_cache_folder
    from survkit.explaining import explain_run

    check_device(device)
    folder, commit = located(run, revision)
    single = (folder / "config.json").is_file()
    people = Cohort.read(
        cohort, table=table, data_folder=data, needs_outcome=with_outcome or not single
    )
    print_left_out(people)
    with progress_bar("explaining") as progress:
        found = explain_run(
            run,
            people,
            out=out,
            revision=commit,
            subjects=_names(subjects),
            count=count,
            top=top,
            mask_subjects=masks,
            overwrite=overwrite,
            device=device,
            cache=PreparationCache(cache or default_cache_folder()),
            progress=progress,
        )
    for line in _lines(found.content):
        print(line)
    print(found.folder / "explain.json")


def _names(text: str | None) -> list[str]:
    from survkit.errors import ConfigError

    if text is None:
        return []
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ConfigError(f"--subjects takes names separated by commas, such as a,b, not {text!r}")
    return names


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line per subject, one per volume or map of which there are numbers, and those of
    masks and maps over subjects.
    """
    from survkit.report.numbers import shown

    cause, unit = content["causes"][0], content["time_unit"]
    for subject in content["subjects"]:
        chance = subject["predicted"][cause]
        seen = subject["event"] or "outcome not read"
        time = subject["duration"]
        when = "" if time is None else f" at {shown(time, 'short')} {unit}"
        yield (
            f"{subject['subject']}: {subject['why']}; {cause} {chance:.0%} by "
            f"{content['horizon']:g} {unit}; observed: {seen}{when}"
        )
        for modality in subject["modalities"]:
            shown_whole = modality.get("volume") or modality.get("image") or {}
            for words in shown_whole.get("told", ()):
                yield f"  {modality['modality']}: {words}"
    for name, found in content["masks"].items():
        if "reason" in found:
            yield f"{name}: attention on the mask is not defined, {found['reason']}"
            continue
        ratio, interval = found["ratio"]["value"], found["ratio"]["interval"]
        spread = f" ({interval['lower']:.2f} to {interval['upper']:.2f})" if interval else ""
        yield (
            f"{name}: attention on what the mask touches is {ratio:.2f}{spread} times that of "
            f"equal weights, {found['n']} subjects"
        )
    for name, maps in content["maps"].items():
        for one, found in maps.items():
            yield from _map_lines(name, one, found)


def _map_lines(name: str, one: str, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a map says of the masks, and whether it depends on what was learnt."""
    mask, randomised = found["mask"], found["randomised"]
    if mask is not None and "reason" in mask:
        yield f"{name}, {one}: attention in the mask is not defined, {mask['reason']}"
    elif mask is not None:
        interval = mask["ratio"]["interval"]
        spread = f" ({interval['lower']:.2f} to {interval['upper']:.2f})" if interval else ""
        yield (
            f"{name}, {one}: attention in the mask is {mask['ratio']['value']:.2f}{spread} times "
            f"that of equal weights, {mask['n']} subjects"
        )
    if randomised is not None:
        yield randomised["words"]
