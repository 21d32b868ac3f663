"""From predictions with groups changed to the numbers of ``importance.json``.

Importance is the clean concordance minus that with the group permuted, mean over the repeats. The
interval is from a bootstrap over subjects: clean and permuted predictions are scored on the same
resamples, the models and the permutations being as they are. The SD over the repeats stands beside
it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from survkit.evaluation import Predictions
from survkit.importance.feature_group import FeatureGroup
from survkit.importance.joined_scores import JoinedScores
from survkit.importance.mean_drop import MeanConcordance, drops, mean_concordance
from survkit.metrics.estimate import Undefined
from survkit.stress.yardstick import Values, Yardstick

NOBODY = "in no fold have two subjects the modality, so that nothing can be exchanged"


@dataclass(slots=True)
class Measure:
    """What the numbers are made of.

    Attributes:
        joined: All predictions.
        gauge: The concordance and the resamples.
        advance: Told of every group.
    """

    joined: JoinedScores
    gauge: Yardstick
    advance: Callable[[int], None]
    _clean: MeanConcordance | Undefined | None = None

    def groups_json(self, groups: Sequence[FeatureGroup]) -> list[dict[str, Any]]:
        """Return an entry per group, the most important first, those without a value last."""
        shares = self._gradient_shares(groups)
        entries = []
        for group in groups:
            entries.append(self._of_group(group, shares[group.key]))
            self.advance(1)
        return sorted(entries, key=_order)

    def clean_json(self) -> dict[str, Any]:
        """Return the concordance of the predictions as they are."""
        table, gauge = self.joined.clean(), self.gauge
        return gauge.result(gauge.values(table), table, method=gauge.metric.label).to_json()

    def _of_group(self, group: FeatureGroup, share: Values) -> dict[str, Any]:
        words, table = self.gauge.metric.label, self.joined.table
        each, permuted = self._permuted(group)
        said = {
            "importance": (permuted, f"drop of {words}, group permuted, mean of {len(each)} times"),
            "ablation": (self._ablated(group), f"drop of {words}, group at its training mean"),
            "gradient": (share, "share of |gradient x input| of the risk"),
        }
        results = {
            name: self.gauge.result(values, table, method=method).to_json()
            for name, (values, method) in said.items()
        }
        return {
            "name": group.key,
            "modality": group.modality,
            "source": group.source,
            "columns": list(group.columns),
            "positions": None if group.positions is None else len(group.positions),
            "moved": self.joined.moved(group.key) // len(table.repeats),
            "importance": results["importance"],
            "repeats": each,
            "repeat_sd": statistics.stdev(each) if len(each) > 1 else None,
            "ablation": results["ablation"],
            "gradient": results["gradient"],
        }

    def _permuted(self, group: FeatureGroup) -> tuple[list[float], Values]:
        """Return the drop of each repeat, and their mean in the sample and in every resample."""
        reason = self.joined.reason("permuted", group.key)
        if not reason and not self.joined.moved(group.key):
            reason = NOBODY
        return self._drop(self.joined.permuted(group.key), reason)

    def _ablated(self, group: FeatureGroup) -> Values:
        reason = self.joined.reason("ablated", group.key)
        return self._drop((self.joined.ablated(group.key) for _ in range(1)), reason)[1]

    def _drop(self, tables: Iterable[Predictions], reason: str) -> tuple[list[float], Values]:
        """Return clean minus changed; the tables are not made where there is a reason not to."""
        if reason:
            return [], self.gauge.undefined(self.joined.table, reason)
        clean = self._clean_concordance()
        if isinstance(clean, Undefined):
            return [], clean
        changed = mean_concordance(self.gauge, tables)
        if isinstance(changed, Undefined):
            return [], changed
        each, mean = drops(clean, changed)
        return each.tolist(), mean

    def _clean_concordance(self) -> MeanConcordance | Undefined:
        if self._clean is None:
            self._clean = mean_concordance(self.gauge, [self.joined.clean()])
        return self._clean

    def _gradient_shares(self, groups: Sequence[FeatureGroup]) -> dict[str, Values]:
        """Return each group's share of the sizes of all groups that have some."""
        joined, table = self.joined, self.joined.table
        reasons = {group.key: joined.reason("gradient", group.key) for group in groups}
        able = [key for key, reason in reasons.items() if not reason]
        found: dict[str, Values] = {
            key: self.gauge.undefined(table, reason) for key, reason in reasons.items() if reason
        }
        if not able:
            return found
        sizes = torch.stack([torch.from_numpy(joined.gradient(key)) for key in able], dim=1)
        repeat = torch.from_numpy(table.repeat.copy())
        totals = torch.stack(
            [self.gauge.counts[:, repeat == one] @ sizes[repeat == one] for one in table.repeats]
        )
        if not bool((totals[:, 0].sum(dim=1) > 0).all()):
            nothing = "the risk of no subject depends on any group, to first order"
            return found | {key: self.gauge.undefined(table, nothing) for key in able}
        shares = (totals / totals.sum(dim=2, keepdim=True)).mean(dim=0)
        return found | {key: shares[:, place] for place, key in enumerate(able)}


def _order(entry: dict[str, Any]) -> tuple[bool, float, str]:
    value = entry["importance"].get("value")
    return (value is None, 0.0 if value is None else -value, entry["name"])
