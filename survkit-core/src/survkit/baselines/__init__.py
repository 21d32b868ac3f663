"""Classical models in the same cross-validation as networks: fitted in every fold, never stored.

scikit-survival is GPL and optional (``survkit-core[sksurv]``). Only the modules that a registered
baseline names import it; nothing of core's own path does.
"""

from __future__ import annotations

from survkit.baselines.check import check_baseline, check_fold, software
from survkit.baselines.fit_baseline import BaselineTask, fit_baseline

__all__ = ["BaselineTask", "check_baseline", "check_fold", "fit_baseline", "software"]
