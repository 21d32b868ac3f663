"""At the end of a cross-validation: pictures of what the models looked at, where they attend."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from survkit.data import Cohort, PreparationCache
    from survkit.training.cross_validate import CrossValidation

SUBJECTS = 4


def explain_afterwards(
    result: CrossValidation, cohort: Cohort, cache: PreparationCache, *, quiet: bool
) -> None:
    """Explain a few subjects and put them on the page, where there is something to see.

    The run is complete whatever happens here: what goes wrong is one line of warning.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.explaining import explain_run
    from survkit.explaining.anything_to_show import anything_to_show
    from survkit.report.write_report import write_report

    try:
        if not anything_to_show(result.folder):
            return
        with progress_bar("explaining") as progress:
            explain_run(
                result.folder,
                cohort,
                count=SUBJECTS,
                cache=cache,
                progress=None if quiet else progress,
            )
        write_report(result.folder, evaluation=result.evaluation)
    except Exception as error:  # an explanation must never cost a run that took a night
        said = " ".join(str(error).split())
        print(
            f"warning: what the models looked at is not shown ({type(error).__name__}: {said}); "
            f"the run itself is complete, and survkit explain {result.folder} tries again",
            file=sys.stderr,
        )
