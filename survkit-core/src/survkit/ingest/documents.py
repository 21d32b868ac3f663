"""The texts of an ingested cohort: its table, what was refused, quality, and how it was made."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from survkit.ingest.convert import Converted
from survkit.ingest.refused import Left
from survkit.ingest.scrub import Scrub

REFUSED_COLUMNS = ("subject", "what", "rule", "reason", "files")
QUALITY_COLUMNS = (
    "subject", "file", "modality", "slices", "size_z", "size_y", "size_x", "spacing_z",
    "spacing_y", "spacing_x", "thickness", "orientation", "tilt", "tilt_corrected", "duplicates",
    "padding", "unit", "minimum", "maximum", "transfer_syntax", "lossy", "voxels", "volume_ml",
    "notes",
)  # fmt: skip
LIBRARIES = ("survkit-core", "pydicom", "SimpleITK", "numpy")


def clean(result: Converted, scrub: Scrub) -> Converted:
    """Return a case's result without identifiers in its texts."""
    quality = [line | {"notes": scrub(line["notes"])} for line in result.quality]
    return Converted(result.subject, result.cells, quality, clean_left(result.left, scrub))


def clean_left(left: Sequence[Left], scrub: Scrub) -> list[Left]:
    """Return lines without identifiers in their texts."""
    return [replace(line, what=scrub(line.what), reason=scrub(line.reason)) for line in left]


def refused_csv(left: Sequence[Left]) -> str:
    """Return ``refused.csv``: faults first, then what was left out by decision."""
    ordered = sorted(left, key=lambda line: (line.expected, line.subject, line.rule, line.what))
    rows = ({name: getattr(line, name) for name in REFUSED_COLUMNS} for line in ordered)
    return _csv(REFUSED_COLUMNS, list(rows))


def quality_csv(results: Sequence[Converted]) -> str:
    """Return ``quality.csv``: a line per volume and mask."""
    return _csv(QUALITY_COLUMNS, [line for result in results for line in result.quality])


def ingest_json(
    described: Mapping[str, Any], counts: Mapping[str, Any], left: Sequence[Left]
) -> str:
    """Return ``ingest.json``: settings, versions, counts."""
    content = {
        "versions": {name: version(name) for name in LIBRARIES},
        "settings": dict(described),
        "counts": dict(counts),
        "refused": dict(sorted(Counter(x.rule for x in left if not x.expected).items())),
        "left_out": dict(sorted(Counter(x.rule for x in left if x.expected).items())),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def cohort_yaml(content: Mapping[str, Any]) -> str:
    """Return ``cohort.yaml``."""
    import yaml

    return str(
        yaml.safe_dump(
            dict(content), sort_keys=False, default_flow_style=None, allow_unicode=True, width=100
        )
    )


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
