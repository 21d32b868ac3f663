"""Refuses a place for results before anything is computed: nothing that is there may be lost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def check_output(
    out: Path, *, ending: str, overwrite: bool, inputs: Iterable[Path | None] = ()
) -> None:
    """Refuse a file of results that cannot or must not be written.

    Args:
        out: Where it shall lie.
        ending: What its name must end in, such as ``.json``.
        overwrite: Whether a file that is there may be replaced.
        inputs: What is read; never replaced, whatever is asked.

    Raises:
        RunError: There is no such folder, something is there, or it is an input.
        ConfigError: Its name ends otherwise.
    """
    from survkit.errors import ConfigError, RunError

    for source in inputs:
        if source is not None and out.exists() and source.exists() and out.samefile(source):
            raise RunError(f"{out} is read here, so it is not replaced; give another --out")
    if out.is_dir():
        raise RunError(f"{out} is a folder; give a file, such as {out / ('results' + ending)}")
    if out.suffix != ending:
        raise ConfigError(f"--out takes a {ending} file, not {out}")
    if not out.parent.is_dir():
        raise RunError(f"{out.parent}: there is no such folder; make it first")
    if out.exists() and not overwrite:
        raise RunError(f"{out} is there already; give --overwrite to replace it, or another --out")
