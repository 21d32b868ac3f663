"""Names, twins, targets and helpful refusals of the registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import survkit
from survkit.catalog import CATALOG, EXTRA_OF_MODULE
from survkit.component import NAME
from survkit.errors import ConfigError, MissingExtraError, PluginError, UnknownComponentError
from survkit.registry import KINDS, Plugin, Registry
from survkit.specs import OutcomeSpec

FOREST = Plugin("forest", "survkit-forest", "1.0")


def registry_with(*names: tuple[str, str, str]) -> Registry:
    registry = Registry()
    for plugin, kind, name in names:
        with registry.adding_for(Plugin(plugin, f"survkit-{plugin}", "1.0")):
            registry.add(kind, name, "json:dumps", summary="something")
    return registry


def test_a_unique_name_is_found_bare_and_in_full() -> None:
    """Both spellings are the same component."""
    registry = registry_with(("forest", "encoder", "tree"), ("grove", "fusion", "tree"))

    assert registry.find("encoder", "tree") is registry.find("encoder", "forest/tree")
    assert registry.find("fusion", "tree").full_name == "grove/tree"


def test_twins_are_kept_and_refused_by_the_bare_name_alone() -> None:
    """Which network is trained must not depend on the order of installation."""
    registry = registry_with(("forest", "encoder", "tree"), ("grove", "encoder", "tree"))

    with pytest.raises(
        UnknownComponentError,
        match="'forest/tree' of survkit-forest and 'grove/tree' of survkit-grove; ask for 'forest",
    ):
        registry.find("encoder", "tree")
    assert registry.find("encoder", "grove/tree").distribution == "survkit-grove"


def test_what_a_notebook_adds_is_found_and_may_be_run_twice() -> None:
    """The same line again changes nothing; another target under the name is refused."""
    registry = Registry()
    for _ in range(2):
        registry.add("loss", "mine", "json:dumps", summary="my loss")

    assert registry.find("loss", "session/mine").load()([1]) == "[1]"
    with pytest.raises(PluginError, match="loss 'mine' is already json:dumps; give json:loads"):
        registry.add("loss", "mine", "json:loads", summary="my loss")


def test_a_block_that_raises_takes_back_all_it_added_and_nothing_else() -> None:
    """A half-registered plugin would be worse than none."""
    registry = registry_with(("forest", "encoder", "tree"))

    grove = Plugin("grove", "survkit-grove", "1")
    with pytest.raises(PluginError), registry.adding_for(grove):  # noqa: PT012 - the whole block
        registry.add("encoder", "bush", "json:dumps", summary="small")
        registry.add("encoder", "Bush", "json:dumps", summary="malformed")

    assert [component.full_name for component in registry.iterate()] == ["forest/tree"]
    registry.add("encoder", "late", "json:dumps", summary="after the crash")
    assert registry.find("encoder", "late").plugin == "session"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("tree*", ["forest/tree", "grove/tree-2"]),
        ("forest/*", ["forest/moss", "forest/tree"]),
        ("*/t?ee", ["forest/tree"]),
        ("moss", ["forest/moss"]),
        ("TREE", []),
    ],
)
def test_patterns_fit_bare_and_full_names(pattern: str, expected: list[str]) -> None:
    """Wildcards are those of the shell, and case matters."""
    registry = registry_with(
        ("forest", "encoder", "tree"), ("grove", "encoder", "tree-2"), ("forest", "encoder", "moss")
    )

    assert expected == [each.full_name for each in registry.iterate("encoder", pattern)]


def test_components_come_ordered_by_kind_the_core_first() -> None:
    """The order does not depend on who was loaded first."""
    registry = registry_with(
        ("forest", "loss", "a"), ("forest", "encoder", "a"), ("survkit", "encoder", "z")
    )

    listed = [(each.kind, each.full_name) for each in registry.iterate()]

    assert listed == [("encoder", "z"), ("encoder", "forest/a"), ("loss", "forest/a")]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("encoder", "vectr", "Did you mean 'vector'. Known: cnn3d, densenet3d-121, "),
        ("head", "rank-n-contrast", "There is a loss of that name"),
        ("encoder", "vq3d", "survkit-robsurv provides it: pip install survkit-robsurv"),
        ("encoder", "robsurv/new", "survkit-robsurv provides it: pip install survkit-robsurv"),
        ("encoder", "slics", "'slicetention/slices' is not installed.*pip install survkit-slicet"),
        ("recipe", "radvit/covid-cxr", "pip install survkit-radvit"),
        ("heads", "cox", "'heads' is no kind of component. Did you mean 'head'"),
    ],
)
def test_an_unknown_name_is_answered_with_what_would_do(kind: str, name: str, message: str) -> None:
    """Close matches, known names, and the line that installs the provider."""
    from survkit.plugins import load_plugins

    registry = Registry()
    load_plugins(registry, [])

    with pytest.raises(UnknownComponentError, match=message):
        registry.find(kind, name)


@pytest.mark.parametrize(
    ("kind", "name", "target", "message"),
    [
        ("brain", "a", "json:dumps", "no kind. .*Known: .*encoder, .*fusion, head, loss, .*recipe"),
        ("encoder", "Tree", "json:dumps", "names are lower case .* not 'Tree'"),
        ("encoder", "a b", "json:dumps", "names are lower case"),
        ("encoder", "a/b", "json:dumps", "names are lower case"),
        ("encoder", "-a", "json:dumps", "names are lower case"),
        ("encoder", "", "json:dumps", "names are lower case"),
        ("encoder", "a", "json.dumps", "must look like 'module:Class', not 'json.dumps'"),
        ("encoder", "a", "json:dumps()", "must look like 'module:Class'"),
        ("recipe", "a", "json:dumps", "must look like 'package:recipes/name.yaml'"),
        ("recipe", "a", "json:../a.yaml", "must look like 'package:recipes/name.yaml'"),
        ("recipe", "a", "json:/etc/a.yaml", "must look like 'package:recipes/name.yaml'"),
    ],
)
def test_what_is_malformed_is_refused_when_added(
    kind: str, name: str, target: str, message: str
) -> None:
    """A mistake is the author's at loading, not the user's at training."""
    with pytest.raises(PluginError, match=message):
        Registry().add(kind, name, target, summary="something")


@pytest.mark.parametrize("summary", ["", "  ", "two\nlines"])
def test_a_summary_is_one_line(summary: str) -> None:
    """It is a row of a table."""
    with pytest.raises(PluginError, match="needs a summary of one line"):
        Registry().add("loss", "a", "json:dumps", summary=summary)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere.at_all:Thing", "ModuleNotFoundError: No module named 'nowhere'"),
        ("json:Thing", "AttributeError: module 'json' has no attribute 'Thing'"),
    ],
)
def test_a_target_that_is_not_there_is_the_providers_fault(target: str, message: str) -> None:
    """The message names the distribution to reinstall."""
    registry = Registry()
    with registry.adding_for(FOREST):
        registry.add("encoder", "tree", target, summary="grows")

    with pytest.raises(PluginError, match=f"'forest/tree' of survkit-forest 1.0.*{message}"):
        registry.find("encoder", "tree").load()


def test_a_missing_optional_package_is_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A user without MONAI is told the extra, not shown an ImportError."""
    for name in ("monai", "monai.networks"):  # as if it were not installed
        monkeypatch.setitem(sys.modules, name, None)
    registry = Registry()
    registry.add("encoder", "tree", "monai.networks:Net", summary="grows")

    with pytest.raises(MissingExtraError, match=r'needs .*monai.*pip install "survkit-core\[imag'):
        registry.find("encoder", "tree").load()


