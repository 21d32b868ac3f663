"""``python -m survkit`` is the command line."""

from __future__ import annotations

from survkit.cli import main

if __name__ == "__main__":
    main()
