"""Options that commands share are said once."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import survkit.cli


def test_no_two_commands_spell_out_the_same_option() -> None:
    """Type, name, limits and help word for word: that stands in ``options.py``."""
    places = defaultdict(set)
    for path in Path(survkit.cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            said = ast.unparse(node) if isinstance(node, ast.Subscript) else ""
            if said.startswith("Annotated[") and "help=" in said:
                places[said].add(path.name)

    assert places, "no option was found"
    assert {said: names for said, names in places.items() if len(names) > 1} == {}
