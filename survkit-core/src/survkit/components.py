"""The core's own parts, registered through the hook that every plugin uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from survkit.plugins import API_VERSION, hookimpl

if TYPE_CHECKING:
    from survkit.registry import Registry

SURVKIT_API = f"=={API_VERSION}"

# kind, name, target within survkit, summary
_PARTS = """
encoder | tabular | encoders.tabular:TabularEncoder | numeric and categorical columns, some missing
encoder | vector | encoders.vector:VectorEncoder | precomputed embeddings, one or many per subject
encoder | cnn3d | encoders.cnn3d:CNN3DEncoder | a few 3-D convolutions for small volumes
encoder | resnet3d-18 | encoders.resnet3d:ResNet3DEncoder | 3-D ResNet-18 for volumes (MONAI)
encoder | densenet3d-121 | encoders.densenet3d:DenseNet3DEncoder | 3-D DenseNet-121 (MONAI)
fusion | concat | fusions.concat:ConcatFusion | the modalities side by side
fusion | mean | fusions.mean:MeanFusion | mean over the modalities present
fusion | gated | fusions.gated:GatedFusion | learned gates weigh the modalities present
fusion | attention | fusions.attention:AttentionFusion | attention over all tokens present
head | cox | heads.cox:CoxHead | proportional hazards with a Breslow baseline
head | deephit | heads.deephit:DeepHitHead | probability mass over intervals and causes
head | discrete-hazard | heads.discrete_hazard:DiscreteHazardHead | hazard per interval, one cause
head | cause-hazard | heads.cause_hazard:CauseHazardHead | hazard per interval and cause
head | mtlr | heads.mtlr:MTLRHead | multi-task logistic regression, smooth over intervals
head | pc-hazard | heads.pc_hazard:PCHazardHead | hazard constant within intervals, one cause
head | weibull | heads.weibull:WeibullHead | scale and shape of a Weibull distribution, one cause
loss | cox | losses.cox:CoxLoss | partial likelihood: Breslow, Efron, strata, delayed entry
loss | deephit-likelihood | losses.deephit_likelihood:DeepHitLikelihood | DeepHit's likelihood
loss | deephit-ranking | losses.deephit_ranking:DeepHitRanking | DeepHit's ranking of pairs
loss | hazard-likelihood | losses.hazard_likelihood:HazardLikelihood | interval hazards
loss | weibull | losses.weibull:WeibullLoss | Weibull likelihood with censoring
loss | piecewise-likelihood | losses.piecewise_likelihood:PiecewiseLikelihood | for pc-hazard
loss | pycox-logistic-hazard | losses.pycox_losses:PycoxLogisticHazard | pycox's likelihood
loss | pycox-mtlr | losses.pycox_losses:PycoxMTLR | pycox's likelihood of scores, for mtlr
loss | pycox-pc-hazard | losses.pycox_losses:PycoxPCHazard | pycox's likelihood, for pc-hazard
loss | pycox-pmf | losses.pycox_losses:PycoxPMF | pycox's likelihood of a probability mass
loss | rank-n-contrast | losses.rank_n_contrast:RankNContrast | orders embeddings by survival
baseline | coxnet | baselines.coxnet:Coxnet | elastic-net Cox along its penalty path
baseline | ridge-cox | baselines.ridge_cox:RidgeCox | Cox with a ridge penalty
baseline | random-survival-forest | baselines.trees:RandomForest | a forest of survival trees
baseline | gradient-boosting | baselines.trees:GradientBoosting | boosted trees, Cox loss
corruption | gaussian-noise | corruptions.gaussian_noise:GaussianNoise | additive noise of a scanner
corruption | poisson-noise | corruptions.poisson_noise:PoissonNoise | counting noise of a short scan
corruption | blur | corruptions.blur:Blur | a wider point spread function
corruption | downsampling | corruptions.downsampling:Downsampling | coarser voxels along all axes
corruption | slice-thickness | corruptions.slice_thickness:SliceThickness | thicker slices
corruption | motion | corruptions.motion:Motion | a patient who moves during the acquisition
corruption | bias-field | corruptions.bias_field:BiasField | slowly varying sensitivity
corruption | intensity-shift | corruptions.intensity_shift:IntensityShift | another calibration
corruption | mask-jitter | corruptions.mask_jitter:MaskJitter | a region drawn elsewhere or smaller
corruption | missing-modality | corruptions.missing_modality:MissingModality | it was not acquired
corruption | missing-columns | corruptions.missing_columns:MissingColumns | empty cells of a table
corruption | column-noise | corruptions.column_noise:ColumnNoise | relative error of every number
"""


@hookimpl
def survkit_register(registry: Registry) -> None:
    """Add the everyday components."""
    for line in _PARTS.strip().splitlines():
        kind, name, target, summary = line.split(" | ")
        registry.add(kind, name, f"survkit.{target}", summary=summary)
    registry.add(
        "recipe", "demo", "survkit:recipes/demo.yaml", summary="CT + PET + clinical phantoms"
    )
    registry.add(
        "demonstration",
        "demo",
        "survkit:demonstration/demo.yaml",
        summary="recipe demo on phantoms",
    )
