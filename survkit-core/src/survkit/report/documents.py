"""Files of a run that the page shows where they are there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from survkit.errors import RunError

FORMAT = 1
COHORT_FILE = "cohort.json"
AUDIT_FILE = "audit.json"
STRESS_FILE = "stress/stress.json"
EXPLAIN_FILE = "explain/explain.json"
IMPORTANCE_FILE = "importance/importance.json"


def read_document(run: Path, name: str) -> dict[str, Any] | None:
    """Read a JSON file of the run; ``None`` where there is none.

    Raises:
        RunError: It is damaged, or of a version that this survkit does not know.
    """
    path = run / name
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: damaged ({error}); make it anew or delete it") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise RunError(
            f"{path}: format {FORMAT} was expected, not {found}; make it anew with this survkit or "
            "delete it"
        )
    return content


def read_cohort_summary(run: Path, subjects: int) -> dict[str, Any] | None:
    """Read ``cohort.json``, which must speak of as many subjects as the predictions.

    Raises:
        RunError: It is damaged, or of other subjects.
    """
    content = read_document(run, COHORT_FILE)
    if content is None:
        return None
    spoken_of = content.get("predicted", content.get("subjects"))
    if spoken_of != subjects:
        raise RunError(
            f"{run / COHORT_FILE}: speaks of {spoken_of} predicted subjects, but the predictions "
            f"are of {subjects}; delete it, or run `survkit cv` anew"
        )
    return content


def read_facts(path: Path) -> dict[str, Any] | None:
    """Read the ``training.json`` of a fold; ``None`` where there is none.

    Raises:
        RunError: It is damaged.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: damaged ({error}); run anew, or delete it") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged (it holds no keys and values); run anew, or delete it")
    return content
