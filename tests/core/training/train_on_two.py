"""Train the tiny network on two processes; started by test_train.py."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from tiny_training import run

if __name__ == "__main__":
    print(run(Path(sys.argv[1]), devices=2, epochs=2, risk_set=13))
