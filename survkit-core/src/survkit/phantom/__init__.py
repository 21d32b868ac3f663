"""Generated image cohorts with a known truth, deterministic by seed.

>>> from survkit.phantom import PhantomConfig, generate_phantom
>>> phantom = generate_phantom(PhantomConfig(subjects=50, size=16, seed=0))
>>> phantom.images(0).ct.shape
(16, 16, 16)
>>> phantom.oracle_concordance().value > phantom.oracle_concordance("ct").value
True
"""

from survkit.phantom.config import PhantomConfig
from survkit.phantom.event_times import Outcome, WeibullBaseline
from survkit.phantom.generate import Phantom, SubjectImages, generate_phantom
from survkit.phantom.truth import CauseEffects, Factors
from survkit.phantom.write import write_cohort

__all__ = [
    "CauseEffects",
    "Factors",
    "Outcome",
    "Phantom",
    "PhantomConfig",
    "SubjectImages",
    "WeibullBaseline",
    "generate_phantom",
    "write_cohort",
]
