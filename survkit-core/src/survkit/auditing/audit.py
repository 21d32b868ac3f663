"""Was the protocol clean? Every rule is asked once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from survkit.auditing.evidence import Inputs, gather
from survkit.auditing.finding import SEVERITIES, Finding, NotChecked, Rule
from survkit.auditing.result import Audit
from survkit.auditing.rules import RULES
from survkit.errors import ConfigError
from survkit.suggest import did_you_mean

FilePath = str | Path
Progress = Callable[[int, int], None]


def audit(
    predictions: FilePath,
    *,
    splits: FilePath | None = None,
    cohort: FilePath | None = None,
    data_folder: FilePath | None = None,
    features: FilePath | None = None,
    training: FilePath | None = None,
    metrics: FilePath | None = None,
) -> Audit:
    """Look for the faults that make reported survival results wrong.

    Only ``predictions`` is needed; every further file lets more rules be asked. Nothing is written:
    :meth:`survkit.auditing.Audit.write` does that.

    Args:
        predictions: A run folder of ``survkit cv``, or anybody's table with the columns ``subject,
            duration, event, risk_score`` and optionally ``repeat, fold, part, site, series,
            survival@<time>``.
        splits: Who trained and who was tested: survkit's JSON, or a table ``subject, part[,
            fold]``.
        cohort: The cohort file of a run; what the run fitted is then estimated anew.
        data_folder: What relative paths in the cohort file start from.
        features: Table of the columns that the model saw: ``subject`` and a column each.
        training: Table of the training subjects' outcome: ``subject, duration, event``.
        metrics: The reported numbers: JSON, or a table ``metric, value[, fold][, seed][, epoch]``.

    Raises:
        UserError: A file is missing or cannot be used.
    """
    given = Inputs(
        predictions=Path(predictions),
        splits=_path(splits),
        cohort=_path(cohort),
        data_folder=_path(data_folder),
        features=_path(features),
        training=_path(training),
        metrics=_path(metrics),
    )
    return audit_inputs(given)


def audit_inputs(
    inputs: Inputs, rules: Sequence[str] | None = None, *, progress: Progress | None = None
) -> Audit:
    """Audit what was handed over.

    Args:
        inputs: The files.
        rules: Names of the rules to ask; all by default.
        progress: Told how many rules were asked, and of how many.

    Raises:
        UserError: A file cannot be used.
        ConfigError: There is no such rule.
    """
    chosen = _chosen(rules)
    evidence = gather(inputs)
    findings: list[Finding] = []
    checked: list[str] = []
    not_checked: dict[str, str] = {}
    for number, rule in enumerate(chosen, start=1):
        answer = rule.check(evidence)
        if isinstance(answer, NotChecked):
            not_checked[rule.name] = answer.reason
        else:
            checked.append(rule.name)
            findings += answer
        if progress is not None:
            progress(number, len(chosen))
    findings.sort(key=lambda one: SEVERITIES.index(one.severity))
    return Audit(
        source=str(inputs.predictions),
        findings=tuple(findings),
        checked=tuple(checked),
        not_checked=not_checked,
    )


def _chosen(names: Sequence[str] | None) -> Sequence[Rule]:
    known = {rule.name: rule for rule in RULES}
    for name in names or ():
        if name not in known:
            raise ConfigError(f"no rule is named {name!r}. {did_you_mean(name, known)}")
    return RULES if names is None else [known[name] for name in names]


def _path(given: FilePath | None) -> Path | None:
    return None if given is None else Path(given)