def test_a_recipe_loads_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text comes as it stands; nothing in it is run or resolved."""
    recipes = tmp_path / "paper_package" / "recipes"
    recipes.mkdir(parents=True)
    (recipes.parent / "__init__.py").touch()
    (recipes / "main.yaml").write_text(
        "head: {use: !!python/name:os.system}  # äö\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry()
    registry.add("recipe", "main", "paper_package:recipes/main.yaml", summary="the paper's")
    registry.add("recipe", "lost", "paper_package:recipes/lost.yaml", summary="is not there")

    assert registry.find("recipe", "main").load() == "head: {use: !!python/name:os.system}  # äö\n"
    with pytest.raises(PluginError, match="FileNotFoundError"):
        registry.find("recipe", "lost").load()


def test_create_checks_the_settings_before_building() -> None:
    """The first mistake is told by name, whatever the constructor would have made of it."""
    with pytest.raises(ConfigError, match=r"loss 'cox' has no setting 'tyes'. Did you mean 'ties'"):
        survkit.create("loss", "cox", object(), tyes="efron")
    with pytest.raises(ConfigError, match="a recipe is text, not built"):
        survkit.create("recipe", "demo")


def test_create_builds_with_the_checked_settings() -> None:
    """The spec comes by position, the settings by name, under any spelling of the component."""
    outcome = OutcomeSpec(causes=("death",), horizon=2.0, time_grid=(1.0, 2.0))

    for name in ("cox", "survkit/cox"):
        assert survkit.create("loss", name, outcome, ties="breslow").accepts == ("log-hazard",)


def test_the_catalog_speaks_of_kinds_and_names_that_can_exist() -> None:
    """A typo in the shipped index would send users to the wrong package."""
    for provider, components in CATALOG.items():
        assert provider.distribution == f"survkit-{provider.plugin}"
        for kind, names in components.items():
            assert kind in KINDS
            assert all(NAME.fullmatch(name) for name in names)


def test_every_optional_package_is_in_an_extra_that_exists() -> None:
    """The printed install line must work."""
    from importlib.metadata import metadata

    provided = metadata("survkit-core").get_all("Provides-Extra") or []
    assert set(EXTRA_OF_MODULE.values()) <= set(provided)


def test_every_public_name_is_offered_and_no_other() -> None:
    """``dir`` shows them, a misspelt one is an ordinary AttributeError."""
    assert set(survkit.__all__) <= set(dir(survkit))
    with pytest.raises(AttributeError, match="has no attribute 'Cohrt'"):
        survkit.Cohrt  # noqa: B018
    code = "import survkit; print(survkit.__version__, survkit.API_VERSION)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "0.1.0 0.1\n"
