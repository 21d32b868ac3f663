"""Who imports whom: floors by import-linter, and what each room alone may touch."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ONLY_IN: dict[str, tuple[str, ...]] = {
    "lightning": ("survkit/training/",),
    "pytorch_lightning": (),
    "huggingface_hub": ("survkit/hub/", "survkit/published_weights.py"),
    "safetensors": ("survkit/hub/", "survkit/published_weights.py"),
    "typer": ("survkit/cli/",),
    "pytest": ("survkit/testing/",),
    "sksurv": ("survkit/baselines/",),
    "sklearn": ("survkit/baselines/", "survkit/estimator/"),
    "pycox": ("survkit/losses/pycox_losses.py",),
    "torchtuples": (),
    "lifelines": (),
    "torchsurv": (),
    "radiomics": ("survkit/radiomics/",),
}
"""Package, and the rooms that may import it; empty where core must not need it at all."""

PLUGIN_MAY_IMPORT = (
    "survkit.component", "survkit.errors", "survkit.findings", "survkit.flow",
    "survkit.fusions.modalities", "survkit.fusions.token_attention",
    "survkit.losses", "survkit.metrics", "survkit.phantom", "survkit.plugins", "survkit.prediction",
    "survkit.protocols", "survkit.radiomics", "survkit.registry", "survkit.settings",
    "survkit.prunes_tokens", "survkit.published_weights",
    "survkit.showing", "survkit.specs", "survkit.token_threshold",
)  # fmt: skip


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that is imported anywhere in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_every_module_imports_its_own_floor_or_lower(root: Path) -> None:
    """The contracts of .importlinter hold; the output names the import that breaks one."""
    ours = [name for name in logging.root.manager.loggerDict if name.startswith("survkit")]
    try:
        assert lint_imports(config_filename=str(root / ".importlinter"), no_cache=True) == 0
    finally:
        for name in ours:  # the linter silences every logger that there is
            logging.getLogger(name).disabled = False


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_package_stays_in_its_room(package: str, modules: dict[str, Path]) -> None:
    """One room knows the outside world's part; the others could be used without it."""
    strangers = [
        name
        for name, path in modules.items()
        if name.startswith("survkit/")
        and not name.startswith(ONLY_IN[package] or ("-",))
        and any(each.partition(".")[0] == package for each in imports(path))
    ]

    assert strangers == []


def test_nothing_is_imported_relatively(modules: dict[str, Path]) -> None:
    """A module says where its parts come from in full."""
    relative = [
        name
        for name, path in modules.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert relative == []


def test_core_knows_no_plugin(modules: dict[str, Path]) -> None:
    """Any plugin's folder can be deleted and everything else stays green."""
    guilty = [
        name
        for name, path in modules.items()
        if name.startswith("survkit/")
        and any(each.startswith("survkit_") for each in imports(path))
    ]

    assert guilty == []


def test_a_plugin_imports_records_and_no_engine(modules: dict[str, Path]) -> None:
    """Plugins define parts, core trains and ships them; plugins do not know each other."""
    guilty = []
    for name, path in modules.items():
        own = name.partition("/")[0]
        if own == "survkit":
            continue
        for each in imports(path):
            foreign = each.startswith("survkit_") and each.partition(".")[0] != own
            inner = each.startswith("survkit.") and not each.startswith(PLUGIN_MAY_IMPORT)
            if foreign or inner:
                guilty.append(f"{name}: {each}")

    assert guilty == []


def test_only_the_command_line_prints_and_exits(modules: dict[str, Path]) -> None:
    """A library that prints or exits cannot be used by another program."""
    guilty = []
    for name, path in modules.items():
        if name.startswith("survkit/cli/") or name == "survkit/__main__.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print", "sys.exit", "exit", "quit", "os._exit",
            ):  # fmt: skip
                guilty.append(f"{name}:{node.lineno}")

    assert guilty == []
