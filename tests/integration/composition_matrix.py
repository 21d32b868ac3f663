"""Which parts fit which, asked pair by pair, and docs/matrix.md as it follows from the answers.

``python -m tests.integration.composition_matrix`` prints the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from tests.integration.composed_pair import OUTCOME, refusal
from tests.integration.tiny_parts import ENCODERS, INPUTS, LOSSES, installed_names

from survkit.errors import UserError
from survkit.plugins import default_registry
from survkit.protocols import ANY_PARAMETERIZATION

FITS, OF_ONE_WIDTH, REFUSED = "✓", "=", "·"

Refusal = UserError | None
Ask = Callable[[str, str], Refusal]
Mark = Callable[[str, str], str]


@cache
def encoder_of(encoder: str, kind: str) -> Refusal:
    """Return why the encoder refuses a kind of input."""
    own, settings = ENCODERS[encoder]
    spec = own if own.kind == kind else INPUTS[kind]
    try:
        default_registry().find("encoder", encoder).load()(spec, **settings)
    except UserError as error:
        return error
    return None


@cache
def encoder_and_fusion(encoder: str, fusion: str) -> Refusal:
    """Return why the fusion refuses what the encoder gives."""
    return refusal(encoder=encoder, fusion=fusion)


@cache
def head_and_loss(head: str, loss: str) -> Refusal:
    """Return why the loss refuses what the head gives."""
    return refusal(head=head, losses=(loss,))


@cache
def fusion_and_loss(fusion: str, loss: str) -> Refusal:
    """Return why a loss of embeddings refuses those of the fusion."""
    return refusal(encoder=encoder_for(fusion), fusion=fusion, losses=(loss,))


@cache
def needs_one_width(fusion: str, loss: str) -> bool:
    """Whether the loss takes the fusion's embeddings if all encoders have one width, and only
    then: such a fusion hands on vectors as wide as the encoders gave them.
    """
    if encoder_and_fusion("vector", fusion) is not None:
        return False  # it takes grids of one kind, or voxels; there are no two widths
    unequal = refusal(encoder="vector", fusion=fusion, losses=(loss,))
    return fusion_and_loss(fusion, loss) is None and unequal is not None


@cache
def width_of(encoder: str) -> int:
    """Return how wide the encoder's summaries are at its tiny settings."""
    spec, settings = ENCODERS[encoder]
    built = default_registry().find("encoder", encoder).load()(spec, **settings)
    return int(built.encoding.dim)


def encoder_for(fusion: str) -> str:
    """Return an encoder that the fusion takes; a cheap one."""
    cheap = ("tabular", "cnn3d", "robsurv/voxels")
    return next(each for each in cheap if encoder_and_fusion(each, fusion) is None)


def own_loss(head: str) -> str:
    """Return the first loss that reads the head's parameters."""
    reading = (loss for loss in installed_names("loss") if loss not in losses_of_embeddings())
    return next(loss for loss in reading if head_and_loss(head, loss) is None)


@cache
def losses_of_embeddings() -> tuple[str, ...]:
    """Return the losses that never look at a head's parameters."""
    names = installed_names("loss")
    losses = {each: default_registry().find("loss", each).load() for each in names}
    return tuple(
        name
        for name, loss in losses.items()
        if ANY_PARAMETERIZATION in loss(OUTCOME, **LOSSES[name]).accepts
    )


def page() -> str:
    """Return docs/matrix.md."""
    encoders, fusions = installed_names("encoder"), installed_names("fusion")
    heads, losses = installed_names("head"), installed_names("loss")
    readers = [loss for loss in losses if loss not in losses_of_embeddings()]
    return _TEXT.format(
        inputs=_table("encoder", encoders, list(INPUTS), _marks(encoder_of)),
        fusions=_table("encoder", encoders, fusions, _marks(encoder_and_fusion)),
        losses=_table("loss", readers, heads, _marks(lambda loss, head: head_and_loss(head, loss))),
        embeddings=_table("fusion", fusions, losses_of_embeddings(), _mark_of_embeddings),
        said_by_fusions=_said(encoder_and_fusion, encoders, fusions),
        said_by_losses=_said(lambda loss, head: head_and_loss(head, loss), readers, heads),
        said_of_embeddings=_said(fusion_and_loss, fusions, losses_of_embeddings()),
    )


def _marks(ask: Ask) -> Mark:
    return lambda row, column: FITS if ask(row, column) is None else REFUSED


def _mark_of_embeddings(fusion: str, loss: str) -> str:
    return OF_ONE_WIDTH if needs_one_width(fusion, loss) else _marks(fusion_and_loss)(fusion, loss)


def _table(corner: str, rows: Iterable[str], columns: Sequence[str], mark: Mark) -> str:
    lines = [f"| {corner} | {' | '.join(columns)} |", f"|---|{':-:|' * len(columns)}"]
    for row in rows:
        cells = [mark(row, column) for column in columns]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _said(ask: Ask, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Return the first refusal of every column that refuses something, one line each."""
    lines = []
    for column in columns:
        refused = (error for row in rows if (error := ask(row, column)) is not None)
        if (first := next(refused, None)) is not None:
            lines.append(f"- {first}")
    return "\n".join(lines)


_TEXT = """# What fits what

Every encoder, fusion, head and loss of survkit-core, survkit-robsurv, survkit-slicetention and
survkit-radvit, for one cause of the event. {FITS}: it is built and trains. {REFUSED}: it is refused
while composing, before any data is read. This page is written by a test, which composes every
pair, trains what fits by one step, and holds every refusal to one sentence that names what would
fit (`python -m tests.integration.composition_matrix` prints it anew).

## Why pairs are enough

A part sees its neighbours alone. An encoder is built from its input; a fusion from what the
encoders promise (`EncodingSpec`: width, tokens, grid, a continuous twin, penalties); a head from
the width of the fused embedding, so that **every head follows every fusion**. A loss reads either
the head's parameters, by the name of their meaning, or the embeddings of the fusion. So encoder,
fusion, head and loss fit together exactly where input and encoder, encoder and fusion, and loss and
head (or loss and fusion) do. A slow test draws from the full product and finds it so.

A fusion sees all encoders together. Here each encoder stands beside a table (`tabular`), or, with
`robsurv/dual-patch-fuse`, which compares two grids, beside itself. A recipe of other company may be
refused for it (grids of two shapes, three modalities for a fusion of two), by a sentence too.
[`survkit tournament`](tournament.md) trains every combination that fits, and says which is best.

## Inputs

`radvit/radiomics` takes tables of numbers alone. `robsurv/vq` takes what the encoder within it
does, here `cnn3d`.

{inputs}

## Encoders and fusions

{fusions}

What is said where it does not fit, the first of each fusion:

{said_by_fusions}

## Losses that read the head's parameters

{losses}

With several causes `discrete-hazard`, `pc-hazard` and `weibull` are refused, and with them the
losses that read theirs alone.

{said_by_losses}

## Losses of embeddings

They stand beside a loss of the table above, under any head; alone they would train no head.
`=`: where all encoders give one width, for the fusion hands their vectors on as they are.

{embeddings}

{said_of_embeddings}
""".replace("{FITS}", FITS).replace("{REFUSED}", REFUSED)


if __name__ == "__main__":
    print(page(), end="")
