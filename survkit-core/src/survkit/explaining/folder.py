"""Where explanations are written."""

from __future__ import annotations

from pathlib import Path

from survkit.errors import ConfigError
from survkit.whole_folder import check_replaceable

EXPLAIN_FILE = "explain.json"
FOLDER = "explain"
WRITTEN = (EXPLAIN_FILE, *(f"[0-9][0-9]*-*.{ending}" for ending in ("svg", "png", "jpg")))
"""All that is in such a folder, as patterns of names."""


def explain_folder(run: Path, out: str | Path | None, *, overwrite: bool, name: str) -> Path:
    """Return the folder of explanations, which may be written.

    Args:
        run: What is explained.
        out: Folder that was asked for; ``explain`` in a run of ``survkit cv`` by default, which is
            derived from the run and made anew.
        overwrite: Replace earlier explanations in ``out``.
        name: What is explained, as the user calls it.

    Raises:
        RunError: Something else is there (also beside explanations), or explanations and neither
            was asked.
        ConfigError: A model folder without ``out``: it is what one publishes, so no picture of a
            patient belongs there.
    """
    if out is None and (run / "config.json").is_file():
        raise ConfigError(
            f"{name} is a model, which may be published, and explanations show patients; give a "
            "folder for them with --out"
        )
    folder = run / FOLDER if out is None else Path(out)
    check_replaceable(
        folder,
        mark=EXPLAIN_FILE,
        written=WRITTEN,
        kind="explanations",
        overwrite=overwrite or out is None,
    )
    return folder
