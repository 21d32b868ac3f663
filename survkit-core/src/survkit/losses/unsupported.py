"""Refusing by name what a loss does not honour, instead of ignoring it."""

from __future__ import annotations

from survkit.errors import DataError
from survkit.flow import SurvivalTarget


def refuse_unsupported(target: SurvivalTarget, loss: str, *fields: str) -> None:
    """Refuse targets that carry a field (entry, weight, strata) the loss cannot honour.

    Raises:
        DataError: The target has such a field.
    """
    for field in fields:
        if getattr(target, field) is not None:
            raise DataError(
                f"the loss {loss!r} does not honour {field}, but the targets carry it; "
                f"drop {field} from the cohort's outcome or choose a loss that honours it"
            )
