"""Tables that do not hold the same things: what can be compared is, the rest says why not."""

from __future__ import annotations

from survkit.comparison.comparable_metrics import DEFAULT_METRICS, metric_keys


def test_concordances_are_of_pairs_within_folds_unless_all_pairs_are_named() -> None:
    """Intervals over all pairs are too narrow, so that nobody gets them without asking."""
    assert metric_keys("antolini") == ("antolini_concordance_within_folds",)
    assert metric_keys("antolini_concordance_all_pairs") == ("antolini_concordance_all_pairs",)
    assert not [key for key in DEFAULT_METRICS if key.endswith("all_pairs")]
