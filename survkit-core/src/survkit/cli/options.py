"""Options that several commands share, each in the words that ``--help`` says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecipeName = Annotated[str, typer.Argument(help="A recipe file, or the name of an installed one.")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="Change the recipe: path=value.")]
CohortArgument = Annotated[Path, typer.Argument(help="The cohort file (YAML).", metavar="COHORT")]
CohortFile = Annotated[Path, typer.Option(help="The cohort file (YAML).")]
FinishedRun = Annotated[Path, typer.Argument(help="A finished run of survkit cv.", metavar="RUN")]
ModelOrRun = Annotated[
    Path, typer.Argument(help="A model folder, or a run folder of survkit fit.", metavar="RUN")
]
Revision = Annotated[
    str | None, typer.Option(help="Branch, tag or commit on the Hub; main by default.")
]
FoldOfRun = Annotated[
    str | None, typer.Option(help="Of a run of survkit cv: 3, or 1-3 for repeat 1, fold 3.")
]
CohortOfRun = Annotated[Path, typer.Option(help="The cohort file that the run was made from.")]
TableFile = Annotated[Path | None, typer.Option(help="Table to use instead of the one it names.")]
DataFolder = Annotated[Path | None, typer.Option(help="Folder that relative paths start from.")]
CacheFolder = Annotated[
    Path | None,
    typer.Option(help="Where prepared images are kept; default: SURVKIT_CACHE or the user's."),
]
Folds = Annotated[int, typer.Option(min=2, help="Number of test parts.")]
Repeats = Annotated[int, typer.Option(min=1, help="How often to divide anew.")]
SplitsFile = Annotated[
    Path | None, typer.Option(help="A splits file, instead of --folds and --repeats.")
]
BySite = Annotated[
    bool, typer.Option("--by-site", help="Test whole sites that no training part has seen.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="Instead of the recipe's seed.")]
SeedOfAll = Annotated[int | None, typer.Option(min=0, help="Instead of the recipes' seed.")]
InitFrom = Annotated[
    str | None,
    typer.Option(
        help="Start from trained weights: a model, a run of survkit cv (the same fold of the "
        "same splits, else the fold best on its validation part), RUN:fold-3, or ORG/NAME on the "
        "Hub."
    ),
]
InitRevision = Annotated[
    str | None,
    typer.Option(help="Branch, tag or commit of --init-from ORG/NAME; main by default."),
]
InitParts = Annotated[
    str | None,
    typer.Option(help="Parts to take, such as encoders.ct,fusion; all that fit by default."),
]
Freeze = Annotated[
    str | None, typer.Option(help="Parts taken that keep their weights, such as encoders.ct.")
]
DifferentSubjects = Annotated[
    bool,
    typer.Option(
        "--different-subjects",
        help="The people of the weights' cohort are others than those here, also where they are "
        "numbered alike or no list of them is there.",
    ),
]
Metric = Annotated[str, typer.Option(help="harrell, antolini, brier or ibs.")]
CauseName = Annotated[str | None, typer.Option(help="The cause; the first by default.")]
Replicates = Annotated[int, typer.Option(min=0, help="Bootstrap resamples; 0 for no intervals.")]
IntervalReplicates = Annotated[
    int, typer.Option(min=0, help="Bootstrap resamples of the intervals.")
]
Level = Annotated[float, typer.Option(help="Coverage of the intervals.")]
Permutations = Annotated[int, typer.Option(min=1, help="Random swaps of subjects.")]
Device = Annotated[str, typer.Option(help="Such as cpu or cuda.")]
Jobs = Annotated[
    int, typer.Option(help="Worker processes, which share the cores; -1: one per core.")
]
FoldJobs = Annotated[int, typer.Option(help="Folds at the same time; -1: one per core.")]
OverwriteRun = Annotated[
    bool, typer.Option("--overwrite", help="Replace the run once the new one is complete.")
]
OverwriteResults = Annotated[
    bool, typer.Option("--overwrite", help="Replace older results by the complete new ones.")
]
OverwriteFile = Annotated[
    bool, typer.Option("--overwrite", help="Replace the file if it is there.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
