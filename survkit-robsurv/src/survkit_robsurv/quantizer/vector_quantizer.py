"""Tokens replaced by the nearest of a learned set of vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from survkit.errors import ConfigError
from survkit.protocols import Health
from survkit_robsurv.quantizer.code_count import CodeCount
from survkit_robsurv.quantizer.dead_codes import DeadCodes
from survkit_robsurv.quantizer.k_means import k_means
from survkit_robsurv.quantizer.moving_average import MovingAverage
from survkit_robsurv.quantizer.nearest_code import nearest_code
from survkit_robsurv.quantizer.square_distances import square_distances
from survkit_robsurv.quantizer.token_sample import TokenSample

Learning = Literal["gradient", "ema"]
"""How codes move: by the gradient of the codebook loss, or as moving averages of their tokens."""
Start = Literal["uniform", "kmeans"]
"""Where codes start: uniform in ±1 / codebook_size, or means of clusters of training tokens."""

START_TOKENS = 32
"""Tokens per code, at most, that k-means is run on."""


@dataclass(frozen=True, slots=True)
class Quantized:
    """What a quantizer makes of tokens.

    Attributes:
        quantized: The chosen codes, with the gradient of the tokens; (batch, token, dim), in the
            tokens' floating type.
        code_index: int64 (batch, token).
        losses: By name, as penalties of an encoder; each (batch), a mean square over the subject's
            real tokens and the axes of a code. ``codebook`` pulls codes to tokens and is absent
            where codes are moving averages; ``commitment``, the same number, pulls tokens to codes.
            Empty where none were asked for.
    """

    quantized: Tensor
    code_index: Tensor
    losses: Mapping[str, Tensor]


class VectorQuantizer(nn.Module):
    """Replaces each token by the nearest code, in the Euclidean sense.

    The gradient passes straight through: what follows sees the code, the token gets its gradient.
    Lookup, losses and codebook are in at least float32, also under autocast.

    The state follows training (:class:`survkit.protocols.FollowsTraining`): in training mode the
    forward counts, and :meth:`after_step` moves codes that are moving averages and restarts dead
    ones. A restarted code keeps what an optimizer remembers of it: after 10 steps without a
    gradient Adam still carries it on by up to some ten learning rates per axis, little beside the
    distance between tokens.

    Args:
        dim: Width of the tokens.
        codebook_size: How many codes.
        code_dim: Width of the codes, with a linear map to it and one back; ``None`` quantizes the
            tokens as they are.
        normalised: Tokens and codes are scaled to length 1 first, so that the nearest code is that
            of the smallest angle, and the result has length 1.
        learning: How the codes are learnt, see :data:`Learning`.
        start: Where the codes start, see :data:`Start`; until :meth:`start_from` is called they are
            uniform.
        restart_after: Steps without use after which a code becomes a random token of the last
            step; ``None`` for never.
        decay: Of the moving averages.
        epsilon: Laplace smoothing of their counts.

    Raises:
        ConfigError: A setting out of range.

    Reference: van den Oord, Vinyals, Kavukcuoglu (2017), Neural discrete representation learning,
        NeurIPS, eqs. 1-3; Farooq et al. (2025), arXiv 2505.02529, eqs. 1-5, whose squared norms are
        means over elements here. ``normalised`` as in Yu et al. (2022), Vector-quantized image
        modeling with improved VQGAN, ICLR.
    """

    codebook: Tensor

    def __init__(
        self,
        dim: int,
        *,
        codebook_size: int = 1024,
        code_dim: int | None = None,
        normalised: bool = False,
        learning: Learning = "gradient",
        start: Start = "uniform",
        restart_after: int | None = None,
        decay: float = 0.99,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        _check(codebook_size, code_dim, learning, start, restart_after)
        if not (0 <= decay < 1 and epsilon >= 0):
            raise ConfigError(
                f"decay must be in [0, 1) and epsilon not negative, not {decay}, {epsilon}"
            )
        width = dim if code_dim is None else code_dim
        self.normalised, self.learning, self.start = normalised, learning, start
        self.project_in = nn.Identity() if code_dim is None else nn.Linear(dim, width)
        self.project_out = nn.Identity() if code_dim is None else nn.Linear(width, dim)
        codes = (2 * torch.rand(codebook_size, width) - 1) / codebook_size
        self.average: MovingAverage | None = None
        if learning == "ema":
            self.register_buffer("codebook", codes)
            self.average = MovingAverage(codes, decay=decay, epsilon=epsilon)
        else:
            self.codebook = nn.Parameter(codes)
        self.counted = CodeCount(codebook_size)
        self.dead: DeadCodes | None = None
        if restart_after is not None:
            self.dead = DeadCodes(codebook_size, width, restart_after=restart_after)

    @property
    def penalties(self) -> tuple[str, ...]:
        """Names of the losses that it gives."""
        return ("codebook", "commitment") if self.learning == "gradient" else ("commitment",)

    def forward(
        self, tokens: Tensor, token_mask: Tensor | None = None, *, losses: bool = True
    ) -> Quantized:
        """Quantize.

        Args:
            tokens: (batch, token, dim).
            token_mask: Which tokens are real; bool (batch, token). The others are quantized too,
                but neither counted nor part of a loss.
            losses: Whether they are computed.
        """
        own = self._to_codes(tokens)
        codes = self._codes()
        code_index = nearest_code(own.detach().flatten(0, 1), codes)
        chosen = functional.embedding(code_index, codes).view_as(own)
        if self.training:
            self._take_notice(code_index, own.detach().flatten(0, 1), token_mask)
        given = {}
        if losses:
            both = zip(("codebook", "commitment"), square_distances(own, chosen), strict=True)
            kept = {name: value for name, value in both if name in self.penalties}
            given = {name: _token_mean(value, token_mask) for name, value in kept.items()}
        # the token less itself is exactly 0, so the value is exactly the code
        through = chosen.detach().to(tokens.dtype) + (own - own.detach()).to(tokens.dtype)
        return Quantized(
            quantized=self.project_out(through).to(tokens.dtype),
            code_index=code_index.view(tokens.shape[:2]),
            losses=given,
        )

    def code_index(self, tokens: Tensor) -> Tensor:
        """Return the codes that tokens (..., dim) choose, int64 (...); nothing is counted."""
        own = self._to_codes(tokens)
        return nearest_code(own.detach().flatten(0, -2), self._codes()).view(tokens.shape[:-1])

    def vectors(self, code_index: Tensor) -> Tensor:
        """Return what tokens with these codes (...) become, (..., dim)."""
        vectors: Tensor = self.project_out(functional.embedding(code_index, self._codes()))
        return vectors

    def start_sample(self, *, seed: int) -> TokenSample:
        """Return an empty sample for the tokens that codes are to start from."""
        codes, width = self.codebook.shape
        sample = TokenSample(START_TOKENS * codes, width, seed=seed)
        return sample.to(device=self.codebook.device, dtype=self.codebook.dtype)

    def seen_by_codes(self, tokens: Tensor) -> Tensor:
        """Return tokens (..., dim) as they are compared with codes, without a gradient."""
        with torch.no_grad():
            return self._to_codes(tokens)

    @torch.no_grad()
    def start_from(self, tokens: Tensor, *, seed: int) -> None:
        """Let the codes be means of clusters of tokens, and everything else start anew.

        Where there are fewer different tokens than codes, each is a code and the other codes stay.

        Args:
            tokens: As :meth:`seen_by_codes` gives them; (token, code_dim).
            seed: Of the first means.
        """
        means = k_means(tokens.to(self.codebook.dtype), len(self.codebook), seed=seed)
        self.codebook[: len(means)] = means
        if self.average is not None:
            everywhere = torch.ones_like(self.counted.step, dtype=torch.bool)
            self.average.set_codes(self.codebook, everywhere)
        if self.dead is not None:
            self.dead.unused.zero_()

    @torch.no_grad()
    def after_step(self) -> None:
        """Move codes that are moving averages, restart dead ones, forget the step."""
        chosen = self.counted.end_step()
        if self.average is not None:
            self.average.end_step(chosen, self.codebook)
        if self.dead is not None:
            restarted = self.dead.end_step(chosen, self.codebook)
            self.counted.restarted += restarted.sum()
            if self.average is not None:
                self.average.set_codes(self.codebook, restarted)

    def epoch_health(self) -> Health | None:
        """Return perplexity, usage and restarts since the last call, and whether it collapsed."""
        return self.counted.end_epoch(tells_restarts=self.dead is not None)

    def _to_codes(self, tokens: Tensor) -> Tensor:
        wide = torch.promote_types(self.codebook.dtype, torch.float32)
        own: Tensor = self.project_in(tokens).to(wide)
        return functional.normalize(own, dim=-1) if self.normalised else own

    def _codes(self) -> Tensor:
        wide = self.codebook.to(torch.promote_types(self.codebook.dtype, torch.float32))
        return functional.normalize(wide, dim=-1) if self.normalised else wide

    @torch.no_grad()
    def _take_notice(self, code_index: Tensor, tokens: Tensor, mask: Tensor | None) -> None:
        real = torch.ones_like(code_index, dtype=torch.bool) if mask is None else mask.flatten()
        self.counted.add(code_index, real)
        if self.average is not None:
            self.average.add(code_index, tokens, real)
        if self.dead is not None:
            self.dead.sample.add(tokens, real)


def _token_mean(square: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean over real tokens, (batch); 0 where no token is real."""
    if mask is None:
        return square.mean(dim=1)
    return torch.where(mask, square, 0).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def _check(
    codebook_size: int,
    code_dim: int | None,
    learning: str,
    start: str,
    restart_after: int | None,
) -> None:
    if codebook_size < 2:
        raise ConfigError(f"codebook_size must be at least 2, not {codebook_size}")
    if code_dim is not None and code_dim < 1:
        raise ConfigError(f"code_dim must be at least 1 or null, not {code_dim}")
    if learning not in get_args(Learning) or start not in get_args(Start):
        raise ConfigError(
            f"learning is one of {', '.join(get_args(Learning))} and start one of "
            f"{', '.join(get_args(Start))}, not {learning!r} and {start!r}"
        )
    if restart_after is not None and restart_after < 1:
        raise ConfigError(f"restart_after must be at least 1 step or null, not {restart_after}")
