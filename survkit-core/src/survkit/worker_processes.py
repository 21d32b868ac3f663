"""Worker processes that share the machine's cores: more of them make each a little smaller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

Result = TypeVar("Result")


def in_processes(
    function: Callable[..., Result],
    arguments: Iterable[tuple[Any, ...]],
    *,
    jobs: int,
    tasks: int,
    ordered: bool = True,
) -> Iterator[Result]:
    """Yield what a function returns for each tuple of arguments, computed in worker processes.

    A process computes with its share of the cores, whatever the environment says of threads
    (OMP_NUM_THREADS and its kind), and never with more threads than this process would. How many
    threads there are may change the last bits of a sum, and nothing else.

    Args:
        function: Can be pickled.
        arguments: Of each call; taken one after the other, not all at once.
        jobs: Processes; -1 for one per core.
        tasks: How many calls there are.
        ordered: In the order of the arguments, else in that in which they are done.
    """
    from joblib import Parallel, cpu_count, delayed

    cores = int(cpu_count())  # type: ignore[no-untyped-call]
    workers = min(cores if jobs == -1 else jobs, max(tasks, 1))
    with _limited(max(1, cores // workers)):
        parallel = Parallel(  # type: ignore[no-untyped-call]
            n_jobs=workers, return_as="generator" if ordered else "generator_unordered"
        )
    call = delayed(function)  # type: ignore[no-untyped-call]
    yield from parallel(call(*each) for each in arguments)


def _limited(share: int) -> AbstractContextManager[Any]:
    """Let processes that are started here compute with so many threads at most.

    Another backend of joblib that somebody chose (threads, other machines) is left as it is.
    """
    import torch
    from joblib import parallel_config
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()  # type: ignore[no-untyped-call]
    if type(backend).__name__ != "LokyBackend":
        return nullcontext()
    threads = min(share, torch.get_num_threads())
    limited: AbstractContextManager[Any] = parallel_config("loky", inner_max_num_threads=threads)  # type: ignore[no-untyped-call]
    return limited
