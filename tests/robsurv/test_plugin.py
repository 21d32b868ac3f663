"""The plugin as a whole."""

from __future__ import annotations

from survkit.testing import PluginConformance


class TestPlugin(PluginConformance):
    module = "survkit_robsurv.plugin"
    plugin = "robsurv"
    distribution = "survkit-robsurv"
