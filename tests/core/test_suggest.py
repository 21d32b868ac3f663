"""The half sentence after a misspelt name."""

from __future__ import annotations

from survkit.suggest import close_matches, did_you_mean


def test_a_close_name_is_asked_for_and_all_are_listed() -> None:
    """The order of what is known does not matter."""
    assert did_you_mean("coxs", ["weibull", "cox"]) == "Did you mean 'cox'? Known: cox, weibull."


def test_nothing_close_asks_nothing() -> None:
    """A wild guess would only distract."""
    assert did_you_mean("zzz", ["weibull", "cox"]) == "Known: cox, weibull."
    assert did_you_mean("zzz", []) == "None is known."


def test_long_lists_are_cut_and_say_so() -> None:
    """A thousand names are no help."""
    names = [f"name-{index:02d}" for index in range(30)]

    assert did_you_mean("q", names).endswith("name-23 and 6 more.")


def test_the_part_after_the_slash_is_enough_and_case_does_not_matter() -> None:
    """Users forget who provides a part."""
    assert close_matches("Slics", ["slicetention/slices", "robsurv/vq3d"]) == [
        "slicetention/slices"
    ]
