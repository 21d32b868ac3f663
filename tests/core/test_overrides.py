from __future__ import annotations

import pytest

from survkit.errors import ConfigError
from survkit.overrides import apply_override

DATA = {
    "head": {"use": "deephit", "dropout": 0.1},
    "fusion": "concat",
    "objective": [{"use": "cox"}],
}


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("head=cox", ["head"], "cox"),
        ("head.dropout=0.3", ["head", "dropout"], 0.3),
        ("fusion.dim=8", ["fusion"], {"use": "concat", "dim": 8}),
        ("objective.0.weight=2", ["objective", 0, "weight"], 2),
        ("training.epochs=5", ["training", "epochs"], 5),
        ("head.shared=[10, 20]", ["head", "shared"], [10, 20]),
    ],
)
def test_one_value_changes(override: str, path: list[str | int], expected: object) -> None:
    """The value at the path is the one given, read as YAML."""
    node: object = apply_override(DATA, override, source="r.yaml")
    for part in path:
        node = node[part]  # type: ignore[index]

    assert node == expected


def test_the_original_is_untouched() -> None:
    """An override gives new data."""
    before = repr(DATA)

    apply_override(DATA, "head.dropout=0.9", source="r.yaml")

    assert repr(DATA) == before


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("head", "an override is path=value"),
        ("=3", "an override is path=value"),
        ("head..x=3", "an override is path=value"),
        ("objective.3.weight=1", "'3' is no position of a list of 1"),
        ("objective.x.weight=1", "'x' is no position"),
        ("head.dropout.rate=1", "cannot be set inside the plain value 0.1"),
        ("head.dropout=[1", "not valid YAML"),
    ],
)
def test_paths_that_lead_nowhere_are_refused(override: str, message: str) -> None:
    """Each mistake gets one sentence."""
    with pytest.raises(ConfigError, match=message):
        apply_override(DATA, override, source="r.yaml")
