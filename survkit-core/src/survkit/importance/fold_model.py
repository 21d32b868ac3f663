"""One network of a fold, with its test subjects at hand to be predicted again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from survkit.data import Cohort, SubjectStore, store_for
from survkit.flow import Encoding, ModalityInput, concatenate, map_tensors, select, to_device
from survkit.hub.fitted_model import as_model_input
from survkit.importance.feature_group import FeatureGroup
from survkit.importance.reference import reference
from survkit.model import SurvivalModel, encode_present
from survkit.protocols import Encoder, SurvivalHead
from survkit.specs import EncodingSpec, InputSpec

if TYPE_CHECKING:
    from survkit.data import PreparationCache

LIGHT_BATCH = 256
"""Subjects at once where nobody has an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """Whom a fold's model predicts, and on whom it was trained.

    Attributes:
        cohort: Declares the model's modalities.
        specs: What the encoders were built for.
        test: Positions in the cohort.
        train: Positions in the cohort; without validation subjects.
        batch: Subjects in memory at once.
        cache: Where prepared images are kept.
    """

    cohort: Cohort
    specs: Mapping[str, InputSpec]
    test: Sequence[int]
    train: Sequence[int]
    batch: int
    cache: PreparationCache | None


class FoldModel:
    """A network whose inputs can be changed group by group.

    Only the changed modality is encoded anew, in the same batches as before, so what a model does
    not look at changes no bit of its prediction.

    Args:
        member: The network.
        subjects: Whom it predicts.
        device: Where it runs.
    """

    def __init__(self, member: SurvivalModel, subjects: Subjects, device: str) -> None:
        self.member, self.subjects, self.device = member, subjects, device
        self.dtype = next(member.parameters()).dtype
        self.head = deepcopy(cast(SurvivalHead, member.head))  # curves are made on the CPU
        self.encoders: dict[str, Any] = dict(member.encoders.items())
        self.store = self._store(subjects.test, subjects.specs)
        self.batches = [
            list(range(start, min(start + subjects.batch, len(subjects.test))))
            for start in range(0, len(subjects.test), subjects.batch)
        ]
        self.encodings: list[dict[str, Encoding]] = []
        self.present: dict[str, list[bool]] = {}
        self._parameters = torch.empty(0)
        self._references: dict[str, Tensor] = {}

    def _store(self, rows: Sequence[int], specs: Mapping[str, InputSpec]) -> SubjectStore:
        cohort, cache = self.subjects.cohort, self.subjects.cache
        return store_for(cohort, rows, specs, encoders=self.encoders, cache=cache)

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Put the network on its device in eval mode, and back on the CPU afterwards."""
        self.member.eval().to(self.device)
        try:
            yield
        finally:
            self.member.cpu()

    def inputs(self, batch: Sequence[int]) -> dict[str, ModalityInput]:
        """Return what some test subjects have, by their places among them; on the CPU."""
        return dict(self.store.inputs([self.subjects.test[place] for place in batch]))

    @torch.no_grad()
    def clean(self) -> Tensor:
        """Return the head's parameters of all test subjects, and remember their encodings."""
        if self.encodings:
            return self._parameters
        found = []
        for batch in self.batches:
            inputs = self.inputs(batch)
            for name, value in inputs.items():
                self.present.setdefault(name, []).extend(value.present.tolist())
            given = as_model_input(inputs, self.dtype, self.device)
            encodings = self.member.encode(given, penalties=False)
            self.encodings.append(
                {name: map_tensors(each, Tensor.cpu) for name, each in encodings.items()}
            )
            found.append(self.member.decide(encodings).parameters.cpu())
        self._parameters = torch.cat(found)
        return self._parameters

    def forget(self) -> None:
        """Drop what is remembered of the test subjects."""
        self.encodings, self.present = [], {}

    def permuted(self, group: FeatureGroup, donors: Sequence[int]) -> Tensor:
        """Return the parameters when every subject has the group's features of its donor."""
        if self.moves_whole(group):
            return self._decided(group.modality, self._remembered(group.modality, donors))
        places = torch.tensor(group.positions)

        def change(input: ModalityInput, batch: Sequence[int]) -> ModalityInput:
            rows = [self.subjects.test[donors[place]] for place in batch]
            given = self.store.inputs(rows, only=[group.modality])[group.modality]
            values = input.values.clone()
            values[..., places] = given.values[..., places]
            return replace(input, values=values)

        return self._decided(group.modality, self._encoder(group.modality), change)

    def ablated(self, group: FeatureGroup) -> Tensor:
        """Return the parameters when the group's features are the reference for everybody."""
        places = torch.tensor(group.positions)

        def change(input: ModalityInput, batch: Sequence[int]) -> ModalityInput:
            values = input.values.clone()
            values[..., places] = self.reference(group.modality)[places].to(values.dtype)
            return replace(input, values=values)

        return self._decided(group.modality, self._encoder(group.modality), change)

    def moves_whole(self, group: FeatureGroup) -> bool:
        """Whether the group is all that a subject has of the modality."""
        return group.positions is None or len(group.positions) == self.width(group.modality)

    def width(self, modality: str) -> int:
        """Return the length of the last axis of what the encoder gets."""
        first = self.store.inputs([self.subjects.test[0]], only=[modality])[modality]
        return int(first.values.shape[-1])

    def has_other_numbers_of_tokens(self, modality: str) -> bool:
        """Whether subjects differ in how many tokens they have."""
        lengths = set()
        for batch in self.batches:
            rows = [self.subjects.test[place] for place in batch]
            input = self.store.inputs(rows, only=[modality])[modality]
            if input.token_mask is not None:
                lengths.update(input.token_mask[input.present].sum(dim=1).tolist())
        return len(lengths) > 1

    def reference(self, modality: str) -> Tensor:
        """Return what each position is when it says nothing, from training subjects alone; float64
        (position).
        """
        if modality not in self._references:
            spec, train = self.subjects.specs[modality], self.subjects.train
            store = self._store(train, {modality: spec})
            self._references[modality] = reference(
                store, modality, train, spec, batch=self.subjects.batch
            )
        return self._references[modality]

    def _encoder(self, modality: str) -> Encoder:
        return cast(Encoder, self.encoders[modality])

    def _remembered(self, modality: str, donors: Sequence[int]) -> _Remembered:
        """Return what stands for the encoder where it would see whole other subjects."""
        parts = [
            select(encodings[modality], encodings[modality].present)
            for encodings in self.encodings
            if bool(encodings[modality].present.any())
        ]
        present = torch.tensor(self.present[modality])
        place = (present.cumsum(0) - 1)[torch.tensor(donors)]
        return _Remembered(self._encoder(modality).encoding, concatenate(parts), place[present])

    @torch.no_grad()
    def _decided(
        self,
        modality: str,
        encoder: Encoder,
        change: Callable[[ModalityInput, Sequence[int]], ModalityInput] | None = None,
    ) -> Tensor:
        """Return the parameters with one modality encoded anew."""
        found = []
        for batch, clean in zip(self.batches, self.encodings, strict=True):
            rows = [self.subjects.test[place] for place in batch]
            input = self.store.inputs(rows, only=[modality])[modality]
            changed = input if change is None else change(input, batch)
            given = as_model_input({modality: changed}, self.dtype, self.device)[modality]
            encodings = {
                name: to_device(each, self.device)
                for name, each in clean.items()
                if name != modality
            }
            encodings[modality] = encode_present(encoder, given, penalties=False)
            ordered = {name: encodings[name] for name in clean}
            found.append(self.member.decide(ordered).parameters.cpu())
        return torch.cat(found)


@dataclass(slots=True)
class _Remembered:
    """Gives encodings that are known, batch by batch, as the encoder of the donors would.

    Attributes:
        encoding: What the encoder promises.
        known: Of all who have the modality, on the CPU.
        place: Whose encoding each of them gets, in order; int64.
        done: How many were asked for.
    """

    encoding: EncodingSpec
    known: Encoding
    place: Tensor
    done: int = 0

    def __call__(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        begin, self.done = self.done, self.done + len(input.present)
        return to_device(select(self.known, self.place[begin : self.done]), input.values.device)
