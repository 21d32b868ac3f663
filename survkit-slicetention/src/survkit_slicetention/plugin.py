"""What the plugin offers: names and targets, nothing is imported."""

from __future__ import annotations

from survkit.plugins import hookimpl
from survkit.registry import Registry

SURVKIT_API = ">=0.1,<0.2"

# kind | name | target within survkit_slicetention | summary
_PARTS = """
encoder | slices | slices:SlicesEncoder | CT slice by slice under a 2-D network
encoder | slice-transformer | slice_transformer:SliceTransformerEncoder | Medical Slice Transformer
encoder | lung-volume | lung_volume:LungVolumeEncoder | the lungs of a CT under a 3-D network
fusion | soft-attention | soft_attention:SoftAttention | tokens weighed by a learned score
fusion | class-token | class_token:ClassTokenFusion | self-attention over tokens, class token
recipe | lung1 | recipes/lung1.yaml | the paper's model: EfficientNet-B0, soft attention, DeepHit
recipe | lung1-cached | recipes/lung1-cached.yaml | the same over a frozen, cached trunk
recipe | lung1-half | recipes/lung1-half.yaml | half of the backbone trains
recipe | lung1-mean | recipes/lung1-mean.yaml | question 2: the mean over slices
recipe | lung1-class-token | recipes/lung1-class-token.yaml | question 2: self-attention
recipe | lung1-vgg16 | recipes/lung1-vgg16.yaml | question 3: VGG16
recipe | lung1-resnet50 | recipes/lung1-resnet50.yaml | question 3: ResNet50
recipe | lung1-alexnet | recipes/lung1-alexnet.yaml | question 3: AlexNet
recipe | lung1-vit | recipes/lung1-vit.yaml | question 3: vision transformer B/16
recipe | lung1-medvit | recipes/lung1-medvit.yaml | question 3: Next-ViT, in the place of MedViT
recipe | lung1-resnet3d | recipes/lung1-resnet3d.yaml | question 1: 3-D ResNet-18
recipe | lung1-resnet3d-half | recipes/lung1-resnet3d-half.yaml | question 1: half of it trains
recipe | lung1-densenet3d | recipes/lung1-densenet3d.yaml | question 1: 3-D DenseNet-121
recipe | lung1-densenet3d-half | recipes/lung1-densenet3d-half.yaml | question 1: half of it trains
recipe | lung1-mst | recipes/lung1-mst.yaml | question 1: Medical Slice Transformer, DINOv2
recipe | lung1-mst-half | recipes/lung1-mst-half.yaml | question 1: half of DINOv2 trains
recipe | small | recipes/small.yaml | a small network for two CPU cores, such as for phantoms
demonstration | small | demonstrations/small.yaml | of the recipe small
reproduction | table3 | reproductions/table3.yaml | question 1: 3-D networks
reproduction | table4 | reproductions/table4.yaml | question 2: fusion of slices
reproduction | table5 | reproductions/table5.yaml | question 3: backbones
reproduction | question4 | reproductions/question4.yaml | question 4: transfer to another cohort
"""


@hookimpl
def survkit_register(registry: Registry) -> None:
    """Add the parts of the slice-attention paper."""
    for line in _PARTS.strip().splitlines():
        kind, name, target, summary = line.split(" | ")
        place = "survkit_slicetention:" if target.endswith(".yaml") else "survkit_slicetention."
        registry.add(kind, name, f"{place}{target}", summary=summary)
