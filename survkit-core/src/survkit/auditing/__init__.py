"""Looks for what makes reported survival results wrong: leakage, selection, flipped signs."""

from __future__ import annotations

from survkit.auditing.audit import audit, audit_inputs
from survkit.auditing.evidence import Inputs
from survkit.auditing.finding import Finding, NotChecked, Rule
from survkit.auditing.result import Audit

__all__ = ["Audit", "Finding", "Inputs", "NotChecked", "Rule", "audit", "audit_inputs"]
