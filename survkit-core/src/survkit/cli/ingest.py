"""``survkit ingest``: from an archive's folders and a clinical table to a cohort."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from survkit.cli.options import Jobs
from survkit.errors import ConfigError

if TYPE_CHECKING:
    from survkit.dicom.choose_series import Preference
    from survkit.ingest import Ingested, IngestSettings, OutcomeRequest, Running
    from survkit.ingest.run import Bar
    from survkit.ingest.settings import MaskSource, StudyRule, Tilt


def command(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder with the images, at any depth: DICOM series; the NIfTI files of "
            "hecktor2022; the radiographs of cxr-folder and hannover-cxr.",
            metavar="FOLDER",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder to write; it must not exist.", metavar="COHORT")
    ],
    table: Annotated[
        Path | None,
        typer.Option(help="Clinical table, one row per subject (hecktor2022 has its own)."),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Column of the subject's id (by default the PatientID).")
    ] = None,
    duration: Annotated[str | None, typer.Option(help="Column of the follow-up time.")] = None,
    event: Annotated[str | None, typer.Option(help="Column of the event code.")] = None,
    unit: Annotated[
        str | None, typer.Option(help="Of the durations: days (default), months, years.")
    ] = None,
    causes: Annotated[
        list[str] | None, typer.Option(help="Code and name, such as 1=death,2=relapse.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Columns for a clinical modality: age,sex,stage.")
    ] = None,
    outcome: Annotated[
        Path | None,
        typer.Option(
            help="Cohort file to take outcome, site and tables from; with hannover-cxr: composite, "
            "landmark or death."
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="cxr-folder: column of the patient, where one has several images."),
    ] = None,
    modality: Annotated[
        str, typer.Option(help="CT, PT (becomes SUV), MR, NM; several with commas.")
    ] = "CT",
    roi: Annotated[
        list[str] | None,
        typer.Option(help="Region of an RTSTRUCT or SEG that becomes a mask; repeat it."),
    ] = None,
    mask_from: Annotated[
        str, typer.Option(help="Files that regions come from: any, rtstruct, seg.")
    ] = "any",
    threshold: Annotated[
        float | None, typer.Option(help="Share from which a voxel of a fractional SEG is inside.")
    ] = None,
    series: Annotated[
        str, typer.Option(help="Of several series: only (refuse), thinnest, most-slices.")
    ] = "only",
    kernel: Annotated[
        str | None, typer.Option(help="Take series with this convolution kernel alone.")
    ] = None,
    study: Annotated[
        str,
        typer.Option(
            help="Of several studies: only (refuse), first, last, most-slices, complete (the one "
            "with the most of the modalities)."
        ),
    ] = "only",
    tilt: Annotated[
        str, typer.Option(help="A tilted gantry is refused, or corrected by resampling.")
    ] = "refuse",
    layout: Annotated[
        str,
        typer.Option(
            help="Known collection that fills in the above: tcia-lung1, tcia-hn1, "
            "tcia-nsclc-radiogenomics, hecktor2022, hannover-cxr; or cxr-folder, for radiographs."
        ),
    ] = "generic",
    paper: Annotated[
        bool, typer.Option("--paper", help="tcia-lung1: leave out the seven cases of the paper.")
    ] = False,
    key: Annotated[
        Path | None, typer.Option(help="Table with the columns PatientID and subject.")
    ] = None,
    pseudonyms: Annotated[
        Path | None, typer.Option(help="File with a secret key: subjects become pseudonyms.")
    ] = None,
    jobs: Jobs = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the ingested cohort that is there.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted ingest.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the cohort file alone.")] = False,
) -> None:
    """Write a cohort from images: volumes in HU or SUV, masks, radiographs, table, refusals.

    Nothing is repaired silently: what is not used stands in refused.csv with its reason. No name,
    birth date, date or UID of DICOM series reaches an output; radiographs stay where they are.
    """
    from survkit.ingest import IngestSettings, OutcomeRequest, Running
    from survkit.ingest.cohort_plan import parse_causes

    asked = OutcomeRequest(
        duration=duration,
        event=event,
        unit=unit,
        causes=parse_causes(causes) if causes else None,
        columns=_names(columns),
        cohort_file=outcome,
    )
    rules = IngestSettings(
        modalities=_names(modality),
        rois=tuple(roi or ()),
        mask_from=cast("MaskSource", mask_from),
        threshold=threshold,
        series=cast("Preference", series),
        kernel=kernel,
        study=cast("StudyRule", study),
        tilt=cast("Tilt", tilt),
    )
    running = Running(jobs=jobs, overwrite=overwrite, resume=resume, bar=_bars(quiet))
    source = _Table(table, subject, key, pseudonyms)
    found = _ingest_other(folder, out, source, asked, rules, running, layout, paper, group)
    if found is None:
        found = _ingest_dicom(folder, out, source, asked, rules, running, layout, paper=paper)
    if not quiet:
        _print(found)
    print(out / "cohort.yaml")


@dataclass(frozen=True)
class _Table:
    """Where the clinical table is and how its subjects are called."""

    path: Path | None
    subject: str | None
    key: Path | None
    pseudonyms: Path | None


def _ingest_other(
    folder: Path,
    out: Path,
    source: _Table,
    asked: OutcomeRequest,
    rules: IngestSettings,
    running: Running,
    layout: str,
    paper: bool,
    group: str | None,
) -> Ingested | None:
    """Ingest what is no archive of DICOM series; ``None`` where the layout is one.

    Raises:
        ConfigError: An option means nothing to the layout.
    """
    from survkit.ingest import OutcomeRequest, layouts

    if group is not None and layout != layouts.CXR_FOLDER:
        raise ConfigError("--group belongs to --layout cxr-folder")
    others = (layouts.HECKTOR, layouts.HANNOVER, layouts.CXR_FOLDER)
    if layout not in others:
        return None
    own_tables = layout != layouts.CXR_FOLDER
    outcome = asked.cohort_file if layout == layouts.HANNOVER else None
    said = asked != OutcomeRequest(cohort_file=outcome) if own_tables else False
    table = source.path is not None or source.subject is not None if own_tables else False
    if said or table or source.key or source.pseudonyms or paper or rules != type(rules)():
        raise ConfigError(_TAKES[layout])
    if layout == layouts.HECKTOR:
        from survkit.ingest import ingest_hecktor2022

        return ingest_hecktor2022(folder, out, running=running)
    if layout == layouts.HANNOVER:
        from survkit.ingest import ingest_hannover

        if outcome is None:
            raise ConfigError("hannover-cxr: give --outcome composite, landmark or death")
        return ingest_hannover(folder, out, outcome=str(outcome), running=running)
    return _ingest_cxr_folder(folder, out, source, asked, running, group)


_MEANT = (
    "--out, --jobs, --overwrite and --quiet are all that can be said; leave the other options away"
)
_TAKES = {
    "hecktor2022": f"--layout hecktor2022 reads the challenge's own tables and files, so {_MEANT}",
    "hannover-cxr": "--layout hannover-cxr reads the collection's own table and files, so "
    f"--outcome, {_MEANT}",
    "cxr-folder": "--layout cxr-folder names radiographs where they lie, so options of DICOM "
    "series and of new names (--key, --pseudonyms) mean nothing; leave them away",
}


def _ingest_cxr_folder(
    folder: Path,
    out: Path,
    source: _Table,
    asked: OutcomeRequest,
    running: Running,
    group: str | None,
) -> Ingested:
    from survkit.ingest import ingest_cxr_folder, read_clinical_table
    from survkit.ingest.clinical_table import USUAL_SUBJECTS

    if source.path is None:
        raise ConfigError("the rows come from a clinical table: give --table")
    usual = ("image_id", *USUAL_SUBJECTS) if group is None else ("image_id",)
    clinical = read_clinical_table(source.path, subject=source.subject, usual=usual)
    return ingest_cxr_folder(folder, clinical, out, asked=asked, group=group, running=running)


def _ingest_dicom(
    folder: Path,
    out: Path,
    source: _Table,
    asked: OutcomeRequest,
    rules: IngestSettings,
    running: Running,
    layout: str,
    *,
    paper: bool,
) -> Ingested:
    from survkit.ingest import apply_layout, ingest, read_clinical_table
    from survkit.ingest.layouts import usual_subjects

    usual = usual_subjects(layout)
    if source.path is None:
        raise ConfigError("the subjects come from a clinical table: give --table")
    clinical = read_clinical_table(
        source.path,
        subject=source.subject,
        key=source.key,
        secret=source.pseudonyms,
        usual=usual,
    )
    plan, settings = apply_layout(layout, clinical, asked, rules, paper=paper)
    try:
        return ingest(folder, clinical, out, cohort=plan, settings=settings, running=running)
    except KeyboardInterrupt:
        print("interrupted; go on with the same command and --resume", file=sys.stderr)
        raise


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _bars(quiet: bool) -> Bar:
    from survkit.cli.cohort import progress_bar

    return (lambda _title: nullcontext()) if quiet else progress_bar


def _print(found: Ingested) -> None:
    """Print what came in and, by rule, what did not."""
    files = ", ".join(f"{count} {column}" for column, count in found.files.items())
    kept = f" ({found.kept} kept from before)" if found.kept else ""
    print(f"{len(found.subjects)} of {found.rows} subjects{kept}: {files}")
    faults = Counter(line.rule for line in found.left if not line.expected)
    others = sum(line.expected for line in found.left)
    if faults:
        ordered = sorted(faults.items(), key=lambda pair: (-pair[1], pair[0]))
        shown = ", ".join(f"{count} {rule}" for rule, count in ordered)
        print(f"refused: {shown}; each with its reason in {found.folder / 'refused.csv'}")
    if others:
        print(f"not asked for, or set aside as no volume: {others}, in the same file")
