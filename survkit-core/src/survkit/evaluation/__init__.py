"""From a table of predictions to numbers with intervals; useful to who uses nothing else of it.

One policy for times, everywhere: statements are made about the time from 0 to the **horizon**.

- The horizon and the time grid belong to the table. A run takes the horizon from its recipe and a
  grid of equidistant times up to it (``outcome.evaluation_points``), both stated before any
  outcome is seen; anybody's table takes them from its columns and ``horizon=``.
- Concordances: pairs start from events by the horizon (tau is the horizon).
- Scores and AUC at a time: the horizon. Averages over time: the grid, from its first time to the
  horizon. Incidence calibration: from 0 to the horizon.
- Tests: who is followed beyond the horizon is censored at it.
- Weights for censoring are estimated on the training subjects of each fold, never truncated. Where
  their follow-up ends, or all are censored, before a time that is asked about, the metric is
  undefined with that reason: choose an earlier horizon.
"""

from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.evaluation import Evaluation
from survkit.evaluation.predictions import Predictions, concatenate
from survkit.evaluation.read_run import read_run
from survkit.evaluation.training_file import read_training

__all__ = ["Evaluation", "Predictions", "concatenate", "evaluate", "read_run", "read_training"]
