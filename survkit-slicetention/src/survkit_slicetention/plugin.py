"""What the plugin offers: names and targets, nothing is imported."""

from __future__ import annotations

from survkit.plugins import hookimpl
from survkit.registry import Registry

SURVKIT_API = ">=0.1,<0.2"

# kind | name | target within survkit_slicetention | summary
_PARTS = """
encoder | slices | slices:SlicesEncoder | CT slice by slice under a 2-D network
fusion | soft-attention | soft_attention:SoftAttention | tokens weighed by a learned score
recipe | lung1-cached | recipes/lung1-cached.yaml | the paper's model over a frozen, cached trunk
recipe | small | recipes/small.yaml | a small network for two CPU cores, such as for phantoms
"""


@hookimpl
def survkit_register(registry: Registry) -> None:
    """Add the parts of the slice-attention paper."""
    for line in _PARTS.strip().splitlines():
        kind, name, target, summary = line.split(" | ")
        place = "survkit_slicetention:" if kind == "recipe" else "survkit_slicetention."
        registry.add(kind, name, f"{place}{target}", summary=summary)
