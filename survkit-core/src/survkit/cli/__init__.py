"""The command ``survkit``. Only this room prints and exits.

Nothing else is defined here: a command module called ``list`` becomes an attribute of this package
and would hide the builtin from any code in this file.
"""

from survkit.cli.commands import COMMANDS, Entry
from survkit.cli.run import main

__all__ = ["COMMANDS", "Entry", "main"]
