"""The first thing to run: cross-validation on generated images whose truth is known."""

from survkit.demo.result import DemoResult, Row
from survkit.demo.run_demo import run_demo
from survkit.demo.settings import DemoSettings

__all__ = ["DemoResult", "DemoSettings", "Row", "run_demo"]
