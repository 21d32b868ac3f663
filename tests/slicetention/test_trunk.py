"""The backbone: folded, chunked, frozen as said, and exact."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit_slicetention.trunk.fold import folded
from survkit_slicetention.trunk.random_weights import made_up_images
from survkit_slicetention.trunk.slice_trunk import SliceTrunk

TrunkFactory = Callable[..., SliceTrunk]


def images(count: int = 10, size: int = 32) -> Tensor:
    return made_up_images(count, (1, size, size), seed=3)


@pytest.mark.parametrize(
    ("backbone", "norms"),
    [
        ("efficientnet_b0", 49),
        ("resnet18", 20),
        pytest.param("vgg11_bn", 8, marks=pytest.mark.slow),
        ("mobilenetv3_small_050", 34),
    ],
)
def test_folding_keeps_the_features(backbone: str, norms: int, make_trunk: TrunkFactory) -> None:
    """Exactly, in float64, with every normalisation gone; real weights: see test_weights."""
    network = make_trunk(backbone=backbone).backbone.double()
    before = sum(isinstance(each, nn.BatchNorm2d) for each in network.modules())

    fast = folded(network, images(1).double())

    assert before == norms
    assert sum(isinstance(each, nn.BatchNorm2d) for each in fast.modules()) == 0
    with torch.no_grad():
        expected, found = network(images().double()), fast(images().double())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10 * float(expected.abs().max()))


@pytest.mark.parametrize("backbone", ["resnet10t", "efficientnet_b0"])
def test_random_weights_do_not_depend_on_threads(backbone: str, make_trunk: TrunkFactory) -> None:
    """Not in one bit: a cache filled with two threads is read by a process that has one."""
    before = torch.get_num_threads()
    states = []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            states.append(make_trunk(backbone=backbone, size=64).state_dict())
    finally:
        torch.set_num_threads(before)

    for state in states[1:]:
        assert all(torch.equal(value, states[0][name]) for name, value in state.items())


class Skips(nn.Module):
    """A network that reads a convolution's output twice, once unseen by any hook."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
        self.norm.running_var.fill_(9.0)

    def forward(self, values: Tensor) -> Tensor:
        once = self.conv(values)
        return (self.norm(once) + once).mean(dim=(2, 3))


def test_a_hidden_second_use_is_not_folded() -> None:
    """The check on the probe finds it, and the network stays as it is."""
    network = Skips().eval()

    fast = folded(network, images(1))

    assert isinstance(fast.norm, nn.BatchNorm2d)
    torch.testing.assert_close(fast(images()), network(images()), rtol=0, atol=0)


def test_the_fast_copy_follows_the_weights(make_trunk: TrunkFactory) -> None:
    """Other weights, in place or loaded, or another dtype: never an outdated copy."""
    trunk, other = make_trunk(), make_trunk(weights_seed=1)
    first = trunk(images())
    expected = other(images())

    trunk.load_state_dict(other.state_dict())

    assert not torch.allclose(first, expected)
    torch.testing.assert_close(trunk(images()), expected, rtol=0, atol=0)
    wide = trunk.double()(images().double())
    assert wide.dtype == torch.float64
    atol = 1e-4 * float(expected.abs().max())
    torch.testing.assert_close(wide, expected.double(), rtol=0, atol=atol)


def test_a_copy_for_another_process_is_equal(make_trunk: TrunkFactory) -> None:
    """Workers get it pickled, trials deep-copied; the fast copy is not sent along."""
    trunk = make_trunk()
    expected = trunk(images())

    for twin in (pickle.loads(pickle.dumps(trunk)), deepcopy(trunk)):
        assert twin._fast is None
        torch.testing.assert_close(twin(images()), expected, rtol=0, atol=0)


@pytest.mark.parametrize("chunk", [1, 3, 10, 64])
def test_chunks_do_not_matter(chunk: int, make_trunk: TrunkFactory) -> None:
    """A slice's vector depends on no other slice."""
    expected = make_trunk(chunk=8).double()(images().double())

    found = make_trunk(chunk=chunk).double()(images().double())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10 * float(expected.abs().max()))


def gradients(trunk: SliceTrunk, *, one_graph: bool) -> list[Tensor]:
    """Return features and gradients, repeated in chunks or through one graph."""
    values = images().to(next(trunk.parameters()).dtype)
    trunk.train()
    features = trunk.backbone(values) if one_graph else trunk(values)
    leaves = [each for each in trunk.parameters() if each.requires_grad]
    return [features, *torch.autograd.grad(features.sin().sum(), leaves)]


