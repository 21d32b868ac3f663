"""``python -m survkit`` is the command ``survkit``."""

from __future__ import annotations

import sys

from survkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
