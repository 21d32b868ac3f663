"""How many worker processes may be asked for."""

from __future__ import annotations

from survkit.errors import ConfigError


def check_jobs(jobs: int) -> None:
    """Refuse a number of processes that means nothing.

    Raises:
        ConfigError: 0, or below -1.
    """
    if jobs == 0 or jobs < -1:
        raise ConfigError(f"jobs must be 1 or more, or -1 for one per core, not {jobs}")
