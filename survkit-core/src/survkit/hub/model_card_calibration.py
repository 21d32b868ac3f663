"""The calibration of a model card: a picture of what was measured, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.errors import RunError
from survkit.hub.card_mark import PICTURE_FILE
from survkit.hub.description import ModelDescription
from survkit.hub.model_card_metrics import METRICS_FILE, CardMetrics
from survkit.hub.model_card_text import code, plain


def calibration(
    found: CardMetrics | str, description: ModelDescription
) -> tuple[str, bytes | None]:
    """Return what the card says of calibration, and the picture; ``None`` where there is none.

    Raises:
        RunError: What ``metrics.json`` says of calibration is damaged.
    """
    if isinstance(found, str):
        return f"**No figure**: {found}.", None
    try:
        return _section(found, description)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunError(
            f"{METRICS_FILE}: its calibration is damaged ({type(error).__name__}: {error}); write "
            "it anew with survkit report"
        ) from error


def _section(found: CardMetrics, description: ModelDescription) -> tuple[str, bytes | None]:
    from survkit.report.calibration_figure import calibration_alt, observable
    from survkit.report.calibration_sheet import calibration_sheet

    held = {name: one for name, one in found.causes.items() if "calibration" in one}
    horizon = f"{description.outcome.horizon:g} {description.outcome.time_unit}"
    shown = [name for name, one in held.items() if observable(one["calibration"])]
    lines = [_cause(name, held.get(name), horizon) for name in found.causes]
    listed = "\n".join(f"- {line}" for line in lines)
    picture = calibration_sheet(held)
    if picture is None:
        return f"**No figure**, because nothing could be observed by the horizon:\n\n{listed}", None
    alt = " ".join(
        calibration_alt(held[name]["calibration"], cause=name, horizon=horizon) for name in shown
    )
    return f"![{plain(alt)}]({PICTURE_FILE})\n\n{_how_to_read(found, horizon)}\n\n{listed}", picture


def _how_to_read(found: CardMetrics, horizon: str) -> str:
    whose = {
        "fold": "of the procedure, not of this fold's model alone",
        "procedure": "of the procedure, not of this very model",
        "external": "of this very model",
    }[found.of]
    once = ", in the first repeat" if found.repeats > 1 else ""
    return (
        f"Across: mean predicted probability of the event by {horizon}. Up: the share observed by "
        f"then. Predictions are {whose}, for subjects who were not trained on{once}. Points are "
        "groups of equal size by their prediction, bars the intervals of what was observed; above "
        "the dashed line, more events happened than were predicted. The orange line, where there "
        "is one, is a smoothed curve with its band."
    )


def _cause(name: str, found: Mapping[str, Any] | None, horizon: str) -> str:
    """Say of one cause how many it is of and how it was made, or why it is not drawn."""
    from survkit.report.calibration_figure import observable

    if found is None:
        return f"{code(name)}: not drawn, as the evaluation holds no calibration"
    groups = found["calibration"]
    if not groups:
        return f"{code(name)}: not drawn, as there are no predicted probabilities"
    known = observable(groups)
    if not known:
        return f"{code(name)}: not drawn: {plain(groups[0]['observed']['reason'])}"
    observed = [group["observed"] for group in known]
    n, events = (sum(int(one[key]) for one in observed) for key in ("n", "events"))
    words = f"{code(name)}: n {n}, E {events} by {horizon}, in {len(known)} "
    words += "group" if len(known) == 1 else "groups"
    words += f"; observed by {plain(observed[0]['method'])}{_level(observed)}"
    if len(known) < len(groups):
        words += f"; {len(groups) - len(known)} further groups could not be observed"
    return f"{words}; {_curve(found.get('calibration_curve'))}"


def _level(observed: list[Mapping[str, Any]]) -> str:
    levels = [one["interval"]["level"] for one in observed if one.get("interval") is not None]
    return f" at {100 * float(levels[0]):g}%" if levels else ", of which there is none"


def _curve(curve: Mapping[str, Any] | None) -> str:
    if curve is None:
        return "no smoothed curve was computed"
    if "reason" in curve:
        return f"no smoothed curve: {plain(curve['reason'])}"
    return f"smoothed curve: {plain(curve['method'])}, n {curve['n']}, E {curve['events']}"
