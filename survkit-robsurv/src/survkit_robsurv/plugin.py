"""What the plugin offers: names and targets, nothing is imported."""

from __future__ import annotations

from survkit.plugins import hookimpl
from survkit.registry import Registry

SURVKIT_API = ">=0.1,<0.2"

# kind | name | target within survkit_robsurv | summary
_PARTS = """
encoder | vq3d | vq3d.vq3d_encoder:VQ3DEncoder | 3-D VQ-GAN: codes on a grid
encoder | vq | vq:VQEncoder | any encoder's tokens as codes of a learned codebook
encoder | voxels | compared.voxels:VoxelsEncoder | raw voxels in patches, for fusions of images
fusion | dual-patch-fuse | dual_patch_fuse:DualPatchFuse | patch-wise cross-attention and CBAM
fusion | joint-segmentation | compared.joint_segmentation:JointSegmentation | DeepMTS
fusion | merging-diverging | compared.merging_diverging:MergingDiverging | XSurv
fusion | patch-transformer | compared.patch_transformer:PatchTransformer | TMSS
fusion | max | compared.max_pooling:MaxFusion | MultiSurv: largest entry over the modalities present
loss | cross-patient | compared.cross_patient:CrossPatient | MMRL: modalities and like patients
recipe | hecktor | recipes/hecktor.yaml | the paper's model, for HECKTOR
recipe | hecktor-batch2 | recipes/hecktor-batch2.yaml | the same with the paper's batch of 2
recipe | nsclc-radiogenomics | recipes/nsclc-radiogenomics.yaml | the same for NSCLC Radiogenomics
recipe | hn1 | recipes/hn1.yaml | the same for HEAD-NECK-RADIOMICS-HN1
recipe | small | recipes/small.yaml | a small model for two CPU cores, such as for phantoms
recipe | hecktor-without-dualpatchfuse | recipes/hecktor-without-dualpatchfuse.yaml | an ablation
recipe | hecktor-without-continuous | recipes/hecktor-without-continuous.yaml | an ablation
recipe | hecktor-without-dualvq | recipes/hecktor-without-dualvq.yaml | an ablation
recipe | small-without-dualpatchfuse | recipes/small-without-dualpatchfuse.yaml | small ablation
recipe | small-without-continuous | recipes/small-without-continuous.yaml | small ablation
recipe | small-without-dualvq | recipes/small-without-dualvq.yaml | small ablation
recipe | coxph | recipes/coxph.yaml | compared: Cox regression on clinical columns
recipe | deepsurv | recipes/deepsurv.yaml | compared: DeepSurv on clinical columns
recipe | multimodal-dropout | recipes/multimodal-dropout.yaml | compared: MultiSurv
recipe | deepmts | recipes/deepmts.yaml | compared: joint segmentation and survival
recipe | xsurv | recipes/xsurv.yaml | compared: merging-diverging hybrid transformer
recipe | mmrl | recipes/mmrl.yaml | compared: multi-modal representation learning
recipe | survrnc | recipes/survrnc.yaml | compared: Rank-N-Contrast beside DeepHit
recipe | tmss | recipes/tmss.yaml | compared: transformer for segmentation and survival
demonstration | small | demonstrations/small.yaml | of the recipe small
reproduction | table1 | reproductions/table1.yaml | nine systems, clean and noisy
reproduction | table2 | reproductions/table2.yaml | ablations, clean and noisy
reproduction | figure2 | reproductions/figure2.yaml | C-td against the share of noisy subjects
reproduction | figure3 | reproductions/figure3.yaml | Kaplan-Meier curves under noise
"""


@hookimpl
def survkit_register(registry: Registry) -> None:
    """Add the parts of the paper, and of the systems that it is compared with."""
    for line in _PARTS.strip().splitlines():
        kind, name, target, summary = line.split(" | ")
        place = "survkit_robsurv:" if target.endswith(".yaml") else "survkit_robsurv."
        registry.add(kind, name, f"{place}{target}", summary=summary)
