"""The columns of a collection's clinical table, in the forms that circulate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survkit.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Columns:
    """Names in one form of a table.

    Attributes:
        subject: The id.
        duration: Follow-up time in days.
        event: 1 for the event, 0 for censored.
        numbers: Numeric columns of the clinical modality, all known at the time origin.
        names: Its categorical columns.
        site: The centre, where the table has it.
    """

    subject: str
    duration: str
    event: str
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    site: str | None = None

    def clinical(self) -> dict[str, object]:
        """Return the clinical modality of ``cohort.yaml``."""
        return {
            "kind": "table",
            "columns": [*self.numbers, *self.names],
            "categorical": list(self.names),
        }

    def outcome(self, cause: str) -> dict[str, object]:
        """Return the outcome of ``cohort.yaml``."""
        return {
            "duration": self.duration,
            "unit": "days",
            "event": self.event,
            "causes": {1: cause},
        }


def which_form(
    header: Sequence[str], forms: Mapping[str, Sequence[str]], table: str, source: str
) -> str:
    """Return the name of the form whose columns are all there.

    Args:
        header: Columns of the given table.
        forms: Needed columns by name of the form.
        table: What the collection calls it, for messages.
        source: The given file, for messages.

    Raises:
        ConfigError: None is; the form that lacks the least is named with what it lacks.
    """
    missing = {
        name: [column for column in columns if column not in header]
        for name, columns in forms.items()
    }
    least = min(missing, key=lambda name: len(missing[name]))
    if missing[least]:
        raise ConfigError(
            f"{source}: not {table}: the {least} form lacks {', '.join(missing[least])}"
        )
    return least
