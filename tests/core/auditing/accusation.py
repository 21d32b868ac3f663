"""What a planted fault must come to: one accusation, and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import torch

from survkit.auditing import Audit, Finding
from survkit.flow import SurvivalTarget
from survkit.metrics import harrell_concordance

MakeStudy = Callable[..., Any]


def only(found: Audit, rule: str, severity: str = "error") -> Finding:
    """Return the one finding above a note, after asserting that there is no other."""
    grave = [one for one in found.findings if one.severity != "note"]
    assert {(one.rule, one.severity) for one in grave} == {(rule, severity)}, grave
    assert found.clean == (severity != "error")
    return grave[0]


def harrell(table: pd.DataFrame) -> float:
    score = torch.from_numpy(table["risk_score"].to_numpy())
    return harrell_concordance(score, target(table)).value  # type: ignore[union-attr]


def target(table: pd.DataFrame) -> SurvivalTarget:
    return SurvivalTarget(
        torch.from_numpy(table["duration"].to_numpy()), torch.from_numpy(table["event"].to_numpy())
    )
