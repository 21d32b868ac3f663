"""Several commands in one process: what survkit imports is paid for once."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

_SCRIPT = """
import contextlib, io, json, sys
from survkit.cli import main
ended = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    ended.append((code, out.getvalue(), err.getvalue()))
print("\\n" + json.dumps(ended))
"""


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def run_lines(
    python: Iterable[str],
    lines: Iterable[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    all_done: bool = True,
) -> list[Ended]:
    """Run ``survkit LINE`` for every line.

    Args:
        python: The interpreter with its options.
        lines: What is typed after ``survkit``.
        cwd: Folder that it is typed in.
        env: Environment variables.
        all_done: Whether every command must end with 0.
    """
    typed = [*lines]
    done = subprocess.run(
        [*python, "-c", _SCRIPT, json.dumps([shlex.split(line) for line in typed])],
        cwd=cwd, env=dict(env), capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    ended = [Ended(*each) for each in json.loads(done.stdout.splitlines()[-1])]
    for line, each in zip(typed, ended, strict=True):
        assert not all_done or each.code == 0, f"survkit {line}\n{each.out}{each.err}"
    return ended
