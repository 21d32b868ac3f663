"""Loading plugins from real metadata: isolation, rollback, versions, twins, the switch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from survkit.errors import PluginError, UnknownComponentError
from survkit.plugins import (
    API_VERSION,
    PluginWarning,
    check_api,
    default_registry,
    find_plugins,
    load_plugins,
)
from survkit.registry import Plugin, PluginStatus, Registry

MakeDistribution = Callable[..., Path]

HALF_WAY = """
    from survkit.plugins import hookimpl

    SURVKIT_API = ">=0.1,<0.2"

    @hookimpl
    def survkit_register(registry):
        registry.add("encoder", "first", "somewhere:First", summary="comes before the crash")
        raise RuntimeError("no licence file")
"""

CRASH = 'raise RuntimeError("no licence file")'

BROKEN = {
    "import error": (
        "import a_package_that_is_nowhere",
        "ModuleNotFoundError: No module named 'a_package_that_is_nowhere'",
    ),
    "leaves the process": ("raise SystemExit(3)", "SystemExit: 3"),
    "syntax": ("def (:", "SyntaxError"),
    "misspelt hook": (
        """
        from survkit.plugins import hookimpl
        SURVKIT_API = ">=0.1,<0.2"
        @hookimpl
        def survkit_regster(registry): pass
        """,
        "unknown hook 'survkit_regster'",
    ),
    "wrong argument": (
        """
        from survkit.plugins import hookimpl
        SURVKIT_API = ">=0.1,<0.2"
        @hookimpl
        def survkit_register(registree): pass
        """,
        r"\{'registree'\}",
    ),
    "no hook": ('SURVKIT_API = ">=0.1,<0.2"', "implements no hook"),
    "crash half-way": (HALF_WAY, "RuntimeError: no licence file"),
    "no range": (
        "def survkit_register(registry): pass",
        r"does not say which versions of survkit.API_VERSION .* SURVKIT_API = \">=0.1,<0.2\"",
    ),
    "not a range": ('SURVKIT_API = "about one"', "'about one' is no version range"),
    "written for a newer survkit": (
        'SURVKIT_API = ">=7,<8"',
        "this survkit has 0.1: pip install --upgrade survkit-core",
    ),
    "written for an older survkit": (
        'SURVKIT_API = "<0.1"',
        "this survkit has 0.1: pip install --upgrade survkit-broken",
    ),
    "unknown kind": (
        HALF_WAY.replace(CRASH, 'registry.add("brain", "x", "a:b", summary="y")'),
        "'x' is added as a 'brain', which is no kind",
    ),
    "same name twice": (
        HALF_WAY.replace(CRASH, 'registry.add("encoder", "first", "other:Thing", summary="y")'),
        "encoder 'first' is already somewhere:First",
    ),
}  # fmt: skip


def load(disabled: Sequence[str] = ()) -> Registry:
    """Load what the test has made, and nothing that happens to be installed beside it."""
    registry = Registry()
    made = [found for found in find_plugins() if found.plugin.version == "1.2.3"]
    load_plugins(registry, made, disabled)
    return registry


def test_a_plugin_adds_its_names_without_importing_its_parts(
    make_distribution: MakeDistribution,
) -> None:
    """The name is there with its provider; loading the component is a later, separate step."""
    make_distribution("survkit-forest", "forest")

    component = load().find("encoder", "forest/tree")

    assert component.full_name == "forest/tree"
    assert (component.distribution, component.version) == ("survkit-forest", "1.2.3")
    assert component.load().__name__ == "Tree"


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_one_warning_and_leaves_nothing_behind(
    case: str, make_distribution: MakeDistribution
) -> None:
    """The others keep working, no name of the broken one is left, and its traceback is kept."""
    source, message = BROKEN[case]
    make_distribution("survkit-broken", "broken", source)
    make_distribution("survkit-forest", "forest")
    alone = {component.full_name for component in load_core().iterate()}

    with pytest.warns(PluginWarning, match=message) as caught:
        registry = load()

    assert len(caught) == 1
    names = {component.full_name for component in registry.iterate()}
    assert names == alone | {"forest/tree", "forest/cox"}
    states = {status.plugin.name: status.state for status in registry.plugins}
    assert states == {"survkit": "loaded", "broken": "broken", "forest": "loaded"}
    status = next(each for each in registry.plugins if each.state == "broken")
    assert "Traceback" in status.traceback
    assert "survkit-broken 1.2.3" in str(caught[0].message)


def load_core() -> Registry:
    registry = Registry()
    load_plugins(registry, [])
    return registry


def test_a_missing_name_of_a_broken_plugin_points_to_the_doctor(
    make_distribution: MakeDistribution,
) -> None:
    """Telling the user to install what is installed would send them in circles."""
    make_distribution("survkit-robsurv", "robsurv", "raise OSError('licence')")
    with pytest.warns(PluginWarning):
        registry = load()

    with pytest.raises(UnknownComponentError, match=r"did not load: OSError: licence.*doctor"):
        registry.find("encoder", "vq3d")
    with pytest.raises(UnknownComponentError, match=r"did not load: OSError: licence.*doctor"):
        registry.find("encoder", "robsurv/anything")


def test_an_unindexed_broken_plugin_is_named_too(make_distribution: MakeDistribution) -> None:
    """Nobody can know what a stranger's plugin would have offered, so it is a suspect."""
    make_distribution("survkit-stranger", "stranger", "raise OSError('licence')")
    with pytest.warns(PluginWarning):
        registry = load()

    with pytest.raises(UnknownComponentError, match="Not loaded, see survkit doctor: survkit-stra"):
        registry.find("encoder", "spiral")


