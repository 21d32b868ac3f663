"""Minutes from the injection of a tracer to the start of a PET scan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from survkit.dicom.tag_values import text
from survkit.errors import DataError

_STAMP = re.compile(r"(\d{14})(\.\d{1,6})?([+-]\d{4})?")


def minutes_to_scan(slices: Sequence[Any], dose: Any, where: str) -> float:
    """Return the minutes from the injection to the start of the scan.

    The scan starts when the series does, or at the first acquisition where that is earlier. An
    injection that is known by its time of day alone was within the 24 hours before.

    Args:
        slices: Datasets of all files of the series.
        dose: Item of the radiopharmaceutical information.
        where: What messages begin with.

    Raises:
        DataError: A date or time is missing or none, or the injection comes after the scan.
    """
    acquisitions = [_moment(data, "Acquisition", where) for data in slices]
    start = min([_moment(slices[0], "Series", where), *acquisitions])
    stamp = text(dose, "RadiopharmaceuticalStartDateTime")
    if stamp:
        injection = _date_time(stamp, text(slices[0], "TimezoneOffsetFromUTC"), where)
        if injection > start:
            raise DataError(
                f"{where}: RadiopharmaceuticalStartDateTime is "
                f"{(injection - start).total_seconds() / 60:.0f} min after the start of the scan"
            )
    else:
        time = text(dose, "RadiopharmaceuticalStartTime")
        if not time:
            raise DataError(
                f"{where}: the tags RadiopharmaceuticalStartDateTime and "
                "RadiopharmaceuticalStartTime are missing; SUV cannot be computed without one"
            )
        injection = _join(start.strftime("%Y%m%d"), time, "RadiopharmaceuticalStartTime", where)
        if injection > start:  # injected before midnight, scanned after it
            injection -= timedelta(days=1)
    return (start - injection).total_seconds() / 60


def _moment(data: Any, kind: str, where: str) -> datetime:
    date, time = text(data, f"{kind}Date"), text(data, f"{kind}Time")
    for value, name in ((date, "Date"), (time, "Time")):
        if not value:
            raise DataError(
                f"{where}: the tag {kind}{name} is missing; SUV cannot be computed without it"
            )
    return _join(date, time, f"{kind}Date or {kind}Time", where)


def _join(date: str, time: str, name: str, where: str) -> datetime:
    """Return the moment of a DICOM date and time; digits that a time leaves out are 0."""
    whole, _, fraction = time.partition(".")
    if not (whole.isdigit() and len(whole) in (2, 4, 6) and (not fraction or fraction.isdigit())):
        raise DataError(f"{where}: {name} is not a date or time of DICOM")
    try:
        moment = datetime.strptime(date + whole.ljust(6, "0"), "%Y%m%d%H%M%S")
    except ValueError as error:
        raise DataError(f"{where}: {name} is not a date or time of DICOM") from error
    return moment + timedelta(seconds=float(f"0.{fraction or 0}"))


def _date_time(stamp: str, zone: str, where: str) -> datetime:
    """Return the moment in the clock of the series' own dates."""
    name = "RadiopharmaceuticalStartDateTime"
    parts = _STAMP.fullmatch(stamp)
    if parts is None:
        raise DataError(f"{where}: {name} is not a date with a time to the second")
    whole, fraction, offset = parts.groups()
    moment = _join(whole[:8], whole[8:] + (fraction or ""), name, where)
    if offset is not None and offset != zone:
        if not re.fullmatch(r"[+-]\d{4}", zone):
            raise DataError(
                f"{where}: {name} has a time zone, but TimezoneOffsetFromUTC is missing, so it "
                "cannot be compared with the scan's time"
            )
        moment += _offset(zone) - _offset(offset)
    return moment


def _offset(zone: str) -> timedelta:
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
