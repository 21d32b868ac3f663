"""What encoders estimate from training subjects before training: scaling, codes to start from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from survkit.checks_batches import ChecksBatches
from survkit.data import SubjectStore
from survkit.errors import DataError
from survkit.flow import ModalityInput, select
from survkit.model import SurvivalModel
from survkit.protocols import FitsBatches, FitsInput


def fit_inputs(
    model: SurvivalModel,
    store: SubjectStore,
    rows: Sequence[int],
    micro_batch: int,
    *,
    kept: Collection[str] = (),
) -> None:
    """Let encoders that ask for it estimate scaling and the like from present training subjects.

    Those among ``kept``, such as ``encoders.ct``, have it from elsewhere; they only look whether
    they can use these subjects.

    Raises:
        DataError: An encoder cannot use what the subjects have; it is named.
    """
    encoders = {name: one for name, one in model.encoders.items() if f"encoders.{name}" not in kept}
    wanted = [name for name, one in encoders.items() if isinstance(one, FitsInput)]
    if wanted:
        inputs = store.inputs(rows)
        for name in wanted:
            with _naming(name):
                cast(FitsInput, model.encoders[name]).fit(_present(inputs[name]))
    for name, one in encoders.items():
        if isinstance(one, FitsBatches):
            with _naming(name):
                one.fit_batches(_Batches(store, name, rows, micro_batch))
    for name, one in model.encoders.items():
        if name not in encoders and isinstance(one, ChecksBatches):
            with _naming(name):
                one.check_batches(_Batches(store, name, rows, micro_batch))


@contextmanager
def _naming(modality: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        raise DataError(f"encoders.{modality}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Batches:
    """The present subjects' inputs in micro-batches, read anew at each iteration."""

    store: SubjectStore
    modality: str
    rows: Sequence[int]
    size: int

    def __iter__(self) -> Iterator[ModalityInput]:
        for start in range(0, len(self.rows), self.size):
            rows = self.rows[start : start + self.size]
            given = _present(self.store.inputs(rows, only=(self.modality,))[self.modality])
            if len(given.values):
                yield given


def _present(given: ModalityInput) -> ModalityInput:
    return given if given.complete else select(given, given.present.nonzero().flatten())
