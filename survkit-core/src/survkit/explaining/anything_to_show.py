"""Whether there is anything to show of a run."""

from __future__ import annotations

from pathlib import Path

from survkit.explaining.attention_maps import offers_maps
from survkit.explaining.token_grid import grid_over_volume
from survkit.hub import load_model
from survkit.registry import Registry
from survkit.report.token_weights import read_token_weights
from survkit.showing import ShowsTokens, ShowsVolumes


def anything_to_show(run: Path, *, registry: Registry | None = None) -> bool:
    """Say whether the models of a cross-validation show images: tokens that an encoder can show,
    attention over a grid that lies in a volume, maps of where an encoder looked in a picture, or
    volumes that an encoder makes.
    """
    first = next(iter(sorted(run.glob("fold-*/config.json"))), None)
    if first is None:
        return False
    attended = {name for name, tokens in read_token_weights(run).items() if tokens.rows}
    fitted = load_model(first.parent, registry=registry)
    for name, encoder in fitted.members[0].encoders.items():
        spec = fitted.description.inputs[name]
        if isinstance(encoder, ShowsVolumes) and spec.kind == "volume":
            return True
        if offers_maps(encoder, spec):
            return True
        seen = isinstance(encoder, ShowsTokens) or grid_over_volume(encoder, spec) is not None
        if name in attended and seen:
            return True
    return False
