"""Token pruning of a cross-validation, from the run folder to ``prune.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from survkit.data import Cohort
from survkit.evaluation import Predictions
from survkit.pruning.importance import pruning_modality
from survkit.pruning.predicted import Predicted, predict_run, steps
from survkit.pruning.retrain import check_retrainable, measured, retrain
from survkit.pruning.rows import pruned_row, retrained_key, retrained_row
from survkit.pruning.settings import PruneOptions, PruneSettings
from survkit.pruning.write_prune import PRUNE_FILE, WRITTEN, write_prune, write_tables
from survkit.steps import Steps
from survkit.stress.run_parts import RunParts, open_run
from survkit.stress.yardstick import Yardstick, yardstick
from survkit.whole_folder import check_replaceable, whole_folder

FORMAT = 1
"""Version of ``prune.json``. Keys may be added under one version, not renamed or removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """A finished pruning.

    Attributes:
        folder: Where it was written.
        content: Of ``prune.json``.
        tables: Predictions by name of their folder.
    """

    folder: Path
    content: Mapping[str, Any]
    tables: Mapping[str, Predictions]


def prune_run(
    run: str | Path,
    cohort: Cohort,
    *,
    out: str | Path | None = None,
    **options: Unpack[PruneOptions],
) -> Pruned:
    """Predict a run's test subjects again without the tokens that count little.

    Every fold's own model predicts the subjects it never saw, with all tokens and with fewer. Which
    these are is decided by the fold's training subjects, or by each test subject's own image, never
    by an outcome of a test subject. The importance is that of the network with all its tokens.

    Args:
        run: A finished run of ``survkit cv`` with an encoder that leaves tokens out
            (:class:`survkit.prunes_tokens.PrunesTokens`).
        cohort: What it was made from, read with its outcome.
        out: Folder to write; ``prune`` in the run by default.
        options: Fields of :class:`survkit.pruning.PruneSettings`.

    Raises:
        RunError: It is no such run, or results are there already.
        DataError: Its models do not predict on this cohort what they predicted then.
        ConfigError: No encoder leaves tokens out, or a setting does not exist or apply.
    """
    settings = PruneSettings(**options)
    parts = open_run(run, cohort, settings.components(), purpose="pruning")
    gauge = yardstick(
        parts.table,
        settings.metric,
        settings.cause,
        replicates=settings.replicates,
        level=settings.level,
    )
    first = parts.fold(parts.splits.folds[0]).fitted
    modality = pruning_modality(first, settings.modality)
    if settings.retrain:
        check_retrainable(parts)
    folder = Path(out) if out is not None else parts.folder / "prune"
    check_replaceable(
        folder, mark=PRUNE_FILE, written=WRITTEN, kind="pruning", overwrite=settings.overwrite
    )
    advance = Steps(steps(parts, settings, len(first.members)), settings.progress)
    del first  # models may be large
    with whole_folder(folder) as work:
        predicted = predict_run(parts, settings, modality, advance)
        write_tables(work, predicted)
        job = _Job(parts, settings, modality, gauge, predicted)
        content, tables = job.content(work, advance)
        write_prune(work, content, predicted, settings.choices)
    return Pruned(folder=folder, content=content, tables=tables)


@dataclass(frozen=True, slots=True)
class _Job:
    """Everything that the numbers are made from."""

    parts: RunParts
    settings: PruneSettings
    modality: str
    gauge: Yardstick
    predicted: Predicted

    def content(
        self, work: Path, advance: Callable[[int], None]
    ) -> tuple[dict[str, Any], dict[str, Predictions]]:
        """Return the content of ``prune.json`` and all tables; train on where that was asked."""
        table, tables = self.parts.table, dict(self.predicted.tables)
        rows = []
        for choice in self.settings.choices:
            rows.append(pruned_row(choice, self.predicted, self.gauge, self.settings.map))
            if self.settings.retrain:
                place, kept = work / retrained_key(choice), self.predicted.kept[choice.key]
                again = retrain(self.parts, choice, kept, place, self.settings, self.modality)
                tables[place.name] = again
                advance(len(table))
                timed = measured(self.parts, place, again, self.settings, self.modality, advance)
                rows.append(
                    retrained_row(choice, self.predicted, timed, self.gauge, self.settings.map)
                )
        content = {
            "format": FORMAT,
            "settings": self.settings.to_json(),
            "metric": self.gauge.metric.key,
            "metric_label": self.gauge.metric.label,
            "cause": table.causes[self.gauge.cause - 1],
            "model": table.model,
            "modality": self.modality,
            "tokens": self._tokens(),
            "predictions": table.fingerprint(),
            "subjects": table.subjects,
            "device": self.settings.device,
            "micro_batch": self.parts.recipe.training.micro_batch,
            "rows": rows,
        }
        return content, tables

    def _tokens(self) -> int | None:
        for networks in self.predicted.importance.values():
            return len(networks[0])
        return None
