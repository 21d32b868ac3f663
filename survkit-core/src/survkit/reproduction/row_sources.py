"""The trained weights that a table's rows start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from survkit.errors import ConfigError
from survkit.reproduction.published_table import Row
from survkit.transfer import Source
from survkit.transfer.find_source import find_source


def check_sources(
    rows: Sequence[Row], sources: Mapping[str, object], revisions: Mapping[str, str]
) -> None:
    """Refuse rows whose trained weights were not given, weights that no row starts from, and
    revisions of weights that were not given.

    Raises:
        ConfigError: With the name.
    """
    for row in rows:
        if row.init_from is not None and row.init_from not in sources:
            raise ConfigError(
                f"row '{row.label}' starts from trained weights: give --init-from "
                f"{row.init_from}=RUN, or leave it out with --rows"
            )
    wanted = {row.init_from for row in rows if row.init_from is not None}
    for name in sources:
        if name not in wanted:
            raise ConfigError(
                f"no row that is run starts from '{name}'; "
                f"rows start from {', '.join(sorted(wanted)) or 'nothing but their recipes'}"
            )
    for name in revisions:
        if name not in sources:
            raise ConfigError(
                f"--init-revision names '{name}', but --init-from does not; give both"
            )


def find_row_sources(
    sources: Mapping[str, Source], revisions: Mapping[str, str], runs: Iterable[Path]
) -> dict[str, Source]:
    """Return what rows start from; of a model on the Hub one commit, for all rows the same.

    Args:
        sources: By the name that rows give them.
        revisions: By the same name, the branch, tag or commit on the Hub.
        runs: Rows that were begun before and are gone on with.

    Raises:
        HubError: The Hub has no such model or gives it not.
    """
    begun, found = tuple(runs), {}
    for name, place in sources.items():
        source = find_source(place, revisions.get(name), runs=begun)
        assert source is not None
        found[name] = source
    return found
