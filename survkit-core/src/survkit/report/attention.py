"""What the components attended to, from the files of attention weights of each fold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from survkit.errors import RunError
from survkit.report.attention_profile import profiles
from survkit.report.figure import BLUE, GREY, Picture, canvas, picture
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.part import SectionPart, kept
from survkit.report.profile_section import profile_parts
from survkit.report.tables import Table, slug
from survkit.report.token_weights import ModalityTokens, read_token_weights

if TYPE_CHECKING:
    import pandas as pd

    from survkit.evaluation.predictions import Predictions

DOCUMENT = "attention.json"
FORMAT = 2
"""Version of that file; 2 has ``profiles``."""
_COLUMNS = {"subject", "quantity", "modality", "value"}
_QUANTILES = {"p5": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "p95": 0.95}
_WORDS = {
    "modality_weight": (
        "Weight of each modality",
        "Weights that the fusion gives to the modalities of a subject; they add up to 1. A weight "
        "says what the model mixed, not what causes the outcome, and a modality with a small "
        "weight may still decide. Who has one modality alone gives it the weight 1.",
    ),
    "effective_tokens": (
        "Tokens that count",
        "To how many equally weighed tokens (patches, slices) of the modality the attention "
        "amounts: 1 where a single one takes it all.",
    ),
}


def read_attention(run: Path, predictions: Predictions) -> dict[str, Any] | None:
    """Summarise the weights over subjects, each subject's mean over repeats; ``None`` without any.

    Args:
        run: Its folder.
        predictions: Of the run; they say what each subject belongs to.

    Raises:
        RunError: A file is there and is not of attention weights, or is of other subjects.
    """
    import pandas as pd

    parts = []
    for path in sorted(run.glob("fold-*/attention.parquet")):
        try:
            parts.append(pd.read_parquet(path))
        except (OSError, ValueError) as error:
            line = str(error).partition("\n")[0]
            raise RunError(f"{path}: damaged ({line}); delete it to go on") from error
        if not _COLUMNS.issubset(parts[-1].columns):
            raise RunError(f"{path}: not a file of attention weights; delete it to go on")
    if not parts:
        return None
    tokens = read_token_weights(run)
    found = profiles(tokens, _groups(run, predictions, tokens))
    quantities = _summaries(pd.concat(parts, ignore_index=True))
    return {"format": FORMAT, "quantities": quantities, "profiles": found}


def _groups(
    run: Path, predictions: Predictions, tokens: Mapping[str, ModalityTokens]
) -> dict[str, str] | None:
    """Return what each subject belongs to; ``None`` where the run has no groups."""
    if predictions.group is None:
        return None
    names = zip(predictions.subject.tolist(), predictions.group.tolist(), strict=True)
    found = {str(subject): str(group) for subject, group in names}
    for own in tokens.values():
        for row in own.rows:
            if row.subject not in found:
                raise RunError(
                    f"{run}: '{row.subject}' has attention weights but no prediction; the files "
                    "are of different runs"
                )
    return found


def _summaries(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    means = rows.groupby(["quantity", "modality", "subject"], as_index=False)["value"].mean()
    pairs = means[["quantity", "modality"]].drop_duplicates()
    for quantity, modality in pairs.itertuples(index=False):
        own = (means["quantity"] == quantity) & (means["modality"] == modality)
        numbers = means.loc[own, "value"].to_numpy(dtype=np.float64)
        cuts = {name: float(np.quantile(numbers, share)) for name, share in _QUANTILES.items()}
        summary = {"n": len(numbers), "mean": float(numbers.mean()), **cuts}
        found.setdefault(str(quantity), {})[str(modality)] = summary
    return found


def attention_section(attention: Numbers, files: PageFiles) -> tuple[SectionPart, ...]:
    """Draw box plots by modality, one part per quantity, and the profile of every volume."""
    parts = []
    for quantity, modalities in attention.at("quantities").items():
        title, meaning = _WORDS.get(quantity, (quantity.replace("_", " ").capitalize(), ""))
        drawn = _boxes(modalities, title, meaning, share=quantity == "modality_weight")
        name = f"attention-{quantity}"
        pictures, tables = kept(files, {name: drawn}, (_table(attention, quantity),))
        parts.append(SectionPart(anchor=slug(name), title=title, pictures=pictures, tables=tables))
    return (*parts, *profile_parts(attention, files))


def _boxes(modalities: Mapping[str, Any], title: str, meaning: str, *, share: bool) -> Picture:
    with canvas(5.2, 1.1 + 0.5 * len(modalities)) as figure:
        axes = figure.subplots()
        drawn = [
            {"whislo": one["p5"], "q1": one["q1"], "med": one["median"]}
            | {"q3": one["q3"], "whishi": one["p95"], "label": name}
            for name, one in modalities.items()
        ]
        axes.bxp(
            drawn,
            showfliers=False,
            orientation="horizontal",
            patch_artist=True,
            boxprops={"facecolor": "#d6e7f3", "edgecolor": BLUE},
            medianprops={"color": BLUE, "linewidth": 2},
            whiskerprops={"color": GREY},
            capprops={"color": GREY},
            widths=0.55,
        )
        axes.invert_yaxis()
        axes.set_xlabel("weight" if share else title.lower())
        axes.set_xlim(0, 1 if share else None)
        said = "; ".join(
            f"{name} {one['median']:.2f} (middle half {one['q1']:.2f} to {one['q3']:.2f})"
            for name, one in modalities.items()
        )
        return picture(
            figure,
            alt=f"{title} over subjects, median: {said}.",
            caption=f"{meaning} Box: middle half of the subjects, whiskers: 5% to 95%.".strip(),
        )


def _table(attention: Numbers, quantity: str) -> Table:
    rows, records = [], []
    for name, summary in attention.at("quantities", quantity).items():
        base = ("quantities", quantity, name)
        spread = Markup("{} [{}, {}]").format(
            *(attention.number(*base, cut) for cut in ("median", "q1", "q3"))
        )
        count = attention.number(*base, "n", style="count")
        rows.append((name, count, attention.number(*base, "mean"), spread))
        records.append({"modality": name, **summary})
    return Table(
        name=f"attention-{quantity}",
        title="Over subjects",
        caption="Over the subjects who have the modality, each predicted by a model that never saw "
        "them.",
        labels=("Modality", "Subjects", "Mean", "Median [quartiles]"),
        rows=tuple(rows),
        records=tuple(records),
    )
