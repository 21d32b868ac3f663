"""What a command line says and returns when a command did not end well."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from survkit.errors import HubUnavailableError, UserError

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_MEMORY = ("can't allocate memory", "Failed to allocate memory")


def explain_failure(error: Exception, *, debug: bool) -> int:
    """Print one readable message and return the exit code.

    Args:
        error: What a command raised.
        debug: Whether to print the traceback first.
    """
    if isinstance(error, BrokenPipeError):
        # The reader has gone (``survkit list | head``): nobody is left to be told, and the
        # interpreter must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if hasattr(error, "format_message"):
        return _explain_usage(error)
    if debug:
        traceback.print_exception(error)
    if isinstance(error, (UserError, HubUnavailableError)):
        print(f"error: {error}", file=sys.stderr)
        return WRONG_INPUT if isinstance(error, UserError) else FAILED
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in _DISK_FULL:
            place = f" while writing {cause.filename}" if cause.filename else ""
            print(f"error: the disk is full{place}; free some space", file=sys.stderr)
            return WRONG_INPUT
        if isinstance(cause, OSError) and cause.errno == errno.ENAMETOOLONG:
            name = str(cause.filename)
            print(
                f"error: a file cannot have a name as long as {name[:40]}… ({len(name)} "
                "characters); give a shorter one, or correct the table that names it",
                file=sys.stderr,
            )
            return WRONG_INPUT
        if _out_of_memory(cause):
            print(f"error: {_too_large(cause)}", file=sys.stderr)
            return WRONG_INPUT
    if isinstance(error.__cause__, EOFError):  # typer reads it as the end of what the user types
        error = error.__cause__
    message = " ".join(str(error).split())
    print(
        f"{type(error).__name__}: {message}\n"
        "This is a fault of survkit or of a component; run the same with --debug to see where.",
        file=sys.stderr,
    )
    return FAILED


def _out_of_memory(error: BaseException) -> bool:
    """Whether it says that memory could not be had: numpy, torch and ITK each say it their way."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and any(words in text for words in _NO_MEMORY)


def _too_large(error: BaseException) -> str:
    """Say in one line what was asked of memory, without the source line that noticed."""
    text = " ".join(str(error).split())
    found = re.search(r"(you tried to allocate|Unable to allocate|Tried to allocate) [^;]*", text)
    asked = "" if found is None else f" ({found[0].split('. ')[0].rstrip('.')})"
    return (
        f"there is not enough memory{asked}; look for a number that is too large among the "
        "recipe's settings (sizes, widths, training.micro_batch) and the cohort's size and spacing"
    )


def _explain_usage(error: Any) -> int:
    """Print in one line what the command line cannot be; typer's error classes are private."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return WRONG_INPUT
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "survkit"
    message = " ".join(error.format_message().split()).rstrip(".")
    print(f"error: {message}; see {path} --help", file=sys.stderr)
    return int(error.exit_code)


def warn_in_one_line(otherwise: Callable[..., None]) -> Callable[..., None]:
    """Return a ``warnings.showwarning`` that leaves the code line out of survkit's own warnings."""

    def show(message: Any, category: type[Warning], *where: Any, **others: Any) -> None:
        if category.__module__.partition(".")[0] == "survkit":
            print(f"warning: {message}", file=sys.stderr)
        else:
            otherwise(message, category, *where, **others)

    return show


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what led to it: libraries wrap the system's errors in their own."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
