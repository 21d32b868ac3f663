"""The ``training`` section of a recipe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from survkit.component_config import ComponentConfig

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Monitor = Literal["concordance", "antolini", "loss"]
"""What a validation part is scored by; of the loss the lowest is best, else the highest."""


class Section(BaseModel):
    """A part of a settings file: strict types, no unknown keys, never changed after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class OptimizerConfig(Section):
    """The optimizer and its rates.

    Attributes:
        use: Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019) or SGD with momentum.
        lr: Learning rate.
        weight_decay: Decoupled for AdamW, an L2 term of the gradient for the others.
        part_lr: Learning rates of parts by their path, such as ``encoders.ct``; the longest
            matching path wins.
        part_weight_decay: The same for weight decay.
    """

    use: Literal["adam", "adamw", "sgd"] = "adamw"
    lr: Positive = 1e-3
    weight_decay: NotNegative = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    part_lr: dict[str, NotNegative] = Field(default_factory=dict)
    part_weight_decay: dict[str, NotNegative] = Field(default_factory=dict)


class ScheduleConfig(Section):
    """How the learning rate moves over epochs.

    Attributes:
        use: Constant, cosine to ``final`` × the rate, or cosine with warm restarts (Loshchilov &
            Hutter 2017).
        warmup: Epochs of linear warm-up.
        period: Epochs of the first restart cycle.
        growth: Factor by which each next cycle is longer.
        final: Share of the rate at the end of a cycle.
    """

    use: Literal["constant", "cosine", "cosine-restarts"] = "constant"
    warmup: Annotated[int, Field(ge=0)] = 0
    period: Count = 10
    growth: Count = 1
    final: Annotated[float, Field(ge=0, le=1)] = 0.0


class CorruptionConfig(ComponentConfig):
    """A corruption that training subjects meet; every other key is one of its settings.

    Attributes:
        modality: Of the recipe.
        probability: That a subject who has the modality meets it in an epoch.
    """

    modality: str
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0


class TrainingConfig(Section):
    """How a composed model is trained.

    Attributes:
        epochs: Passes over the training subjects.
        micro_batch: Subjects in memory at once.
        risk_set: Subjects that each loss evaluation sees, over all micro-batches and ranks; "all"
            for the whole training part.
        gradient: One graph, two passes (exact gradient caching), or whichever fits.
        gradient_clip: Largest norm of the gradient; ``None`` for no clipping.
        validation: Share of the training subjects set aside to choose the epoch; 0 trains to the
            last epoch.
        patience: Epochs without a better validation ``monitor`` before stopping; ``None`` for
            never.
        monitor: What chooses the epoch, and between the values of ``search``: Harrell's concordance
            of the risk at the horizon, Antolini's time-dependent concordance up to it, or the loss.
        corruptions: What the inputs of training subjects meet, drawn anew in every epoch; never
            those of validation or test subjects, nor what scalers are fitted on.
        search_folds: Folds of the inner cross-validation of the training part on which ``search``
            chooses; 1 for the validation part alone.
        members: Models trained from different seeds whose predicted incidences are averaged.
        precision: As Lightning names it; "auto" is bf16-mixed where the device has it, else
            float32.
        accelerator: As Lightning names it.
        devices: Number of devices, or "auto".
        strategy: As Lightning names it, such as "ddp".
        compile: Whether the network goes through ``torch.compile``.
        seed: The one seed of everything random.
    """

    epochs: Count = 100
    micro_batch: Count = 16
    risk_set: Count | Literal["all"] = "all"
    gradient: Literal["auto", "one-graph", "two-pass"] = "auto"
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    gradient_clip: Positive | None = None
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.2
    patience: Count | None = None
    monitor: Monitor = "concordance"
    corruptions: list[CorruptionConfig] = Field(default_factory=list)
    search_folds: Count = 3
    members: Count = 1
    precision: Literal["auto", "32-true", "64-true", "bf16-mixed", "16-mixed"] = "auto"
    accelerator: str = "auto"
    devices: Count | Literal["auto"] = 1
    strategy: str = "auto"
    compile: bool = False
    seed: Annotated[int, Field(ge=0)] = 0
