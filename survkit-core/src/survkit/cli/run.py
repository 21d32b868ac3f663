"""Run the command line: find the command, run it, return the exit code."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from survkit.cli.commands import COMMANDS
from survkit.cli.failure import DONE, FAILED, INTERRUPTED, explain_failure, warn_in_one_line
from survkit.cli.listing import run_plainly


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    0: done. 1: a run failed. 2: the input was wrong. 130: interrupted.

    Args:
        arguments: The words after ``survkit``; those of the process where ``None``.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words  # wherever it stands, it is meant for the whole command line
    words = [word for word in words if word != "--debug"]
    with warnings.catch_warnings():
        warnings.showwarning = warn_in_one_line(warnings.showwarning)
        try:
            try:
                return _run(words or ["--help"])
            finally:
                sys.stdout.flush()
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else FAILED if stop.code else DONE
        except KeyboardInterrupt:
            return INTERRUPTED
        except Exception as error:  # the last resort: nothing else catches what a command raises
            return explain_failure(error, debug=debug)


def _run(words: list[str]) -> int:
    name, rest = words[0], words[1:]
    if name == "list" and run_plainly(rest):
        return DONE
    from survkit.cli.app import build_app, load_command

    if name not in COMMANDS:
        code = build_app().main(words, prog_name="survkit", standalone_mode=False)
    else:  # straight to the command: the group around it would cost start-up time
        command = load_command(name)
        code = command.main(rest, prog_name=f"survkit {name}", standalone_mode=False)
    return code if isinstance(code, int) else DONE
