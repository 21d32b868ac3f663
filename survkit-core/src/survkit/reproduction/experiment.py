"""Runs an experiment of a plugin with several seeds, and writes what they find."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.component import Component
from survkit.data.jobs import check_jobs
from survkit.errors import ConfigError, PluginError
from survkit.findings import Findings
from survkit.protocols import Experiment
from survkit.reproduction.experiment_content import experiment_content
from survkit.reproduction.experiment_figures import draw_figures
from survkit.reproduction.experiment_tables import CSV_FILE, RESULT_FILE, TEXT_FILE, write_tables
from survkit.settings import check_settings
from survkit.whole_folder import check_replaceable, whole_folder
from survkit.worker_processes import in_processes

EXPERIMENT_FILE = "experiment.json"
WRITTEN = (EXPERIMENT_FILE, RESULT_FILE, CSV_FILE, TEXT_FILE, "*.svg")
"""All that is in the folder of an experiment, as patterns of names."""
"""What was run; also the mark by which a folder is known as one that may be overwritten."""

Progress = Callable[[int, int], None]
"""Told how many pairs of part and seed are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Experimented:
    """An experiment that was run.

    Attributes:
        folder: With ``table.md``, ``table.csv``, ``result.json``, ``experiment.json`` and figures.
        content: Of ``result.json``.
    """

    folder: Path
    content: Mapping[str, Any]


def run_experiment(
    experiment: str | Component,
    folder: str | Path,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    settings: Mapping[str, Any] | None = None,
    jobs: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Experimented:
    """Run every part of an experiment with every seed.

    Nothing is written before all of it is found, so a folder holds a whole experiment or none.

    Args:
        experiment: A registered name, such as ``radvit/shallow``, or what a registry of one's own
            has under it.
        folder: Where the results are written.
        seeds: Different whole numbers, 0 or more.
        settings: Of the experiment; its defaults otherwise.
        jobs: Pairs of part and seed at the same time, in processes; -1: one per core.
        overwrite: Replace an earlier experiment in the folder once this one is complete.
        progress: Told of every pair that is done.

    Raises:
        ConfigError: A setting or seed cannot be used.
        RunError: The folder is in use.
    """
    component = _component(experiment)
    check_seeds(seeds)
    check_jobs(jobs)
    where = f"experiment {component.full_name!r}"
    build = component.load()
    resolved = check_settings(build, settings or {}, where=where)
    study: Experiment = build(**resolved)
    described = _described(component, resolved, seeds)
    place = Path(folder)
    check_replaceable(
        place, mark=EXPERIMENT_FILE, written=WRITTEN, kind="experiment", overwrite=overwrite
    )
    with whole_folder(place) as work:
        found = _run_all(study, seeds, jobs, progress or _silent)
        content = described | experiment_content(study.plan, seeds, found, where=where)
        draw_figures(content, work)
        write_tables(content, work)
        write_bytes(work / EXPERIMENT_FILE, (json.dumps(described, indent=1) + "\n").encode())
    return Experimented(place, content)


def _component(experiment: str | Component) -> Component:
    if isinstance(experiment, Component):
        return experiment
    from survkit.plugins import default_registry

    return default_registry().find("experiment", experiment)


def check_seeds(seeds: Sequence[int]) -> None:
    """Refuse seeds that mean nothing.

    Raises:
        ConfigError: There is none, one is negative, or one is given twice.
    """
    if not seeds:
        raise ConfigError("an experiment needs a seed at least, such as --seeds 0,1,2")
    for place, seed in enumerate(seeds):
        if seed < 0:
            raise ConfigError(f"a seed is a whole number from 0 on, not {seed}")
        if seed in seeds[:place]:
            raise ConfigError(f"seed {seed} is given twice; one seed tells once")


def _described(
    component: Component, settings: Mapping[str, Any], seeds: Sequence[int]
) -> dict[str, Any]:
    """Return what was run: enough to run it again."""
    from survkit import __version__

    return {
        "command": "reproduce",
        "experiment": component.full_name,
        "distribution": component.distribution,
        "version": component.version,
        "survkit_core": __version__,
        "settings": json.loads(json.dumps(settings)),
        "seeds": [*seeds],
    }


def _run_all(
    experiment: Experiment, seeds: Sequence[int], jobs: int, progress: Progress
) -> dict[str, list[Findings]]:
    """Return by part what each seed found."""
    pairs = [(part, seed) for part in experiment.plan.parts for seed in seeds]
    found: dict[str, list[Findings]] = {part: [] for part in experiment.plan.parts}
    progress(0, len(pairs))
    for number, ((part, seed), each) in enumerate(
        zip(pairs, _found(experiment, pairs, jobs), strict=True), start=1
    ):
        if not isinstance(each, Findings):
            raise PluginError(
                f"part {part!r} with seed {seed} gave {type(each).__name__}, not Findings; "
                "tell the authors of the experiment"
            )
        found[part].append(each)
        progress(number, len(pairs))
    return found


def _found(
    experiment: Experiment, pairs: Sequence[tuple[str, int]], jobs: int
) -> Iterator[Findings]:
    """Yield the findings in the order of the pairs."""
    if jobs == 1:
        yield from (experiment(part, seed=seed) for part, seed in pairs)
        return
    calls = [(experiment, part, seed) for part, seed in pairs]
    yield from in_processes(_call, calls, jobs=jobs, tasks=len(calls))


def _call(experiment: Experiment, part: str, seed: int) -> Findings:
    return experiment(part, seed=seed)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
