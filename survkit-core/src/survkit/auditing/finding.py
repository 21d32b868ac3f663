"""What an audit can say: a finding, or why a question was not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from survkit.auditing.evidence import Evidence

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or should be looked at.

    Attributes:
        rule: Name of the rule.
        severity: ``"error"``: the reported numbers cannot be believed. ``"warning"``: they may be
            wrong, look at it. ``"note"``: worth knowing.
        message: What is wrong, in one sentence.
        evidence: Numbers, rows and subjects that show it.
        cure: What to do.
    """

    rule: str
    severity: Severity
    message: str
    evidence: str
    cure: str

    def to_json(self) -> dict[str, Any]:
        """Plain texts."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Why a rule could not be asked of this input."""

    reason: str


Answer: TypeAlias = list[Finding] | NotChecked


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One question an audit asks.

    Attributes:
        name: Lower case with hyphens.
        asks: The question, in one sentence.
        guard: What keeps a clean protocol from being accused.
        source: Where the fault was seen, or who says that it is one.
        check: Answers it.
    """

    name: str
    asks: str
    guard: str
    source: str
    check: Callable[[Evidence], Answer]


def some(names: Iterable[object], most: int = 5) -> str:
    """Return the first names and how many more there are: ``"a, b and 3 more"``."""
    every = [str(name) for name in names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
