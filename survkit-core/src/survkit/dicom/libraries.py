"""The optional libraries that read DICOM, loaded where they are first needed."""

from __future__ import annotations

from typing import Any

from survkit.errors import MissingExtraError


def pydicom() -> Any:
    """Return the pydicom module.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import pydicom
    except ImportError as error:
        raise MissingExtraError(
            "reading DICOM needs pydicom: pip install 'survkit-core[imaging]'"
        ) from error
    return pydicom


def simpleitk() -> Any:
    """Return the SimpleITK module.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import SimpleITK
    except ImportError as error:
        raise MissingExtraError(
            "reading DICOM volumes needs SimpleITK: pip install 'survkit-core[imaging]'"
        ) from error
    return SimpleITK
