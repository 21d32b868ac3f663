"""Which names a new plugin can have."""

from __future__ import annotations

import keyword

import pytest
from packaging.utils import canonicalize_name

from survkit.catalog import CATALOG
from survkit.component import NAME, Plugin
from survkit.errors import ConfigError
from survkit.scaffold import check_plugin_name


@pytest.mark.parametrize("name", ["my-paper", "a", "deep4surv-2026", "class", "x" * 30])
def test_one_name_has_three_spellings(name: str) -> None:
    """The distribution is in PEP 503's normal form, the package an identifier, the plugin a name
    of the registry.
    """
    found = check_plugin_name(name)

    assert found.distribution == f"survkit-{name}" == canonicalize_name(found.distribution)
    assert found.package == f"survkit_{name.replace('-', '_')}"
    assert found.package.isidentifier()
    assert not keyword.iskeyword(found.package)
    assert NAME.fullmatch(found.plugin)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("My_Paper", "my-paper"),
        ("survkit-my-paper", "my-paper"),
        ("Survkit_x", "x"),
        ("survkit-survkit-x", None),
        ("my--paper", "my-paper"),
        ("my paper", "my-paper"),
        ("-x", "x"),
        ("x-", "x"),
        ("x\n", "x"),
        ("../x", None),
        ("", None),
        ("3d", None),
        ("größe", None),
        ("x" * 31, None),
    ],
)
def test_another_form_is_refused_with_what_was_meant(name: str, meant: str | None) -> None:
    """A suggestion is itself a name that is taken."""
    with pytest.raises(ConfigError, match="lower case letters and digits") as caught:
        check_plugin_name(name)

    message = str(caught.value)
    assert repr(name) in message
    assert message.endswith(f"(did you mean {meant!r}?)") == (meant is not None)
    if meant is not None:
        assert check_plugin_name(meant).plugin == meant


@pytest.mark.parametrize("name", ["survkit", "session", "core", *(each.plugin for each in CATALOG)])
def test_a_name_of_ours_is_taken(name: str) -> None:
    """Whether or not the plugin is installed."""
    with pytest.raises(ConfigError, match=f"the name '{name}' is taken by "):
        check_plugin_name(name)


@pytest.mark.parametrize(
    "other",
    [Plugin("forest", "some-forest", "2.0"), Plugin("trees", "Survkit_Forest", "2.0")],
    ids=["as a plugin", "as a distribution"],
)
def test_a_name_of_what_is_installed_is_taken(other: Plugin) -> None:
    """Two plugins of one name could not be told apart."""
    with pytest.raises(ConfigError, match=f"taken by {other.distribution} 2.0, which is installed"):
        check_plugin_name("forest", [other])
    assert check_plugin_name("grove", [other]).plugin == "grove"
