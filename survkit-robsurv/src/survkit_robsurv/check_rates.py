"""A probability that is none is refused."""

from __future__ import annotations

from survkit.errors import ConfigError


def check_rates(**rates: float) -> None:
    """Refuse a probability outside [0, 1), by the name of its setting."""
    for name, rate in rates.items():
        if not 0.0 <= rate < 1.0:
            raise ConfigError(f"{name} must lie in [0, 1), not {rate:g}")
