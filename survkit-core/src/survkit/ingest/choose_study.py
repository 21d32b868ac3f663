"""Which of several studies of a patient is taken, by a declared rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Series
from survkit.ingest.settings import StudyRule


def choose_study(series: Sequence[Series], *, rule: StudyRule) -> list[Series]:
    """Return the series of the one study that a rule chooses.

    Args:
        series: Of one patient, of the modalities that are asked for.
        rule: "only" refuses several; "first" and "last" go by the studies' date and time;
            "most-slices" takes the study whose series have the most slices together, "complete"
            the one that has the most of the modalities.

    Raises:
        RefusedSeriesError: Several studies are equally good, or one has no date.
    """
    studies: dict[str, list[Series]] = {}
    for each in series:
        studies.setdefault(each.study_uid, []).append(each)
    if len(studies) < 2:
        return list(series)
    if rule == "only":
        raise RefusedSeriesError(
            "ambiguous-study",
            f"one study is wanted, but the patient has {len(studies)}; choose by first, last, "
            "most-slices or complete",
        )
    if rule == "most-slices":
        return _largest(studies)
    if rule == "complete":
        return _most_complete(studies)
    dates = {uid: _date(found) for uid, found in studies.items()}
    wanted = min(dates.values()) if rule == "first" else max(dates.values())
    chosen = [uid for uid, date in dates.items() if date == wanted]
    if len(chosen) > 1:
        raise RefusedSeriesError(
            "ambiguous-study", f"{len(chosen)} studies of the patient have the same date and time"
        )
    return studies[chosen[0]]


def _largest(studies: Mapping[str, list[Series]]) -> list[Series]:
    sizes = {uid: sum(each.slices for each in found) for uid, found in studies.items()}
    chosen = [uid for uid, size in sizes.items() if size == max(sizes.values())]
    if len(chosen) > 1:
        raise RefusedSeriesError(
            "ambiguous-study",
            f"{len(chosen)} studies of the patient have {max(sizes.values())} slices each",
        )
    return studies[chosen[0]]


def _most_complete(studies: Mapping[str, list[Series]]) -> list[Series]:
    held = {uid: {each.modality for each in found} for uid, found in studies.items()}
    most = max(len(modalities) for modalities in held.values())
    chosen = [uid for uid, modalities in held.items() if len(modalities) == most]
    if len(chosen) > 1:
        raise RefusedSeriesError(
            "ambiguous-study",
            f"{len(chosen)} studies of the patient hold {' and '.join(sorted(held[chosen[0]]))}; "
            "choose by first, last or most-slices",
        )
    return studies[chosen[0]]


def _date(found: Sequence[Series]) -> tuple[str, str]:
    moments = {(each.first.study_date, each.first.study_time) for each in found}
    if len(moments) > 1 or not min(moments)[0]:
        raise RefusedSeriesError(
            "undated-study",
            "studies are ordered by date, but one of the patient's has none or several; choose by "
            "most-slices",
        )
    return moments.pop()
