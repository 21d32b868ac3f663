"""The ability of an encoder to leave tokens out of its computation, which ``survkit prune`` asks
for.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class PrunesTokens(Protocol):
    """An encoder that can leave tokens out of its computation, so that fewer cost less.

    Without a choice it computes all of them. Tokens left out have no influence on anything but what
    the encoder documents, are zeros in its encoding and no part of ``token_mask``.
    """

    def token_importance(self, values: Tensor) -> Tensor:
        """Return how much each token counts while none is left out: not negative, each row sums to
        one, in eval mode of each subject by itself; (batch, token).

        Args:
            values: What ``forward`` gets; (batch, *shape).
        """

    def keep_tokens(self, kept: Tensor | None) -> None:
        """Compute these tokens alone from now on; ``None`` for all.

        Args:
            kept: bool (token): for everybody; it is part of the state that is saved with the
                weights. bool (batch, token): for the rows of the calls that follow, until another
                choice; it is not saved. At least one of every subject.
        """
