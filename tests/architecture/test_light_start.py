"""What a user waits for before anything is computed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "torch", "lightning", "numpy", "pandas", "scipy", "pyarrow", "matplotlib", "joblib", "monai",
    "huggingface_hub",
)  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """Return which heavy packages a fresh process has imported after running the code."""
    script = f"import sys\n{code}\nprint('|' + ' '.join(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("|")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import survkit",
        "import survkit; survkit.list_components()",
        "from survkit import Registry, hookimpl, API_VERSION",
        "from survkit.settings import check_settings",
        "from survkit.cli import main; assert main(['list']) == 0",
        "from survkit.cli import main; assert main(['list', '--json']) == 0",
        "from survkit.cli import main; assert main(['--help']) == 0",
        "from survkit.cli import main; assert main(['--version']) == 0",
        "from survkit.cli import main; assert main(['doctor']) == 0",
        "from survkit.cli import main; assert main(['list', '--kind', 'x']) == 2",
    ],
)
def test_looking_around_imports_nothing_heavy(code: str) -> None:
    """Seconds of waiting would be paid by every call of the command line."""
    assert loaded_after(code) == set()


def test_the_check_itself_sees_what_is_loaded() -> None:
    """A laziness test that cannot fail would prove nothing."""
    assert "numpy" in loaded_after("import numpy")


def test_every_plugin_module_is_light() -> None:
    """Describing a plugin must not load it; whatever is installed here is looked at."""
    code = (
        "from survkit.plugins import find_plugins\n"
        "for found in find_plugins(): found.entry_point.load()"
    )
    assert loaded_after(code) == set()
