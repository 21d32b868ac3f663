"""State estimated from training subjects without gradients, and refused while it is absent."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from survkit.errors import DataError


class FittedState(nn.Module):
    """Remembers whether it was fitted: in the saved weights, and on the host to ask no device."""

    fitted: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))
        self._is_fitted = False

    def mark_fitted(self) -> None:
        """Say that the state has been estimated."""
        self.fitted.fill_(True)
        self._is_fitted = True

    def check_fitted(self) -> None:
        """Refuse to go on before the state has been estimated or loaded."""
        if not self._is_fitted:
            raise DataError(
                f"{type(self).__name__} knows no training subjects yet: "
                "call the encoder's fit(input) with their data, or load fitted weights"
            )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *rest)
        stored = state_dict.get(prefix + "fitted")
        if stored is not None:
            self._is_fitted = bool(stored)
