"""From a table of predictions to numbers with intervals; useful to who uses nothing else of it."""

from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.evaluation import Evaluation
from survkit.evaluation.predictions import Predictions, concatenate

__all__ = ["Evaluation", "Predictions", "concatenate", "evaluate"]
