"""What the plugin offers: names and targets, nothing is imported."""

from __future__ import annotations

from survkit.plugins import hookimpl
from survkit.registry import Registry

SURVKIT_API = ">=0.1,<0.2"

# kind | name | target within survkit_radvit | summary
_PARTS = """
encoder | vit | vit.vit_encoder:VitEncoder | Vision Transformer over one picture, prunable
encoder | radiomics-tokens | radiomics_tokens:RadiomicsTokensEncoder | features of patches as tokens
encoder | radiomics | radiomics:RadiomicsEncoder | a table of radiomic features, by groups
encoder | roi-radiomics | roi_radiomics:RoiRadiomicsEncoder | 93 features of a masked region
fusion | mixed-risk | mixed_risk:MixedRisk | two modalities, log hazards in fixed shares
loss | contrastive-alignment | contrastive_alignment:ContrastiveAlignment | NT-Xent, two modalities
recipe | covid-cxr | recipes/covid-cxr.yaml | the paper's hybrid, for chest X-rays of 384 pixels
recipe | covid-cxr-vit | recipes/covid-cxr-vit.yaml | its image branch alone
recipe | covid-cxr-radiomics | recipes/covid-cxr-radiomics.yaml | its radiomics branch alone
recipe | small | recipes/small.yaml | a small hybrid for two CPU cores, such as for phantoms
recipe | small-vit | recipes/small-vit.yaml | its image branch alone
recipe | small-radiomics | recipes/small-radiomics.yaml | its radiomics branch alone
demonstration | small | demonstrations/small.yaml | of the recipe small
reproduction | hybrid | reproductions/hybrid.yaml | each branch alone, and the hybrid
reproduction | sweep-alpha | reproductions/sweep-alpha.yaml | share of the radiomics in the risk
reproduction | sweep-lambda | reproductions/sweep-lambda.yaml | weight of the contrastive loss
reproduction | sweep-tau | reproductions/sweep-tau.yaml | temperature of the contrastive loss
experiment | shallow | shallow.experiment:ShallowExperiment | shallow ViTs: does attention find it?
"""


@hookimpl
def survkit_register(registry: Registry) -> None:
    """Add the parts of the paper."""
    for line in _PARTS.strip().splitlines():
        kind, name, target, summary = line.split(" | ")
        place = "survkit_radvit:" if target.endswith(".yaml") else "survkit_radvit."
        registry.add(kind, name, f"{place}{target}", summary=summary)
