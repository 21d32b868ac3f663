"""``survkit stress``: what a model loses when its inputs get worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from survkit.cli.console import table_console
from survkit.cli.left_out import print_left_out
from survkit.cli.options import (
    CacheFolder,
    CauseName,
    CohortOfRun,
    DataFolder,
    Device,
    FinishedRun,
    Level,
    Metric,
    OverwriteResults,
    Replicates,
    TableFile,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console


def command(
    run: FinishedRun,
    cohort: CohortOfRun,
    corruptions: Annotated[
        list[str] | None,
        typer.Option(
            "--corruption",
            help="modality:name, with a level or settings: ct:gaussian-noise:sigma=0.1 or "
            "pet:blur:high; repeat it, or join some by plus signs to corrupt the same subjects in "
            "all of them. Default: all that fit the model's modalities.",
        ),
    ] = None,
    severity: Annotated[
        list[str] | None,
        typer.Option(help="Level of the default ones, high by default; repeat it for several."),
    ] = None,
    fractions: Annotated[
        str,
        typer.Option(
            help="Shares of subjects that are corrupted, increasing.",
            show_default="0,0.1 and so on to 1",
        ),
    ] = "0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1",
    seeds: Annotated[int, typer.Option(min=1, help="How often chance is drawn anew.")] = 5,
    metric: Metric = "harrell",
    cause: CauseName = None,
    replicates: Replicates = 1000,
    level: Level = 0.95,
    table: TableFile = None,
    data: DataFolder = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; stress in the run by default.")
    ] = None,
    device: Device = "cpu",
    cache: CacheFolder = None,
    overwrite: OverwriteResults = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted stress test.")
    ] = False,
) -> None:
    """Predict a run's test subjects again with worse inputs, and measure what is lost.

    Every fold's own model predicts the subjects it never saw, clean and corrupted; nothing is
    trained. The run must reproduce its own predictions first.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.cli.predict import check_device
    from survkit.data import Cohort, PreparationCache, default_cache_folder
    from survkit.stress import stress_run

    check_device(device)
    subjects = Cohort.read(cohort, table=table, data_folder=data)
    print_left_out(subjects)
    with progress_bar("stress") as progress:
        found = stress_run(
            run,
            subjects,
            out=out,
            corruptions=corruptions or (),
            severities=severity or None,
            fractions=_fractions(fractions),
            seeds=seeds,
            metric=metric,
            cause=cause,
            replicates=replicates,
            level=level,
            device=device,
            overwrite=overwrite,
            resume=resume,
            cache=PreparationCache(cache or default_cache_folder()),
            progress=progress,
        )
    _print(found.content)
    print(found.folder / "stress.json")


def _fractions(text: str) -> list[float]:
    from survkit.errors import ConfigError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"--fractions takes shares separated by commas, such as 0,0.5,1, not {text!r}"
        ) from error


def _print(content: Mapping[str, Any]) -> None:
    """Print one row per corruption and per subset; what is longer stands in the files."""
    from survkit.report.shown_result import shown_result
    from survkit.report.stress_figure import BETWEEN, p_value, parts_of

    console = table_console()
    share = content["settings"]["fractions"][-1]
    clean = content["corruptions"][0]["fractions"][0]["clean"]
    console.print(f"{content['cause']}: {content['metric_label']}, clean {shown_result(clean)}")
    rows = []
    for entry in content["corruptions"]:
        last = entry["fractions"][-1]
        results = (shown_result(last["noisy"]), shown_result(last["degradation"], "{:.0%}"))
        area = entry["robustness_area"]
        kept = "–" if "reason" in area else f"{area['value']:.2f}"
        name = f"{BETWEEN.join(parts_of(entry))} ({entry['severity']})"
        rows.append((name, *results, p_value(last["log_rank_p"]), kept))
    _grid(console, (f"{share:.0%} corrupted", "value", "lost", "log-rank p", "kept"), rows)
    console.print(
        "lost: share of what lies above chance; log-rank p: whether the groups of predicted risk "
        "still differ, not whether the loss is more than chance; kept: mean share kept over all "
        "fractions, which can be less than what is kept with everybody corrupted, as corrupted "
        "subjects are then ranked among clean ones"
    )
    for reason in _reasons(content["corruptions"]):
        console.print(reason)
    if isinstance(content["subsets"], list):
        console.print()
        subsets = [
            (
                " + ".join(entry["modalities"]),
                str(entry["subjects"]),
                shown_result(entry["noisy"]),
                shown_result(entry["degradation"], "{:.0%}"),
            )
            for entry in content["subsets"]
        ]
        _grid(console, ("modalities left", "subjects", "value", "lost"), subsets)


def _reasons(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield why something is not defined, and how many were spared."""
    for entry in entries:
        last = entry["fractions"][-1]
        for name in ("noisy", "degradation"):
            if "reason" in last[name]:
                yield f"{entry['label']}: not defined, {last[name]['reason']}"
                break
        if entry["kept"] and "reason" not in last["noisy"]:
            spared = f"{entry['kept']} subjects have no other modality and stay as they are"
            yield f"{entry['label']}: {spared}"


def _grid(console: Console, labels: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, label in enumerate(labels):
        grid.add_column(label, overflow="fold", no_wrap=place > 0)
    for row in rows:
        grid.add_row(*row)
    console.print(grid)
