"""``survkit reproduce`` of an experiment: options that it takes, and how it is run and shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from survkit.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

    from survkit.registry import Registry

SHARED = ("name", "out", "changes", "jobs", "overwrite", "quiet")
OWN = ("seeds",)
DEFAULT_SEEDS = "0,1,2"


def run_if_experiment(context: typer.Context, registry: Registry) -> bool:
    """Run what was asked for if it is an experiment, and say whether it was.

    Raises:
        ConfigError: An option was given that is of published tables alone, or of experiments alone.
    """
    from survkit.reproduction.named import names_experiment

    name: str = context.params["name"]
    if not names_experiment(name, registry):
        if wrong := _given(context, OWN):
            raise ConfigError(
                f"{_options(wrong)} of experiments; {name!r} is a published table, whose rows take "
                "--seed"
            )
        return False
    of_tables = [each for each in context.params if each not in (*SHARED, *OWN)]
    if wrong := _given(context, of_tables):
        takes = ", ".join(_option(context, each) for each in (*SHARED[1:], *OWN))
        raise ConfigError(
            f"{_options(wrong)} of published tables; {name!r} is an experiment, which draws its "
            f"own subjects and takes {takes}"
        )
    _run(name, context.params, registry)
    return True


def _run(name: str, asked: Mapping[str, Any], registry: Registry) -> None:
    """Run the experiment and print its table."""
    from survkit.overrides import apply_override
    from survkit.reproduction import run_experiment
    from survkit.reproduction.experiment_tables import as_markdown

    settings: Any = {}
    for change in asked["changes"] or ():
        settings = apply_override(settings, change, source=f"experiment {name!r}")
    with _progress(asked["quiet"]) as progress:
        found = run_experiment(
            registry.find("experiment", name),
            asked["out"],
            seeds=_seeds(asked["seeds"]),
            settings=settings,
            jobs=asked["jobs"],
            overwrite=asked["overwrite"],
            progress=progress,
        )
    print(as_markdown(found.content), found.folder / "table.md", sep="\n")


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    from survkit.cli.cohort import progress_bar

    if quiet:
        yield None
        return
    with progress_bar("experiment") as progress:
        yield progress


def _seeds(text: str) -> list[int]:
    try:
        return [int(one) for one in text.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"--seeds takes whole numbers separated by commas, such as 0,1,2, not {text!r}"
        ) from error


def _given(context: typer.Context, names: Collection[str]) -> list[str]:
    """Return those of the named options that the user typed."""
    found = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is not None and source.name == "COMMANDLINE":
            found.append(parameter.opts[0])
    return found


def _option(context: typer.Context, name: str) -> str:
    return next(each.opts[0] for each in context.command.params if each.name == name)


def _options(given: Sequence[str]) -> str:
    verb = "is an option" if len(given) == 1 else "are options"
    return f"{' and '.join(given)} {verb}"
