"""Writes a new plugin: a distribution of its own that works from the first minute."""

from __future__ import annotations

from survkit.scaffold.plugin_name import PluginName, check_plugin_name
from survkit.scaffold.write_plugin import write_plugin

__all__ = ["PluginName", "check_plugin_name", "write_plugin"]
