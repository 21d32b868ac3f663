"""The core's own parts keep what the kit asks of everybody's."""

from __future__ import annotations

from typing import ClassVar

from survkit.encoders.cnn3d import CNN3DEncoder
from survkit.encoders.densenet3d import DenseNet3DEncoder
from survkit.encoders.resnet3d import ResNet3DEncoder
from survkit.encoders.tabular import TabularEncoder
from survkit.encoders.vector import VectorEncoder
from survkit.fusions.attention import AttentionFusion
from survkit.fusions.concat import ConcatFusion
from survkit.fusions.gated import GatedFusion
from survkit.fusions.mean import MeanFusion
from survkit.heads.cause_hazard import CauseHazardHead
from survkit.heads.cox import CoxHead
from survkit.heads.deephit import DeepHitHead
from survkit.heads.discrete_hazard import DiscreteHazardHead
from survkit.heads.mtlr import MTLRHead
from survkit.heads.pc_hazard import PCHazardHead
from survkit.heads.weibull import WeibullHead
from survkit.losses.cox import CoxLoss
from survkit.losses.deephit_likelihood import DeepHitLikelihood
from survkit.losses.deephit_ranking import DeepHitRanking
from survkit.losses.hazard_likelihood import HazardLikelihood
from survkit.losses.piecewise_likelihood import PiecewiseLikelihood
from survkit.losses.pycox_losses import (
    PycoxLogisticHazard,
    PycoxMTLR,
    PycoxPCHazard,
    PycoxPMF,
)
from survkit.losses.rank_n_contrast import RankNContrast
from survkit.losses.weibull import WeibullLoss
from survkit.specs import ColumnSpec, EncodingSpec, InputSpec, OutcomeSpec
from survkit.testing import (
    EncoderConformance,
    FusionConformance,
    HeadConformance,
    LossConformance,
    PluginConformance,
)

TABLE = InputSpec(
    kind="table",
    shape=(4,),
    columns=(
        ColumnSpec("age"),
        ColumnSpec("stage", ("I", "II", "III")),
        ColumnSpec("haemoglobin"),
        ColumnSpec("sex", ("f", "m")),
    ),
)
COMPETING = OutcomeSpec(
    causes=("cancer", "other"), horizon=24.0, time_grid=(3.0, 6.0, 12.0, 18.0, 24.0)
)
ENCODINGS = {
    "pet": EncodingSpec(dim=5, tokens=8, grid=(2, 2, 2)),
    "clinical": EncodingSpec(dim=3),
    "ct": EncodingSpec(dim=4, tokens=None),
}


class TestTabular(EncoderConformance):
    component = TabularEncoder
    input = TABLE
    settings: ClassVar = {"hidden": [8], "dropout": 0.1, "dim": 6}
    missing = 0.3


class TestTabularFeatures(EncoderConformance):
    component = TabularEncoder
    input = TABLE
    settings: ClassVar = {"dim": None, "transform": "yeo-johnson"}
    missing = 0.3


class TestTabularBesideLinear(EncoderConformance):
    component = TabularEncoder
    input = TABLE
    settings: ClassVar = {"hidden": [4], "dim": None, "linear_path": True}
    missing = 0.3


class TestTabularRefusing(EncoderConformance):
    component = TabularEncoder
    input = TABLE
    settings: ClassVar = {"missing": "refuse"}


class TestVector(EncoderConformance):
    component = VectorEncoder
    input = InputSpec(kind="vector", shape=(7,))
    settings: ClassVar = {"hidden": [8], "dropout": 0.1, "components": 3}


class TestVectorBesideLinear(EncoderConformance):
    component = VectorEncoder
    input = InputSpec(kind="vector", shape=(7,))
    settings: ClassVar = {"hidden": [4], "linear_path": True}


class TestVectors(EncoderConformance):
    component = VectorEncoder
    input = InputSpec(kind="vector", shape=(7,), has_tokens=True)


class TestCNN(EncoderConformance):
    component = CNN3DEncoder
    input = InputSpec(kind="volume", shape=(2, 17, 20, 16))
    settings: ClassVar = {"channels": [4, 8], "dim": 6, "dropout": 0.1}


class TestCNNForOne(EncoderConformance):
    component = CNN3DEncoder
    input = InputSpec(kind="volume", shape=(1, 16, 16, 16))
    settings: ClassVar = {"channels": [4, 6], "norm": "group", "pooling": "max"}
    subjects = 2


