"""What the plugin offers: names and targets, nothing is imported."""

from __future__ import annotations

from survkit.plugins import hookimpl
from survkit.registry import Registry

SURVKIT_API = ">=0.1,<0.2"

# kind | name | target within survkit_slicetention | summary
_PARTS = """
"""


@hookimpl
def survkit_register(registry: Registry) -> None:
    """Add the parts of the slice-attention paper."""
    for line in _PARTS.strip().splitlines():
        kind, name, target, summary = line.split(" | ")
        registry.add(kind, name, f"survkit_slicetention.{target}", summary=summary)