@pytest.mark.parametrize(
    "settings", [{"stem": "trainable"}, {"freeze": "half"}, {"freeze": "none"}]
)
def test_repeated_chunks_have_the_gradient_of_one_graph(
    settings: dict[str, str], make_trunk: TrunkFactory
) -> None:
    """To 1e-10 in float64; in float32 a library may compute other sizes of chunk otherwise."""
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-4)):
        trunk = make_trunk(chunk=3, **settings).to(dtype)
        pairs = zip(
            gradients(trunk, one_graph=False), gradients(trunk, one_graph=True), strict=True
        )
        for found, right in pairs:
            scale = float(right.detach().abs().max())
            torch.testing.assert_close(found, right, rtol=0, atol=tolerance * max(scale, 1e-3))


def test_the_activations_of_one_chunk_are_kept_at_most(make_trunk: TrunkFactory) -> None:
    """Between forward and backward only the slices themselves."""

    def kept(run: nn.Module) -> int:
        sizes: dict[int, int] = {}

        def note(value: Tensor) -> Tensor:
            sizes[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
            return value

        values = images(24)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
            features = run(values)
        assert features.requires_grad
        return sum(sizes.values())

    trunk = make_trunk(stem="trainable", chunk=4)
    weights = sum(each.numel() * 4 for each in trunk.parameters())

    assert kept(trunk) <= 24 * 32 * 32 * 4 + 1024
    assert kept(trunk.backbone) > 20 * kept(trunk) + weights


def test_a_repeated_forward_draws_the_same_dropout(make_trunk: TrunkFactory) -> None:
    """The gradient belongs to the features that the loss saw."""
    trunk = make_trunk(freeze="none", chunk=2)
    trunk.backbone = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Flatten(), nn.Dropout(0.5))
    values = images(6).abs() + 0.1
    torch.manual_seed(0)

    features = trunk.train()(values)
    features.sum().backward()

    seen = (features != 0) * 2 * values.flatten(1)
    torch.testing.assert_close(trunk.backbone[0].weight.grad.flatten()[0], seen.sum())


def trainable(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters() if each.requires_grad)


def test_what_is_frozen_stays_in_eval_mode(make_trunk: TrunkFactory) -> None:
    """Also under train(); normalisation keeps its statistics where it trains too."""
    for settings in ({"stem": "trainable"}, {"freeze": "half"}, {"freeze": "none"}):
        trunk = make_trunk(**settings).train()
        before = {name: value.clone() for name, value in trunk.named_buffers()}

        trunk(images())

        assert all(torch.equal(value, before[name]) for name, value in trunk.named_buffers())
        frozen = [each for each in trunk.backbone.modules() if not trainable(each)]
        assert settings.get("freeze") or not any(each.training for each in frozen)


def test_half_freezes_the_first_half_of_the_layers(make_trunk: TrunkFactory) -> None:
    """Layers with weights, in the order of their definition, the new linear layer being one."""
    trunk = make_trunk(freeze="half", backbone="resnet18")
    layers = [each for each in trunk.backbone.modules() if list(each.parameters(recurse=False))]

    trains = [trainable(each) > 0 for each in layers]

    assert len(layers) == 40
    assert trains == [False] * 20 + [True] * 20


def test_random_weights_are_the_seeds_alone(make_trunk: TrunkFactory) -> None:
    """The same in every fold, and the generators are left as they were."""
    torch.manual_seed(1)
    first = make_trunk()
    after = torch.rand(3)
    torch.manual_seed(2)
    second, third = make_trunk(), make_trunk(weights_seed=7)
    torch.manual_seed(1)

    assert torch.equal(torch.rand(3), after)
    assert torch.equal(first(images()), second(images()))
    assert not torch.allclose(first(images()), third(images()))


def test_a_random_network_tells_images_apart(make_trunk: TrunkFactory) -> None:
    """With fresh statistics the signal would have faded."""
    features = make_trunk(size=64)(images(16, 64))

    spread = features.std(dim=0).mean() / features.abs().mean()
    assert float(spread) > 0.05


@pytest.mark.parametrize(
    ("backbone", "said"),
    [
        ("eficientnet_b0", "timm has no backbone 'eficientnet_b0'. Did you mean 'efficientnet_b0'"),
        ("resnet18.tv_in2k", "timm has no weights 'tv_in2k' for 'resnet18'; it has .*tv_in1k"),
        ("torchvision:alexnett", "torchvision has no backbone 'alexnett'. Did you mean 'alexnet'"),
        ("torchvision:alexnet", "fails on a slice of 32 x 32.*set size"),
    ],
)
def test_a_backbone_that_cannot_be_is_refused(
    backbone: str, said: str, make_trunk: TrunkFactory
) -> None:
    """With what is close, or what it takes."""
    with pytest.raises(ConfigError, match=said):
        make_trunk(backbone=backbone)


def test_no_slice_gives_no_vector(make_trunk: TrunkFactory) -> None:
    """An empty stack is no fault."""
    trunk = make_trunk()

    assert trunk(torch.zeros(0, 1, 32, 32)).shape == (0, trunk.features)
