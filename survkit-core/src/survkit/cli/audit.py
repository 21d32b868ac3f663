"""``survkit audit``: was the protocol clean?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from survkit.cli.console import table_console

if TYPE_CHECKING:
    from survkit.auditing import Audit

FOUND = 1
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def command(
    predictions: Annotated[
        Path | None,
        typer.Argument(
            help="A run folder of survkit cv, or a table (CSV, Parquet) with the columns subject, "
            "duration, event, risk_score.",
            metavar="RUN_OR_TABLE",
        ),
    ] = None,
    splits: Annotated[
        Path | None,
        typer.Option(help="Who trained and was tested: survkit's JSON, or subject,part[,fold]."),
    ] = None,
    cohort: Annotated[
        Path | None,
        typer.Option(help="Cohort file of the run: what was fitted is fitted anew with it."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Table to use instead of the one the cohort file names.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder that relative paths of the cohort start from.")
    ] = None,
    features: Annotated[
        Path | None, typer.Option(help="Table of the columns that the model saw.")
    ] = None,
    training: Annotated[
        Path | None, typer.Option(help="Table of the training subjects: subject,duration,event.")
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option(help="The numbers that were reported: JSON, or metric,value.")
    ] = None,
    site_splits: Annotated[
        bool, typer.Option("--site-splits", help="The split is said to be by site.")
    ] = False,
    unit: Annotated[
        Literal["days", "months", "years"] | None, typer.Option(help="Unit of the durations.")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Ask only this rule; repeat it for several.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write audit.json; the run folder by default.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --out if it is there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json.")] = False,
    list_rules: Annotated[
        bool, typer.Option("--rules", help="List the rules, with what spares a clean run.")
    ] = False,
) -> None:
    """Look for leakage, selection on what is reported, flipped signs and impossible numbers.

    Exit code 0: no error was found. 1: an error was found. 2: the input cannot be used.
    """
    if list_rules:
        _print_rules(as_json)
        return
    from survkit.auditing import Inputs, audit_inputs
    from survkit.cli.cohort import progress_bar
    from survkit.cli.output_file import check_output
    from survkit.errors import ConfigError

    if predictions is None:
        raise ConfigError("give a run folder or a table of predictions (--rules lists the rules)")
    if out is not None:
        given = (predictions, splits, cohort, table, features, training, metrics)
        check_output(out, ending=".json", overwrite=overwrite, inputs=given)
    inputs = Inputs(
        predictions=predictions,
        splits=splits,
        cohort=cohort,
        cohort_table=table,
        data_folder=data,
        features=features,
        training=training,
        metrics=metrics,
        site_splits=site_splits,
        unit=unit,
    )
    with progress_bar("asking rules") as progress:
        found = audit_inputs(inputs, rules=rule, progress=progress)
    if out is None and predictions.is_dir() and rule is None:
        out = predictions / "audit.json"
    if out is not None:
        found.write(out)
    if as_json:
        print(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
    else:
        _print(found, out)
    if not found.clean:
        raise typer.Exit(FOUND)


def _print(found: Audit, out: Path | None) -> None:
    from rich.table import Table

    console = table_console()
    if found.findings:
        grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 1, 0))
        grid.add_column("severity", no_wrap=True)
        grid.add_column("rule", no_wrap=True)
        grid.add_column("what, evidence, cure", overflow="fold")
        for one in found.findings:
            told = f"{one.message}\n{one.evidence}\n→ {one.cure}"
            grid.add_row(one.severity, one.rule, told, style=_STYLES[one.severity])
        console.print(grid)
    for name, reason in found.not_checked.items():
        console.print(f"not asked: {name}: {reason}", style="dim")
    counts = {one: len(found.of(one)) for one in ("error", "warning", "note")}
    told = ", ".join(f"{many} {one if many == 1 else one + 's'}" for one, many in counts.items())
    console.print(
        f"{found.source}: {told}; {len(found.checked)} rules asked, {len(found.not_checked)} not"
    )
    if out is not None:
        console.print(str(out))


def _print_rules(as_json: bool) -> None:
    from survkit.auditing.rules import RULES

    if as_json:
        keys = ("name", "asks", "guard", "source")
        print(json.dumps([{k: getattr(one, k) for k in keys} for one in RULES], indent=1))
        return

    console = table_console()
    for one in RULES:
        console.print(one.name, style="bold")
        console.print(f"  {one.asks}\n  Spares a clean run: {one.guard}.\n  Source: {one.source}.")
