"""Settings are checked against the constructor, strictly, with a message that helps."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import Field

from survkit.errors import ConfigError, PluginError
from survkit.plugins import load_plugins
from survkit.registry import Registry
from survkit.settings import check_settings, describe_type, settings_schema

if TYPE_CHECKING:
    from decimal import Decimal


class Part:
    """Has one setting of every sort."""

    def __init__(
        self,
        spec: object,
        *,
        ties: Literal["efron", "breslow"] = "efron",
        hidden: tuple[int, ...] = (32,),
        rate: float = 0.1,
        layers: int | None = None,
        share: Annotated[float, Field(ge=0, le=1)] = 0.5,
        name: str = "part",
        factors: Mapping[str, float] | None = None,
        range: tuple[int, float] = (1, 2.0),
        frozen: bool = False,
        columns: Sequence[str] = (),
    ) -> None: ...


def check(**settings: object) -> dict[str, object]:
    return check_settings(Part, settings, where="head 'part'")


def test_defaults_are_filled_in_and_all_can_be_written_to_a_file() -> None:
    """What is recorded is what was built, defaults included."""
    resolved = check(rate=3, hidden=[8, 4])

    assert resolved == {
        "ties": "efron", "hidden": (8, 4), "rate": 3.0, "layers": None, "share": 0.5,
        "name": "part", "factors": None, "range": (1, 2.0), "frozen": False, "columns": (),
    }  # fmt: skip
    assert isinstance(resolved["rate"], float)
    written = json.dumps(resolved)
    assert json.dumps(check(**json.loads(written))) == written


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hiden": [1]}, "has no setting 'hiden'. Did you mean 'hidden'.*Known: columns, factors"),
        ({"spec": 1}, "has no setting 'spec'"),
        ({"ties": "Efron"}, "must be 'efron' or 'breslow', not \"Efron\"; did you mean 'efron'"),
        ({"ties": 1}, "must be 'efron' or 'breslow', not 1; the default is \"efron\""),
        ({"hidden": 8}, "must be a list of whole numbers, not 8; the default is .32."),
        ({"hidden": [8, "4"]}, r"not \[8, \"4\"\] \(input should be a valid integer at 1\)"),
        ({"hidden": [8, 4.5]}, "must be a list of whole numbers"),
        ({"hidden": [8, True]}, "must be a list of whole numbers"),
        ({"rate": "1e-4"}, 'not "1e-4"; it is text: write the number without quotes'),
        ({"rate": "nan"}, 'must be a number, not "nan"; the default'),
        ({"rate": float("nan")}, "must be a number and finite, not nan$"),
        ({"rate": float("inf")}, "must be a number and finite, not inf$"),
        ({"rate": True}, "must be a number, not true"),
        ({"rate": None}, "must be a number, not null"),
        ({"rate": object()}, "must be a number, not <object"),
        ({"layers": "3"}, 'must be a whole number or null, not "3"; it is text'),
        ({"layers": 3.0}, "must be a whole number or null, not 3.0"),
        ({"layers": True}, "must be a whole number or null, not true"),
        ({"share": 1.5}, r"not 1.5 \(input should be less than or equal to 1\)"),
        ({"name": False}, "must be text, not false; true and false are truth values"),
        ({"name": 3}, "must be text, not 3"),
        ({"factors": {"a": "b"}}, "a mapping of names to numbers or null, .* at a"),
        ({"range": [1]}, "a list of 2: a whole number, a number, not .1."),
        ({"frozen": 1}, "must be true or false, not 1"),
        ({"frozen": "false"}, 'must be true or false, not "false"'),
        ({"columns": "age"}, 'must be a list of texts, not "age"'),
    ],
)
def test_a_wrong_setting_is_refused_with_what_would_do(
    settings: dict[str, object], message: str
) -> None:
    """Nothing is cast: the text "3" is not 3, true is not 1."""
    with pytest.raises(ConfigError, match=f"^head 'part'.*{message}"):
        check(**settings)


def test_a_missing_setting_is_named_with_its_type() -> None:
    """A setting without a default must be given."""

    def build(*, width: int) -> None: ...

    with pytest.raises(ConfigError, match="head 'x' needs the setting 'width', a whole number"):
        check_settings(build, {}, where="head 'x'")


def test_a_keyword_only_dataclass_is_a_schema_too() -> None:
    """Losses without parameters are often that."""

    @dataclass(frozen=True, kw_only=True)
    class Ranking:
        sigma: float = 0.1

    assert check_settings(Ranking, {"sigma": 1}, where="loss") == {"sigma": 1.0}


def test_a_constructor_that_takes_anything_still_has_a_schema() -> None:
    """``**others`` would let every typo pass."""

    def build(*, width: int = 1, **others: Any) -> None: ...

    with pytest.raises(ConfigError, match=r"no setting 'widht'. Did you mean 'width'"):
        check_settings(build, {"widht": 2}, where="head 'x'")


def test_a_component_whose_types_cannot_be_resolved_is_its_authors_fault() -> None:
    """An import under TYPE_CHECKING is invisible at run time."""

    def build(*, price: Decimal) -> None: ...

    with pytest.raises(PluginError, match=r"types of its settings cannot be resolved.*Decimal"):
        check_settings(build, {"price": 1}, where="head 'x'")


def test_a_component_without_types_is_its_authors_fault() -> None:
    """A setting of unknown type cannot be checked."""

    def build(*, width=1) -> None: ...  # type: ignore[no-untyped-def] # noqa: ANN001

    with pytest.raises(PluginError, match="its setting 'width' has no type; annotate it"):
        check_settings(build, {}, where="head 'x'")


def test_a_default_that_cannot_be_recorded_is_its_authors_fault() -> None:
    """Every setting goes into config.json."""

    def build(*, limit: float = float("inf")) -> None: ...

    with pytest.raises(PluginError, match="'limit' holds inf, which cannot be recorded"):
        check_settings(build, {}, where="head 'x'")


def test_types_are_described_in_words() -> None:
    """The words are those of the YAML that the user writes."""
    assert describe_type(dict[str, int]) == "a mapping of names to whole numbers"
    assert describe_type(tuple[str, ...] | None) == "a list of texts or null"
    assert describe_type(list[Literal["a", "b"]]) == "a list of which each is 'a' or 'b'"


def test_every_component_of_the_core_has_a_schema_that_its_defaults_fit() -> None:
    """What is resolved from nothing but the required settings must be accepted again."""
    registry = Registry()
    load_plugins(registry, [])
    for component in registry.iterate():
        if component.kind in ("recipe", "demonstration"):  # texts, which have none
            continue
        target = component.load()
        schema = settings_schema(target, where=component.full_name)
        empty = inspect.Parameter.empty
        if all(default is not empty for _, default in schema.values()):
            resolved = check_settings(target, {}, where=component.full_name)
            written = json.dumps(resolved)
            again = check_settings(target, json.loads(written), where=component.full_name)
            assert json.dumps(again) == written
