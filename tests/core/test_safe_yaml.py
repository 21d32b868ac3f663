from __future__ import annotations

from pathlib import Path

import pytest

from survkit.errors import ConfigError
from survkit.safe_yaml import MOST_BYTES, parse_yaml, read_yaml


def test_plain_data_is_read() -> None:
    """Mappings, lists and scalars arrive as Python data."""
    assert parse_yaml("a: [1, 2.5, x, true, null]", source="t") == {"a": [1, 2.5, "x", True, None]}


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-4", 1e-4), ("1.5E3", 1500.0), ("12", 12), ("-.5", -0.5), ("no", "no"), ("true", True)],
)
def test_numbers_and_truth_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    """A learning rate of 1e-4 is a number, and a category called no is a text."""
    found = parse_yaml(text, source="t")

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "line 2: the key 'a' stands twice"),
        ("a: {b: 1, b: 2}", "the key 'b' stands twice"),
        ("a: &x [1]\nb: *x", r"line 2: aliases \(\*x\) are not allowed"),
        ("a: [1", "not valid YAML"),
        ("a: !!python/object/apply:os.system [ls]", "not valid YAML.*could not determine"),
        ("[" * 60 + "]" * 60, "nested deeper than 50"),
        ("x" * (MOST_BYTES + 1), "characters are more than"),
        ("{[a, b]: 1}", "must be a plain name"),
    ],
)
def test_what_could_surprise_is_refused(text: str, message: str) -> None:
    """Duplicates, aliases, objects, bombs and damage each get one sentence."""
    with pytest.raises(ConfigError, match=message):
        parse_yaml(text, source="settings.yaml")


def test_file_problems_name_the_file(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are not text are told apart."""
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigError, match="there is no such file"):
        read_yaml(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="is a folder"):
        read_yaml(tmp_path)
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_yaml(tmp_path / "binary.yaml")
