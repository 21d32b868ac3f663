"""The conformance kit: what a component must keep to fit into survkit, as tests to subclass.

A plugin's test of one encoder is a subclass of five lines::

    class TestMyEncoder(EncoderConformance):
        component = MyEncoder
        input = InputSpec(kind="volume", shape=(1, 16, 16, 16))
        settings = {"dim": 8}

The kit needs pytest: ``pip install "survkit-core[testing]"``.
"""

from __future__ import annotations

import pytest

# Before the kit is imported: a failing kit test then shows both sides of its comparison.
pytest.register_assert_rewrite(
    *(
        f"survkit.testing.{name}"
        for name in (
            "kit",
            "built_encoder",
            "encoder",
            "shown_by_encoder",
            "following",
            "fusion",
            "head",
            "loss",
            "corruption",
            "plugin",
            "pruning",
        )
    )
)

from survkit.testing.batches import (  # noqa: E402
    parameter_shape,
    random_encoding,
    random_encodings,
    random_input,
    random_output,
    random_target,
)
from survkit.testing.corruption import CorruptionConformance  # noqa: E402
from survkit.testing.encoder import EncoderConformance  # noqa: E402
from survkit.testing.following import FollowsTrainingConformance  # noqa: E402
from survkit.testing.fusion import FusionConformance  # noqa: E402
from survkit.testing.head import HeadConformance  # noqa: E402
from survkit.testing.loss import LossConformance  # noqa: E402
from survkit.testing.plugin import PluginConformance  # noqa: E402
from survkit.testing.pruning import PrunesTokensConformance  # noqa: E402

__all__ = [
    "CorruptionConformance",
    "EncoderConformance",
    "FollowsTrainingConformance",
    "FusionConformance",
    "HeadConformance",
    "LossConformance",
    "PluginConformance",
    "PrunesTokensConformance",
    "parameter_shape",
    "random_encoding",
    "random_encodings",
    "random_input",
    "random_output",
    "random_target",
]
