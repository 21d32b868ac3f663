"""How the slices of a volume are read, in sentences."""

from __future__ import annotations

from survkit.explaining.volume_view import VolumeView

_READING = {
    "intensity": "A reconstruction is drawn in the grey scale of the input: what is missing in it "
    "is missing in the codes too, or the decoder has not learnt to draw it.",
    "difference": "Difference: red where the reconstruction is brighter than the input, blue where "
    "it is darker, in full colour at the largest difference of the volume. MSE is the mean squared "
    "difference, PSNR 10 log10 of the squared span of the input's intensities over it.",
    "label": "Codes: a colour is a code, the same one wherever the colour is the same in pictures "
    "of one modality and one model; colours have no order.",
    "attention": "Attention: the more orange, the more of it, over the input, as a multiple of "
    "equal weights, in blocks of the size of a token or patch; “a → b” is what a block of b "
    "receives from the blocks of a, on average.",
}


def reading_of(view: VolumeView) -> tuple[str, ...]:
    """Say how the picture is read, in sentences; the same ones for the same rows."""
    kinds = dict.fromkeys(row.kind for row in view.rows[1:])
    said = [
        f"Three slices through {view.centre_is}, where the dashed lines cross; the patient's right "
        "is on the left of axial and coronal slices, the front on the left of sagittal ones."
    ]
    if view.mask is not None:
        said.append("The outline is the region of interest.")
    said += [_READING[kind] for kind in kinds]
    if view.members > 1:
        said.append(
            f"The model averages {view.members} networks: attention is their mean, other volumes "
            "are of the first."
        )
    if view.tokens is not None and view.tokens.sliced:
        said.append("The curve adds up the attention of one height, the most caudal first.")
    course = view.course
    if course.duration is not None and course.duration <= course.horizon:
        said.append("The vertical line is the observed time, dashed where censored.")
    return tuple(said)
