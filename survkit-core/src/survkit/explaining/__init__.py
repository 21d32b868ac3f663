"""What a trained model looked at, shown for single subjects, with what makes it doubtful."""

from survkit.explaining.explain_run import Explained, explain_run
from survkit.explaining.settings import ExplainOptions, ExplainSettings

__all__ = ["ExplainOptions", "ExplainSettings", "Explained", "explain_run"]