class TestResNet(EncoderConformance):
    component = ResNet3DEncoder
    input = InputSpec(kind="volume", shape=(2, 17, 20, 33))
    settings: ClassVar = {"width": 0.0625, "dim": 6}


class TestResNetForOne(EncoderConformance):
    component = ResNet3DEncoder
    input = InputSpec(kind="volume", shape=(1, 16, 16, 16))
    settings: ClassVar = {"width": 0.0625, "stem": "small", "stem_stride": 2, "norm": "group"}
    subjects = 2


class TestDenseNet(EncoderConformance):
    component = DenseNet3DEncoder
    input = InputSpec(kind="volume", shape=(1, 16, 20, 33))
    settings: ClassVar = {"width": 0.0625, "dim": 6, "norm": "group"}
    subjects = 3


class TestConcat(FusionConformance):
    component = ConcatFusion
    encodings = ENCODINGS
    settings: ClassVar = {"present_indicators": True}


class TestConcatProjected(FusionConformance):
    component = ConcatFusion
    encodings = ENCODINGS
    settings: ClassVar = {"dim": 4, "absent": "zero", "modality_dropout": 0.3}


class TestMean(FusionConformance):
    component = MeanFusion
    encodings = ENCODINGS
    settings: ClassVar = {"dim": 6}


class TestGated(FusionConformance):
    component = GatedFusion
    encodings = ENCODINGS
    settings: ClassVar = {"dim": 6, "gate_dim": 4}


class TestAttention(FusionConformance):
    component = AttentionFusion
    encodings = ENCODINGS
    settings: ClassVar = {"dim": 8, "heads": 2, "layers": 2}


class TestAttentionPoolOnly(FusionConformance):
    component = AttentionFusion
    encodings = ENCODINGS
    settings: ClassVar = {"dim": 8, "layers": 0, "modality_dropout": 0.2}


class TestCox(HeadConformance):
    component = CoxHead


class TestCoxCompeting(HeadConformance):
    component = CoxHead
    outcome = COMPETING
    settings: ClassVar = {"hidden": [8], "dropout": 0.1}


class TestDeepHit(HeadConformance):
    component = DeepHitHead
    settings: ClassVar = {"shared": [8], "cause": [8, 8]}


class TestDeepHitCompeting(HeadConformance):
    component = DeepHitHead
    outcome = COMPETING
    settings: ClassVar = {"shared": [8], "cause": [8], "residual": False}


class TestDiscreteHazard(HeadConformance):
    component = DiscreteHazardHead
    settings: ClassVar = {"hidden": [8]}


class TestCauseHazard(HeadConformance):
    component = CauseHazardHead
    settings: ClassVar = {"shared": [8], "cause": [8]}


class TestCauseHazardCompeting(HeadConformance):
    component = CauseHazardHead
    outcome = COMPETING
    settings: ClassVar = {"shared": [], "cause": []}


class TestMTLR(HeadConformance):
    component = MTLRHead
    settings: ClassVar = {"hidden": [8], "dropout": 0.1}


class TestMTLRCompeting(HeadConformance):
    component = MTLRHead
    outcome = COMPETING


class TestPCHazard(HeadConformance):
    component = PCHazardHead
    settings: ClassVar = {"hidden": [8], "dropout": 0.1}


class TestWeibull(HeadConformance):
    component = WeibullHead
    settings: ClassVar = {"hidden": [8]}


class TestCoxLoss(LossConformance):
    component = CoxLoss


class TestCoxLossCompeting(LossConformance):
    component = CoxLoss
    outcome = COMPETING


class TestDeepHitLikelihood(LossConformance):
    component = DeepHitLikelihood
    outcome = COMPETING


class TestDeepHitRanking(LossConformance):
    component = DeepHitRanking
    outcome = COMPETING


class TestHazardLikelihood(LossConformance):
    component = HazardLikelihood


class TestHazardLikelihoodCompeting(LossConformance):
    component = HazardLikelihood
    outcome = COMPETING


class TestPiecewiseLikelihood(LossConformance):
    component = PiecewiseLikelihood


class TestPycoxLogisticHazard(LossConformance):
    component = PycoxLogisticHazard


class TestPycoxPMF(LossConformance):
    component = PycoxPMF


class TestPycoxMTLR(LossConformance):
    component = PycoxMTLR


class TestPycoxPCHazard(LossConformance):
    component = PycoxPCHazard


class TestWeibullLoss(LossConformance):
    component = WeibullLoss


class TestRankNContrast(LossConformance):
    component = RankNContrast


class TestCore(PluginConformance):
    module = "survkit.components"
    plugin = "survkit"
    distribution = "survkit-core"
