"""Tokens that are pruned are really dropped: attention is paid among the kept ones alone."""

from __future__ import annotations

from torch import Tensor


def gather_kept(kept: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the kept tokens are, padded to the subject with most of them.

    Args:
        kept: Bool (subject, token).

    Returns:
        Places of the kept tokens in their order, then of some that are not, int (subject, most);
        and which are none of this padding, bool (subject, most).
    """
    most = int(kept.sum(dim=1).max())
    places = (~kept).byte().argsort(dim=1, stable=True)[:, :most]
    return places, kept.gather(1, places)


def take(values: Tensor, places: Tensor) -> Tensor:
    """Return the values of each subject at these places; (subject, place, ...).

    Args:
        values: (subject, token, ...).
        places: Int (subject, place).
    """
    index = places.reshape(*places.shape, *(1,) * (values.ndim - 2))
    return values.gather(1, index.expand(*places.shape, *values.shape[2:]))
