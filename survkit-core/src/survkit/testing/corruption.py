"""The conformance tests of corruptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, get_args

import torch
from torch import Tensor

from survkit.protocols import Sample
from survkit.settings import check_settings
from survkit.specs import ColumnSpec, InputKind
from survkit.testing.kit import Kit, component_name

SEEDS = range(5)


class CorruptionConformance(Kit):
    """What every corruption must keep; a subclass gives ``component``, ``settings``, ``kind``."""

    kind: ClassVar[InputKind] = "volume"
    """The kind of input it is tested with."""
    identity: ClassVar[Mapping[str, Any] | None] = None
    """Settings of severity zero, where there are any."""
    stronger: ClassVar[Mapping[str, Any] | None] = None
    """Settings of a stronger severity than ``settings``, where severity is a number."""

    def build(self, settings: Mapping[str, Any] | None = None) -> Any:
        """Return the corruption."""
        component = type(self).component
        asked = self.settings if settings is None else settings
        return component(**check_settings(component, asked, where=component_name(component)))

    def sample(self) -> Sample:
        """Return one subject: a bright ball in a textured image, a mask, or a row of a table."""
        return example_sample(self.kind)

    def corrupted(self, settings: Mapping[str, Any] | None = None, seed: int = 0) -> Sample | None:
        """Return the corrupted sample."""
        generator = torch.Generator().manual_seed(seed)
        found: Sample | None = self.build(settings)(self.sample(), generator=generator)
        return found

    def test_kinds_are_declared(self) -> None:
        """It says which kinds of input it applies to, and the tested one is among them."""
        kinds = self.build().kinds

        assert set(kinds) <= set(get_args(InputKind))
        assert self.kind in kinds

    def test_every_level_is_a_setting(self) -> None:
        """Named severities can be built, and each changes the sample."""
        for name, settings in self.build().levels.items():
            changed = [change(self.sample(), self.corrupted(settings, seed)) for seed in SEEDS]
            assert max(changed) > 0, name

    def test_same_generator_same_result(self) -> None:
        """Randomness comes from the generator alone."""
        first, second = self.corrupted(seed=3), self.corrupted(seed=3)

        assert_same_sample(first, second)

    def test_stochastic_is_measured(self) -> None:
        """What says that it is random differs between seeds; what says it is not does not."""
        results = [self.corrupted(seed=seed) for seed in SEEDS]

        different = any(not same_sample(results[0], other) for other in results[1:])
        assert different == self.build().stochastic

    def test_form_is_kept(self) -> None:
        """Shape and type of values and mask stay, and what is said about them."""
        before, after = self.sample(), self.corrupted()
        if after is None:
            return

        assert after.values.shape == before.values.shape
        assert after.values.dtype == before.values.dtype
        assert (after.mask is None) == (before.mask is None)
        if after.mask is not None and before.mask is not None:
            assert after.mask.shape == before.mask.shape
            assert after.mask.dtype == torch.bool
        assert (after.spacing, after.columns) == (before.spacing, before.columns)

    def test_values_are_finite(self) -> None:
        """No NaN and no infinity, but for cells of a table that are missing."""
        for seed in SEEDS:
            after = self.corrupted(seed=seed)
            if after is None:
                return
            wrong = after.values.isinf() if self.kind == "table" else ~after.values.isfinite()
            assert not bool(wrong.any())

    def test_the_input_is_not_changed(self) -> None:
        """The sample that was given is the same afterwards."""
        sample, fresh = self.sample(), self.sample()
        self.build()(sample, generator=torch.Generator().manual_seed(0))

        assert_same_sample(sample, fresh)

    def test_severity_zero_changes_nothing(self) -> None:
        """At severity zero the sample comes back bit for bit."""
        if self.identity is not None:
            assert_same_sample(self.corrupted(self.identity), self.sample())

    def test_stronger_changes_more(self) -> None:
        """A stronger severity moves the sample farther, on average over seeds."""
        if self.stronger is None:
            return
        mild = [change(self.sample(), self.corrupted(seed=seed)) for seed in SEEDS]
        strong = [change(self.sample(), self.corrupted(self.stronger, seed)) for seed in SEEDS]

        assert sum(strong) > sum(mild) > 0


def example_sample(kind: InputKind) -> Sample:
    """Return one made-up subject of the kind."""
    generator = torch.Generator().manual_seed(11)
    if kind in ("table", "vector"):
        values = torch.rand(12, generator=generator) + 1
        columns: tuple[ColumnSpec, ...] = ()
        if kind == "table":
            columns = tuple(ColumnSpec(f"c{place}") for place in range(12))
        return Sample(values=values, source="example", columns=columns)
    spatial = (14, 16) if kind == "image" else (12, 14, 16)
    centred = [torch.arange(length) - length / 2 for length in spatial]
    radius = sum(axis.square() for axis in torch.meshgrid(*centred, indexing="ij"))
    assert isinstance(radius, Tensor)
    ball = radius < 20
    values = 0.2 * torch.rand(2, *spatial, generator=generator) + ball.float()
    spacing = None if kind == "image" else (2.0, 1.0, 1.0)
    return Sample(values=values, mask=ball, spacing=spacing, source="example")


def change(before: Sample, after: Sample | None) -> float:
    """Return how far the sample was moved: summed squares of values, cells lost, mask voxels."""
    if after is None:
        return float("inf")
    lost = float((after.values.isnan() & ~before.values.isnan()).sum())
    moved = float((after.values - before.values).nan_to_num().double().square().sum())
    region = 0.0
    if after.mask is not None and before.mask is not None:
        region = float((after.mask != before.mask).sum())
    return lost + moved + region


def same_sample(first: Sample | None, second: Sample | None) -> bool:
    """Whether two samples hold the same bits."""
    if first is None or second is None:
        return first is second
    masks = first.mask is None if second.mask is None else first.mask is not None
    if not masks or not torch.equal(first.values.isnan(), second.values.isnan()):
        return False
    values = torch.equal(first.values.nan_to_num(), second.values.nan_to_num())
    if first.mask is None or second.mask is None:
        return values
    return values and torch.equal(first.mask, second.mask)


def assert_same_sample(first: Sample | None, second: Sample | None) -> None:
    """Assert that two samples hold the same bits."""
    assert same_sample(first, second), "the samples differ"