def test_a_twin_of_a_core_name_is_refused_and_both_can_be_had(
    make_distribution: MakeDistribution,
) -> None:
    """Neither the core nor the plugin wins by default."""
    make_distribution("survkit-forest", "forest")
    registry = load()

    with pytest.raises(UnknownComponentError, match=r"survkit-core and .*survkit-forest; ask for"):
        registry.find("head", "cox")
    assert registry.find("head", "forest/cox").distribution == "survkit-forest"
    assert registry.find("head", "survkit/cox").distribution == "survkit-core"


def test_two_distributions_with_one_plugin_name_are_refused_by_name(
    make_distribution: MakeDistribution,
) -> None:
    """No spelling can tell them apart, so the message says how to get rid of one."""
    make_distribution("survkit-forest", "forest")
    make_distribution("survkit-grove", "forest")
    registry = load()

    with pytest.raises(
        UnknownComponentError,
        match=r"survkit-forest and .*survkit-grove.*SURVKIT_DISABLE_PLUGINS=survkit-grove",
    ):
        registry.find("encoder", "forest/tree")
    assert load(["survkit-grove"]).find("encoder", "tree").distribution == "survkit-forest"


@pytest.mark.parametrize("switch", ["forest", "survkit-forest", "Survkit_Forest", "*"])
def test_a_disabled_plugin_is_not_even_imported(
    switch: str, make_distribution: MakeDistribution
) -> None:
    """The switch is for the day a plugin breaks, so nothing of it may run."""
    make_distribution("survkit-forest", "forest", "raise OSError('imported')")

    registry = load([switch])

    assert registry.plugins[-1].state == "disabled"
    with pytest.raises(UnknownComponentError, match="installed but disabled: by SURVKIT_DISABLE"):
        registry.find("encoder", "forest/tree")


def test_the_default_registry_reads_the_switch_from_the_environment(
    make_distribution: MakeDistribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are separated by commas; spaces do not matter."""
    make_distribution("survkit-forest", "forest", "raise OSError('imported')")
    monkeypatch.setenv("SURVKIT_DISABLE_PLUGINS", "other , forest")
    default_registry.cache_clear()

    try:
        states = {each.plugin.name: each.state for each in default_registry().plugins}
    finally:
        default_registry.cache_clear()

    assert states["forest"] == "disabled"


@pytest.mark.parametrize("name", ["survkit", "session", "Upper", "a/b"])
def test_a_plugin_cannot_take_a_reserved_or_malformed_name(
    name: str, make_distribution: MakeDistribution
) -> None:
    """A plugin that calls itself survkit would speak as the core."""
    make_distribution("survkit-impostor", name)

    with pytest.warns(PluginWarning, match="a plugin cannot be called"):
        load()


def test_loading_the_core_alone_warns_of_nothing() -> None:
    """The core's parts go through the same hook and pass it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry = load_core()

    assert registry.plugins == (PluginStatus(registry.plugins[0].plugin, "loaded"),)
    assert {component.plugin for component in registry.iterate()} == {"survkit"}


def test_the_example_range_of_the_messages_is_accepted() -> None:
    """What the error message tells an author to write must be right."""
    check_api(f">={API_VERSION},<0.2", Plugin("forest", "survkit-forest", "1"))


def test_a_pre_release_range_is_compared_as_versions_not_as_text() -> None:
    """As text "0.10" would come before "0.9"."""
    plugin = Plugin("forest", "survkit-forest", "1")

    check_api(">=0.1.dev0,<0.10", plugin)
    with pytest.raises(PluginError, match=r"written for survkit API >=0.10"):
        check_api(">=0.10", plugin)
