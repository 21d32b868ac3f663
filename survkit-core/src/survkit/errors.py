"""Everything survkit raises on purpose.

A message says what was expected, what came (value, row, file) and what to do about it. The command
line prints the message alone and exits with 2 for every :class:`UserError`; any other exception is
a fault of ours and exits with 1.
"""

from __future__ import annotations


class SurvkitError(Exception):
    """Base of all errors that survkit raises on purpose."""


class UserError(SurvkitError, ValueError):
    """What the caller gave cannot be used; the message says what would."""


class ConfigError(UserError):
    """A recipe, cohort file, setting or override is wrong."""


class DataError(UserError):
    """A table, image or tensor of data is wrong."""


class CompositionError(ConfigError):
    """Components that each are fine do not fit each other."""


class UnknownComponentError(ConfigError):
    """No registered component has the asked name, or more than one has."""


class PluginError(SurvkitError):
    """A plugin cannot be loaded or broke its promise to the registry."""


class RunError(UserError):
    """A run folder is missing, incomplete, or would be overwritten."""


class HubError(UserError):
    """The Hub refuses what was asked, or gave what cannot be trusted."""


class HubUnavailableError(SurvkitError):
    """The Hub cannot be reached or fails: nobody's input is wrong, and trying later may do."""


class DivergedError(RunError):
    """A loss or an output of the network is not finite: training went astray."""


class MissingExtraError(UserError):
    """An optional package is not installed; the message is the line that installs it."""
