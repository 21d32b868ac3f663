"""Whether there is anything to show of a run."""

from __future__ import annotations

from pathlib import Path

from survkit.hub import from_pretrained
from survkit.protocols import ShowsTokens
from survkit.registry import Registry
from survkit.report.token_weights import FILES, read_token_weights


def shows_tokens(run: Path, *, registry: Registry | None = None) -> bool:
    """Say whether the models of a cross-validation attend over tokens that an encoder can show."""
    attended = [name for name, tokens in read_token_weights(run).items() if tokens.rows]
    if not attended:
        return False
    first = next(iter(sorted(run.glob(FILES)))).parent
    encoders = from_pretrained(first, registry=registry).members[0].encoders
    return any(isinstance(encoders[name], ShowsTokens) for name in attended)
