"""The backbone at work: slices in, one vector per slice out, in chunks that stay in the cache."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from survkit.errors import ConfigError
from survkit_slicetention.trunk.backbone import architecture_of, build_backbone
from survkit_slicetention.trunk.fold import folded
from survkit_slicetention.trunk.freezing import Freeze, Stem, freeze_half, freeze_layers, stem_of
from survkit_slicetention.trunk.random_weights import (
    IMAGES,
    LARGEST,
    made_up_images,
    seeded,
    set_batch_statistics,
)
from survkit_slicetention.trunk.weights import load_backbone_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkSettings:
    """Which network, from which weights, and how much of it trains.

    Attributes:
        backbone: Name, see :func:`survkit_slicetention.trunk.backbone.build_backbone`.
        weights: ``"pretrained"``, the path of a state dict, or ``None`` for random ones.
        weights_seed: Of random weights; the same in every fold.
        size: Rows and columns of a slice.
        freeze: What does not train.
        stem: Whether the first convolution trains where the rest of the backbone does not.
        chunk: Slices that go through the network at once.
    """

    backbone: str
    weights: str | None
    weights_seed: int
    size: int
    freeze: Freeze
    stem: Stem
    chunk: int

    def __post_init__(self) -> None:
        for name, value, known in (
            ("freeze", self.freeze, ("last", "half", "none")),
            ("stem", self.stem, ("frozen", "trainable")),
        ):
            if value not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}, not {value!r}")
        if self.chunk < 1:
            raise ConfigError(f"chunk is a number of slices, at least 1, not {self.chunk}")
        if self.weights_seed < 0:
            raise ConfigError(f"weights_seed is not negative, not {self.weights_seed}")


class SliceTrunk(nn.Module):
    """A 2-D network without its classifier.

    What is frozen runs in eval mode, also while the rest trains, and batch normalisation uses the
    running statistics of the published weights always, also where its scale and shift train: a
    slice's vector depends on no other slice, neither of its batch nor of its chunk. (In the code of
    the paper the running statistics of frozen layers drift with the training subjects, and
    stochastic depth stays on.)

    Where something trains, each chunk's forward is repeated in the backward pass instead of kept
    (``torch.utils.checkpoint``): the gradient is that of one graph, in the memory of one chunk.
    Where nothing does, the network runs without a graph, with its normalisation folded into its
    convolutions.
    """

    def __init__(self, settings: TrunkSettings) -> None:
        super().__init__()
        self.settings = settings
        with seeded(settings.weights_seed):
            self.backbone, self.features = build_backbone(settings.backbone, size=settings.size)
        if settings.weights is None:
            edge = min(settings.size, LARGEST) if self._takes_any_size() else settings.size
            images = made_up_images(IMAGES, (1, edge, edge), settings.weights_seed)
            set_batch_statistics(self.backbone, partial(self.backbone, images.double()))
        self.backbone.to(memory_format=torch.channels_last)
        self._frozen = self._freeze()
        self._fast: _FastCopy | None = None
        self.train(self.training)

    def load_weights(self) -> None:
        """Read the weights that the settings name; random ones are there already."""
        settings = self.settings
        if settings.weights is not None:
            load_backbone_weights(
                self.backbone, settings.backbone, settings.weights, size=settings.size
            )

    def recorded_settings(self) -> dict[str, str]:
        """Return the backbone's name in timm, where a folder of this machine describes it."""
        settings = self.settings
        name = architecture_of(settings.backbone, self.backbone, size=settings.size)
        return {} if name is None else {"backbone": name}

    @property
    def is_frozen(self) -> bool:
        """Whether nothing of it trains."""
        return self.settings.freeze == "last" and self.settings.stem == "frozen"

    def forward(self, slices: Tensor) -> Tensor:
        """Return the vectors (slice, feature) of slices (slice, 1, y, x), intensities scaled."""
        if len(slices) == 0:
            return slices.new_zeros(0, self.features)
        chunks = torch.split(
            slices.contiguous(memory_format=torch.channels_last), self.settings.chunk
        )
        if self.is_frozen or not torch.is_grad_enabled():
            with torch.no_grad():
                network = self._fast_network() if self.is_frozen else self.backbone
                return torch.cat([network(chunk) for chunk in chunks])
        if len(chunks) == 1:
            return torch.as_tensor(self.backbone(chunks[0]))
        parts = [
            checkpoint(self.backbone, chunk, use_reentrant=False, preserve_rng_state=True)
            for chunk in chunks
        ]
        return torch.cat(parts)

    def train(self, mode: bool = True) -> SliceTrunk:
        """Set the mode of what trains; the rest stays in eval mode."""
        super().train(mode)
        for module in getattr(self, "_frozen", []):
            module.eval()
        return self

    def _freeze(self) -> list[nn.Module]:
        """Take out of training what the settings freeze; return all that stays in eval mode."""
        settings, everything = self.settings, list(self.backbone.modules())
        norms: list[nn.Module] = [module for module in everything if isinstance(module, _BatchNorm)]
        if settings.freeze == "none":
            return norms
        if settings.freeze == "half":
            last = freeze_half(self.backbone, after=1)[-1:]
            until = everything.index(last[0]) + 1 if last else 0
            parents = [module for module in everything[:until] if any(module.children())]
            return [*norms, *(each for each in everything[:until] if each not in parents)]
        freeze_layers(everything)
        if settings.stem == "trainable":
            for parameter in stem_of(self.backbone).parameters(recurse=False):
                parameter.requires_grad_(True)
        return everything

    def _takes_any_size(self) -> bool:
        known = getattr(self.backbone, "pretrained_cfg", None) or {}
        return not known.get("fixed_input_size")

    def _fast_network(self) -> nn.Module:
        if self._fast is None or not self._fast.is_of(self.backbone):
            self._fast = _FastCopy(self.backbone, self.settings.size)
        return self._fast.network

    def __getstate__(self) -> dict[str, Any]:
        """Leave the fast copy behind: worker processes and deep copies make their own."""
        return {**self.__dict__, "_fast": None}


class _FastCopy:
    """A folded copy and the weights it was made from; no module, so that no state dict has it."""

    def __init__(self, network: nn.Module, size: int) -> None:
        state = [*network.parameters(), *network.buffers()]
        # aliases keep the memory alive, so an equal address means the same tensor
        self._source = [(value.detach(), value._version) for value in state]
        first = state[0]
        probe = torch.rand(
            1, 1, size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64
        ).to(first.device, first.dtype)
        with torch.autocast(first.device.type, enabled=False):
            self.network = folded(network, probe).to(memory_format=torch.channels_last)

    def is_of(self, network: nn.Module) -> bool:
        """Whether the network's weights are still those that were copied."""
        state = [*network.parameters(), *network.buffers()]
        return len(state) == len(self._source) and all(
            value.data_ptr() == source.data_ptr()
            and value.dtype == source.dtype
            and value.device == source.device
            and value._version == version
            for value, (source, version) in zip(state, self._source, strict=True)
        )
