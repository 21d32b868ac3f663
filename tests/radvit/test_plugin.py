"""The plugin as a whole."""

from __future__ import annotations

from survkit.catalog import CATALOG, Provider
from survkit.plugins import default_registry
from survkit.testing import PluginConformance


class TestPlugin(PluginConformance):
    module = "survkit_radvit.plugin"
    plugin = "radvit"
    distribution = "survkit-radvit"


def test_the_catalog_knows_every_part() -> None:
    """So that whoever has not installed the plugin is told which one to install."""
    own = [each for each in default_registry().iterate() if each.plugin == "radvit"]

    provided = CATALOG[Provider("survkit-radvit", "radvit")]

    known = {(kind, name) for kind, names in provided.items() for name in names}
    assert known == {(each.kind, each.name) for each in own}
