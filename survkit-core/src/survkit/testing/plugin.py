"""The conformance tests of a whole plugin: its registration module and everything it names."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, ClassVar

from survkit.component import NAME, TEXT_KINDS, Component, Plugin
from survkit.plugins import check_api
from survkit.registry import Registry
from survkit.safe_yaml import parse_yaml
from survkit.settings import check_settings

_LIGHT = """
import sys
from importlib import import_module
from survkit.component import Plugin
from survkit.registry import Registry

registry = Registry()
with registry.adding_for(Plugin({name!r}, {distribution!r}, "0")):
    import_module({module!r}).survkit_register(registry)
heavy = [name for name in ("torch", "lightning", "pandas", "monai", "timm") if name in sys.modules]
print(len(list(registry.iterate())), *heavy)
"""


class PluginConformance:
    """What every plugin must keep; a subclass gives ``module``, ``plugin``, ``distribution``."""

    module: ClassVar[str]
    """The entry point's module, with ``survkit_register`` and ``SURVKIT_API``."""
    plugin: ClassVar[str]
    """The entry point's name."""
    distribution: ClassVar[str]
    """The distribution's name."""
    required: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Settings of components that cannot be built without any, by bare name."""

    def registry(self) -> Registry:
        """Return a registry that holds this plugin alone."""
        registry = Registry()
        with registry.adding_for(Plugin(self.plugin, self.distribution, "0")):
            import_module(self.module).survkit_register(registry)
        return registry

    def components(self) -> Iterator[Component]:
        """Yield what the plugin adds but what is text: recipes and the like."""
        return (each for each in self.registry().iterate() if each.kind not in TEXT_KINDS)

    def test_registration_is_light(self) -> None:
        """Registering imports nothing heavy, so that ``survkit list`` stays instant."""
        code = _LIGHT.format(name=self.plugin, distribution=self.distribution, module=self.module)
        answer = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )

        count, *heavy = answer.stdout.split()
        assert int(count) > 0
        assert heavy == []

    def test_api_range_holds_this_survkit(self) -> None:
        """The plugin declares a range of API versions, and this one lies in it."""
        declared = getattr(import_module(self.module), "SURVKIT_API", None)

        check_api(declared, Plugin(self.plugin, self.distribution, "0"))

    def test_every_target_resolves(self) -> None:
        """Every component can be imported."""
        for component in self.components():
            assert callable(component.load()), component.full_name

    def test_settings_have_defaults_and_round_trip(self) -> None:
        """Every component's settings are a typed schema with defaults, and survive a file."""
        for component in self.components():
            loaded = component.load()
            settings = check_settings(
                loaded, self.required.get(component.name, {}), where=component.full_name
            )

            stored = json.loads(json.dumps(settings))

            again = check_settings(loaded, stored, where=component.full_name)
            assert json.loads(json.dumps(again)) == stored, component.full_name

    def test_every_recipe_is_a_mapping(self) -> None:
        """Every recipe is shipped, is valid YAML and names encoders, head and objective."""
        for recipe in self.registry().iterate("recipe"):
            content = parse_yaml(recipe.load(), source=recipe.target)

            assert {"encoders", "head", "objective"} <= content.keys(), recipe.full_name

    def test_every_demonstration_is_of_a_recipe(self) -> None:
        """Every demonstration is shipped, follows its schema, and has the name of a recipe, which
        its changes fit.
        """
        from survkit.demonstration import Demonstration
        from survkit.recipe import Recipe

        registry = self.registry()
        for component in registry.iterate("demonstration"):
            name = component.qualified_name
            demonstration = Demonstration.read(name, registry)
            for quick in (False, True):
                changes = demonstration.size(quick=quick).changes
                recipe = Recipe.read(name, registry=registry, overrides=changes)

                read = {*recipe.modalities}
                assert read <= {*demonstration.phantom_config(10, seed=0).modalities}, name

    def test_every_reproduction_is_read(self) -> None:
        """Every reproduction is shipped and follows its schema, and its own recipes are there."""
        from survkit.reproduction import Reproduction

        registry = self.registry()
        own = {recipe.qualified_name for recipe in registry.iterate("recipe")}
        for component in registry.iterate("reproduction"):
            table = Reproduction.read(component.qualified_name, registry=registry)

            named = {row.recipe for row in table.rows if row.recipe.startswith(f"{self.plugin}/")}
            assert named <= own, component.full_name

    def test_every_experiment_says_its_plan(self) -> None:
        """With default settings every experiment has parts and figures of different names, and can
        be sent to another process.
        """
        for component in self.registry().iterate("experiment"):
            experiment = pickle.loads(pickle.dumps(component.load()()))

            plan = experiment.plan
            figures = [figure.name for figure in plan.figures]
            assert plan.parts, component.full_name
            assert len({*plan.parts}) == len(plan.parts), component.full_name
            assert len({*figures}) == len(figures), component.full_name
            assert all(NAME.fullmatch(figure) for figure in figures), component.full_name

    def test_every_part_is_documented(self) -> None:
        """Every component has a docstring, and a summary that fits a line of ``survkit list``."""
        for component in self.components():
            assert (component.load().__doc__ or "").strip(), component.full_name
            assert len(component.summary) <= 80, component.full_name
