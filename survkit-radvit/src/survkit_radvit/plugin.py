"""What the plugin offers: names and targets, nothing is imported."""

from __future__ import annotations

from survkit.plugins import hookimpl
from survkit.registry import Registry

SURVKIT_API = ">=0.1,<0.2"

# kind | name | target within survkit_radvit | summary
_PARTS = """
encoder | vit | vit.vit_encoder:VitEncoder | Vision Transformer over one picture, prunable
"""


@hookimpl
def survkit_register(registry: Registry) -> None:
    """Add the parts of the paper."""
    for line in _PARTS.strip().splitlines():
        kind, name, target, summary = line.split(" | ")
        place = "survkit_radvit:" if target.endswith(".yaml") else "survkit_radvit."
        registry.add(kind, name, f"{place}{target}", summary=summary)
