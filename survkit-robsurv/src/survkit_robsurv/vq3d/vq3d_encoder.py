"""A volume as codes on a grid: the encoder of RobSurv, one per modality."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

import torch
from torch import Generator, Tensor, nn

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding, ModalityInput
from survkit.plugins import default_registry
from survkit.showing import ShownVolume
from survkit.specs import EncodingSpec, InputSpec
from survkit_robsurv.quantizer.start_codes import checked_start_seed, start_codes
from survkit_robsurv.quantizer.vector_quantizer import Learning, Start, VectorQuantizer
from survkit_robsurv.vq3d.decoder_network import DecoderNetwork
from survkit_robsurv.vq3d.encoder_network import HALVINGS, EncoderNetwork
from survkit_robsurv.vq3d.tanh_range import TanhRange
from survkit_robsurv.vq3d.upsample_conv import Upsampling

Backbone = Literal["vqgan", "resnet3d-18"]
CHANNELS = (32, 64, 128, 256, 512)
STRIDE = 2**HALVINGS


class VQ3DEncoder(nn.Module):
    """Encodes a volume by a 3-D VQ-GAN without its discriminator; tokens are codes on a grid.

    One token per 16 voxels along each axis. Tokens are the nearest codes with the gradient of the
    features, the continuous twin is the features, the summary is the mean of the tokens. Penalties,
    each a mean over elements: ``codebook`` (absent with ``learning: ema``), ``commitment`` and
    ``reconstruction``, for which the decoder is run where penalties are asked for.

    The decoder ends in a tanh, so the volume's values must be in [-1, 1], as a window in the
    cohort file makes them. That is checked on the training subjects before training
    (:meth:`fit_batches`, :meth:`check_batches` where it starts from trained weights), not in every
    step, where it would wait for the device. Noise that a recipe adds in training may leave that
    range; there the reconstruction ends at the range's end.

    Args:
        input: The volume's channels and size, multiples of 16 along each axis.
        width: Factor on all numbers of channels; 1 is the paper's, 512 wide at the end.
        backbone: ``vqgan``: five convolutions and five residual blocks; ``resnet3d-18``: a 3-D
            ResNet-18 whose stem has stride 2 and no pooling, for the same grid.
        quantize: ``False`` is the paper's ablation without vector quantization: tokens are the
            features, and what concerns the codebook is left out.
        codebook_size: How many codes.
        code_dim: Width of the codes, with a linear map to and from it; null for the features' own.
        normalised: Compare directions instead of places, see
            :class:`survkit_robsurv.quantizer.vector_quantizer.VectorQuantizer`.
        learning: ``gradient`` of the codebook penalty, or ``ema``, moving averages.
        start: ``uniform`` in ±1 / codebook_size, or ``kmeans`` on training tokens.
        start_seed: Of the tokens that k-means is run on, and of its own draws.
        restart_after: Steps without use after which a code becomes a token of the last step; null
            for never.
        reconstruct: Whether there is a decoder, and the penalty ``reconstruction``.
        upsampling: How the decoder computes its upsampling convolutions; both give the same.
        checkpointing: Compute the decoder's largest residual block twice instead of keeping what is
            inside it. On a CPU at 128³, one subject in bfloat16, it does not pay: 14 % slower, and
            no smaller a peak.

    Raises:
        CompositionError: The input is not one volume per subject of such a size.
        ConfigError: A setting out of range.

    Reference: Farooq, Singh, Mishra, Chaudhury (2025), arXiv 2505.02529, DualVQ, eqs. 1-6. The
        layers are those of Zhou, Khalvati (2024), MIDL, whom it cites; restarts and the decoder's
        beginning at the mean are not in either.
    """

    def __init__(
        self,
        input: InputSpec,
        *,
        width: float = 1.0,
        backbone: Backbone = "vqgan",
        quantize: bool = True,
        codebook_size: int = 1024,
        code_dim: int | None = None,
        normalised: bool = False,
        learning: Learning = "gradient",
        start: Start = "uniform",
        start_seed: int = 0,
        restart_after: int | None = 10,
        reconstruct: bool = True,
        upsampling: Upsampling = "transposed",
        checkpointing: bool = False,
    ) -> None:
        super().__init__()
        _check_volume(input)
        _check_settings(width, backbone, upsampling)
        channels = tuple(int(count * width) for count in CHANNELS)
        self.backbone, self.start_seed = backbone, checked_start_seed(start_seed)
        self.network = _network(input, backbone, width, channels)
        self.quantizer: VectorQuantizer | None = None
        if quantize:
            self.quantizer = VectorQuantizer(
                channels[-1],
                codebook_size=codebook_size,
                code_dim=code_dim,
                normalised=normalised,
                learning=learning,
                start=start,
                restart_after=restart_after,
            )
        self.decoder: DecoderNetwork | None = None
        if reconstruct:
            self.decoder = DecoderNetwork(
                channels[::-1],
                input.shape[0],
                upsampling=upsampling,
                checkpointing=checkpointing,
            )
        self._shape = input.shape
        self._encoding = self._spec(channels[-1])

    @property
    def encoding(self) -> EncodingSpec:
        """Tokens on the grid, their continuous twin, and the penalties."""
        return self._encoding

    def forward(self, input: ModalityInput, *, penalties: bool = True) -> Encoding:
        """Encode the volumes; the decoder is run for penalties alone."""
        tokens = self._features(input)
        continuous: Tensor | None = None
        given: dict[str, Tensor] = {}
        if self.quantizer is not None:
            continuous = tokens
            found = self.quantizer(tokens, losses=penalties)
            tokens, given = found.quantized, dict(found.losses)
        if self.decoder is not None and penalties:
            given["reconstruction"] = _squared_error(self._decoded(tokens), input.values)
        return Encoding(
            tokens=tokens,
            summary=tokens.mean(dim=1),
            present=input.present,
            grid=self._encoding.grid,
            continuous=continuous,
            penalties=given,
        )

    def reconstruct(self, values: Tensor) -> Tensor:
        """Return what the decoder makes of volumes (batch, channel, z, y, x), in their shape.

        Raises:
            CompositionError: It has no decoder.
        """
        if self.decoder is None:
            raise CompositionError(
                "this vq3d has no decoder (reconstruct: false), so there is no reconstruction"
            )
        tokens = self._features(_as_input(values))
        if self.quantizer is not None:
            tokens = self.quantizer.vectors(self.quantizer.code_index(tokens))
        return self._decoded(tokens)

    def code_index(self, values: Tensor) -> Tensor:
        """Return the codes of volumes (batch, channel, z, y, x) on their grid, int64 (batch, z/16,
        y/16, x/16).

        Raises:
            CompositionError: It has no codebook.
        """
        if self.quantizer is None:
            raise CompositionError(
                "this vq3d has no codebook (quantize: false), so there are no codes"
            )
        codes = self.quantizer.code_index(self._features(_as_input(values)))
        return codes.view(len(codes), *self._grid)

    def volumes(self, values: Tensor) -> dict[str, ShownVolume]:
        """Return the reconstruction (of the first channel) and the codes, as far as there are any,
        for pictures.
        """
        shown = {}
        if self.decoder is not None:
            shown["reconstruction"] = ShownVolume(self.reconstruct(values)[:, 0], "intensity")
        if self.quantizer is not None:
            count = len(self.quantizer.codebook)
            shown["codes"] = ShownVolume(self.code_index(values), "label", count)
        return shown

    def fit_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Check the range of the training subjects' values where there is a decoder, which then
        begins at their mean, and let the codes start from their tokens where ``start`` says so.

        Raises:
            DataError: Values outside of [-1, 1].
        """
        looked = TanhRange(batches)
        given = batches if self.decoder is None else looked
        if self.quantizer is not None and self.quantizer.start == "kmeans":
            start_codes(self, self.quantizer, self._tokens_of, given, seed=self.start_seed)
        elif self.decoder is not None:
            for _ in given:
                pass  # it is the looking that matters
        if self.decoder is not None:
            self.decoder.start_at(looked.start())

    def check_batches(self, batches: Iterable[ModalityInput]) -> None:
        """Check the range alone, where the weights are trained ones.

        Raises:
            DataError: Values outside of [-1, 1], and a decoder.
        """
        if self.decoder is not None:
            for _ in TanhRange(batches):
                pass  # it is the looking that matters

    def prepared_example(self, *, generator: Generator) -> Tensor:
        """Return a made-up volume in the range that the decoder can reach."""
        return 2 * torch.rand(self._shape, generator=generator) - 1

    @property
    def _grid(self) -> tuple[int, ...]:
        return tuple(axis // STRIDE for axis in self._shape[1:])

    def _spec(self, dim: int) -> EncodingSpec:
        penalties = () if self.quantizer is None else self.quantizer.penalties
        grid = self._grid
        return EncodingSpec(
            dim=dim,
            tokens=grid[0] * grid[1] * grid[2],
            grid=grid,
            has_continuous=self.quantizer is not None,
            penalties=penalties if self.decoder is None else (*penalties, "reconstruction"),
        )

    def _features(self, input: ModalityInput) -> Tensor:
        """Return the unquantized tokens, (batch, token, dim)."""
        if self.backbone == "vqgan":
            features: Tensor = self.network(input.values)
            return features.flatten(2).transpose(1, 2)
        tokens: Tensor = self.network(input, penalties=False).tokens
        return tokens

    def _tokens_of(self, input: ModalityInput) -> tuple[Tensor, None]:
        return self._features(input), None

    def _decoded(self, tokens: Tensor) -> Tensor:
        assert self.decoder is not None
        shape = (len(tokens), tokens.shape[2])
        volume: Tensor = self.decoder(tokens.transpose(1, 2).reshape(*shape, *self._grid))
        return volume


def _network(
    input: InputSpec, backbone: Backbone, width: float, channels: tuple[int, ...]
) -> nn.Module:
    if backbone == "vqgan":
        return EncoderNetwork(input.shape[0], channels)
    constructor: Any = default_registry().find("encoder", backbone).load()
    network: nn.Module = constructor(
        input, width=width, stem="small", stem_stride=2, norm="group"
    )  # halves four times: the stem and three of the four layers
    return network


def _squared_error(volume: Tensor, values: Tensor) -> Tensor:
    """Return the mean square over voxels and channels, (batch), in at least float32."""
    wide = torch.promote_types(values.dtype, torch.float32)
    return (volume.to(wide) - values.to(wide)).square().flatten(1).mean(dim=1)


def _as_input(values: Tensor) -> ModalityInput:
    return ModalityInput(values, torch.ones(len(values), dtype=torch.bool, device=values.device))


def _check_volume(input: InputSpec) -> None:
    if input.kind != "volume" or input.has_tokens:
        many = " with many arrays per subject" if input.has_tokens else ""
        raise CompositionError(
            f"vq3d needs a volume modality with one volume per subject, but this one is a "
            f"{input.kind}{many}; vq quantizes the tokens of any other encoder"
        )
    if any(axis % STRIDE for axis in input.shape[1:]):
        size = " x ".join(map(str, input.shape[1:]))
        near = " x ".join(str(-(-axis // STRIDE) * STRIDE) for axis in input.shape[1:])
        raise CompositionError(
            f"vq3d needs a multiple of {STRIDE} voxels along each axis, but the volume is {size}; "
            f"prepare crops of {near}, say"
        )


def _check_settings(width: float, backbone: str, upsampling: str) -> None:
    if int(CHANNELS[0] * width) < 2:
        raise ConfigError(f"width must be at least 1/16, not {width}")
    if backbone not in get_args(Backbone) or upsampling not in get_args(Upsampling):
        raise ConfigError(
            f"backbone is one of {', '.join(get_args(Backbone))} and upsampling one of "
            f"{', '.join(get_args(Upsampling))}, not {backbone!r} and {upsampling!r}"
        )
