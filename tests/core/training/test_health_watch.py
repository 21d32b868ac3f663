"""What modules say of themselves is named, checked and counted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from torch import nn

from survkit.errors import DivergedError, PluginError
from survkit.protocols import Health
from survkit.training.health_watch import HealthWatch
from survkit.training.learning import EpochRecord


class Teller(nn.Module):
    """Says what it is given, a list of healths from the last to the first."""

    def __init__(self, *said: Health | None) -> None:
        super().__init__()
        self.said = list(said)

    def epoch_health(self) -> Health | None:
        return self.said.pop()


def tree(paths: Mapping[str, nn.Module]) -> nn.Module:
    """Return a module that has others at dotted paths."""
    root = nn.Module()
    for path, module in paths.items():
        *folders, last = path.split(".")
        place = root
        for name in folders:
            if name not in dict(place.named_children()):
                place.add_module(name, nn.Module())
            place = place.get_submodule(name)
        place.add_module(last, module)
    return root


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["encoders.ct.net.quantizer", "fusion"], ["ct", "fusion"]),
        (["encoders.ct.quantizers.0", "encoders.ct.quantizers.1"], ["ct.0", "ct.1"]),
        (["encoders.ct.low.codes", "encoders.ct.high.codes"], ["ct.low.codes", "ct.high.codes"]),
        (["encoders.ct.codes", "encoders.pet.codes"], ["ct", "pet"]),
        (["encoders.ct.a", "encoders.ct.b.a"], ["ct.a", "ct.b.a"]),
        (["encoders.fusion.codes", "fusion.codes"], ["encoders.fusion.codes", "fusion.codes"]),
    ],
)
def test_names_are_the_shortest_that_tell_apart(paths: list[str], names: list[str]) -> None:
    """The part alone where one module in it speaks."""
    watch = HealthWatch.of(tree({path: Teller() for path in paths}))

    assert sorted(watch.tellers) == sorted(names)


def test_values_by_part_and_warnings_counted(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the first warning of a module, the facts the last and their number."""
    said = (Health({"usage": 0.2}, "worse"), None, Health({"usage": 0.3}, "bad"))
    watch = HealthWatch.of(tree({"fusion": Teller(*said)}))

    with caplog.at_level("WARNING", logger="survkit.training"):
        values = [watch.read(epoch, loud=True) for epoch in range(3)]

    assert values == [{"fusion.usage": 0.3}, {}, {"fusion.usage": 0.2}]
    assert [record.getMessage() for record in caplog.records] == ["fusion, epoch 0: bad"]
    told = {"module": "fusion", "first_epoch": 0, "last_epoch": 2, "epochs": 2, "warning": "worse"}
    assert watch.state() == [told]
    again = HealthWatch.of(tree({"fusion": Teller()}))
    again.take(watch.state())
    assert again.state() == [told]


def test_a_line_of_the_log_names_them() -> None:
    """After the losses."""
    record = EpochRecord(losses={"train_loss": 1.0, "penalty": 0.0}, health={"ct.usage": 0.5})

    assert list(record.row())[-2:] == ["penalty", "health/ct.usage"]


def test_what_is_no_health_is_refused() -> None:
    """A number that is not finite is a training gone astray, other things are a plugin's fault."""
    for value, error, words in (
        (float("nan"), DivergedError, "ct became usage = nan in epoch 4"),
        (1, PluginError, "a lower-case name and a float"),
    ):
        watch = HealthWatch.of(tree({"encoders.ct": Teller(Health({"usage": value}))}))
        with pytest.raises(error, match=words):
            watch.read(4, loud=True)
