"""What the plugin offers: names and targets, nothing is imported."""

from __future__ import annotations

from survkit.plugins import hookimpl
from survkit.registry import Registry

SURVKIT_API = ">=0.1,<0.2"

# kind | name | target within survkit_robsurv | summary
_PARTS = """
fusion | dual-patch-fuse | dual_patch_fuse:DualPatchFuse | patch-wise cross-attention and CBAM
encoder | vq | vq:VQEncoder | any encoder's tokens as codes of a learned codebook
encoder | vq3d | vq3d.vq3d_encoder:VQ3DEncoder | 3-D VQ-GAN: codes on a grid
"""


@hookimpl
def survkit_register(registry: Registry) -> None:
    """Add the parts of the paper, and of the systems that it is compared with."""
    for line in _PARTS.strip().splitlines():
        kind, name, target, summary = line.split(" | ")
        place = "survkit_robsurv:" if target.endswith(".yaml") else "survkit_robsurv."
        registry.add(kind, name, f"{place}{target}", summary=summary)
