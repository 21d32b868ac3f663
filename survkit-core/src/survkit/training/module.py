"""The one LightningModule: a training step is a risk set."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from survkit.flow import ModelOutput, SurvivalTarget, concatenate
from survkit.model import SurvivalModel
from survkit.training.corrupted_batch import Corrupting
from survkit.training.execution import Execution, RiskSetUnion, alone
from survkit.training.following import followers, move
from survkit.training.gather import gather_records, gather_risk_set
from survkit.training.gradient_cache import StepResult, accumulate_gradients
from survkit.training.gradient_choice import GradientChoice, choose_gradient
from survkit.training.health_watch import HealthWatch
from survkit.training.learning import EpochRecord, check_outputs, mean_losses
from survkit.training.micro_batches import MicroBatches
from survkit.training.optimizer import build_optimizer, rate_factor
from survkit.training.plan import TrainingPlan
from survkit.training.random_state import seed_everything
from survkit.training.sampler import RiskSet, RiskSetSampler, micro_batches
from survkit.training.staged_forward import widen
from survkit.training.validation_score import validation_concordance

log = logging.getLogger("survkit.training")


class SurvivalModule(LightningModule):
    """Trains a composed model by a plan.

    The loaders carry numbers of risk sets only; which subjects those hold follows from seed and
    epoch, so a resumed run needs no state of any loader or generator.

    Attributes:
        record: What the current epoch has shown so far.
        gradient: How gradients are computed; chosen when training starts, and kept on resume.
        health: How the modules fare that say so.
    """

    def __init__(self, model: SurvivalModel, plan: TrainingPlan) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model
        self.plan = plan
        self.record = EpochRecord()
        self.gradient: GradientChoice | None = None
        self.health = HealthWatch.of(model)
        self._followers = followers(model)
        self._steps: list[StepResult] = []
        self._outputs: list[ModelOutput] = []
        self._targets: list[SurvivalTarget] = []
        self._epoch_plan: tuple[int, list[RiskSet]] | None = None
        self._sampler: RiskSetSampler | None = None

    # -- loaders ---------------------------------------------------------------------------------

    def train_dataloader(self) -> DataLoader[int]:
        """Give the numbers of the risk sets of an epoch."""
        return _numbers(self.sampler.sets)

    def val_dataloader(self) -> DataLoader[int]:
        """Give the numbers of this rank's micro-batches of the validation part."""
        return _numbers(len(self._validation_rows()))

    @property
    def sampler(self) -> RiskSetSampler:
        """Cuts the training part into risk sets."""
        if self._sampler is None:
            self._sampler = RiskSetSampler(
                rows=self.plan.train,
                target=self.plan.train_target,
                risk_set=self.plan.config.risk_set,
                micro_batch=self.plan.config.micro_batch,
                seed=self.plan.seed,
                ranks=self.trainer.world_size,
            )
        return self._sampler

    # -- training --------------------------------------------------------------------------------

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Build the recipe's optimizer; the rate is set at the start of every epoch."""
        fused = self.device.type == "cuda" and self.plan.config.precision != "16-mixed"
        return build_optimizer(self.model, self.plan.config.optimizer, fused=fused)

    def on_train_start(self) -> None:
        """Choose between one graph and two passes, unless a checkpoint already says."""
        if self.gradient is None:
            self.gradient = self._choose()
        log.info("gradient: %s (%s)", self.gradient.mode, self.gradient.reason)

    def on_train_epoch_start(self) -> None:
        """Set the learning rate of the epoch."""
        config = self.plan.config
        factor = rate_factor(self.current_epoch, config.epochs, config.schedule)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = group["initial_lr"] * factor
        self.record = EpochRecord(epoch=self.current_epoch, lr_factor=factor)
        self._steps.clear()

    def training_step(self, index: int, _: int) -> None:
        """Take one step on the gradient of a whole risk set."""
        assert self.gradient is not None
        risk_set = self._risk_sets()[int(index)]
        seed_everything(*self.plan.seed, self.current_epoch, int(index), self.global_rank)
        optimizer: Any = self.optimizers()
        optimizer.zero_grad(set_to_none=True)
        # The trainer casts around the whole step; here each forward casts for itself, so that
        # losses and backward do not.
        with torch.autocast(self.device.type, enabled=False):
            result = accumulate_gradients(
                self.model,
                self.plan.objective,
                self._batches(risk_set.ranks[self.global_rank], self._corrupting()),
                mode=self.gradient.mode,
                execution=self._execution(risk_set.counts),
            )
        optimizer.step()
        with torch.autocast(self.device.type, enabled=False):
            move(self._followers, *self.plan.seed, self.current_epoch, int(index))
        if self._ranks > 1:
            whole = self.trainer.strategy.reduce(result.penalty, reduce_op="sum")
            result = replace(result, penalty=cast(Tensor, whole))
        self._steps.append(result)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip the gradient, after any loss scale was taken out of it."""
        clip = self.plan.config.gradient_clip
        if clip is not None:
            self.clip_gradients(optimizer, gradient_clip_val=clip, gradient_clip_algorithm="norm")

    def on_train_epoch_end(self) -> None:
        """Read the losses of the epoch, and how the modules fared."""
        self._read_losses()
        loud = self.trainer.is_global_zero
        self.record.health = self.health.read(self.current_epoch, loud=loud)

    # -- validation ------------------------------------------------------------------------------

    def validation_step(self, index: int, _: int) -> None:
        """Keep the outputs of one micro-batch."""
        rows = self._validation_rows()[int(index)]
        batch = self._batches([rows])[0]
        penalties = self.plan.config.monitor == "loss" and self.plan.objective.has_penalties
        self._outputs.append(widen(self.model(batch.inputs, penalties=penalties)))
        self._targets.append(batch.target)

    def on_validation_epoch_end(self) -> None:
        """Score the whole validation part at once.

        Raises:
            DivergedError: The network's outputs are not finite.
        """
        self._read_losses()
        output, target = concatenate(self._outputs), concatenate(self._targets)
        self._outputs.clear()
        self._targets.clear()
        if self.trainer.world_size > 1:
            counts = [sum(map(len, self._validation_rows(rank))) for rank in range(self._ranks)]
            output = gather_records(output, counts=counts, rank=self.global_rank)
            target = gather_records(target, counts=counts, rank=self.global_rank)
        check_outputs(output.parameters, f"after epoch {self.current_epoch}")
        with torch.autocast(self.device.type, enabled=False):
            objective = self.plan.objective
            whole = objective.total if self.plan.config.monitor == "loss" else objective.loss
            self.record.validation_loss = float(whole(output, target))
            if (monitor := self.plan.config.monitor) != "loss":
                value = validation_concordance(
                    self.model, output.parameters, target, self.plan.outcome, monitor=monitor
                )
                self.record.validation_concordance = value
                self.log("validation_concordance", value, prog_bar=True)
        self.log("validation_loss", self.record.validation_loss, prog_bar=True)

    # -- checkpoints -----------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the choice, which another amount of memory must not change on resume, and what was
        warned of.
        """
        checkpoint["health"] = self.health.state()
        if self.gradient is not None:
            checkpoint["gradient"] = [self.gradient.mode, self.gradient.reason]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the choice of the interrupted run."""
        self.gradient = GradientChoice(*checkpoint["gradient"])
        self.health.take(checkpoint["health"])

    # -- parts of a step -------------------------------------------------------------------------

    def _read_losses(self) -> None:
        """Read the losses of the epoch from the device, once; refuse those that are not finite."""
        if self._steps:
            self.record.losses.update(mean_losses(self._steps, self.current_epoch))
            self._steps.clear()

    @property
    def _ranks(self) -> int:
        return int(self.trainer.world_size)

    def _risk_sets(self) -> list[RiskSet]:
        if self._epoch_plan is None or self._epoch_plan[0] != self.current_epoch:
            self._epoch_plan = self.current_epoch, self.sampler.epoch(self.current_epoch)
        return self._epoch_plan[1]

    def _validation_rows(self, rank: int | None = None) -> list[tuple[int, ...]]:
        """Return the validation micro-batches of a rank."""
        share = max(1, len(self.plan.validation) // self._ranks)  # else a rank would have nobody
        size = min(self.plan.config.micro_batch, share)
        parts = list(micro_batches(self.plan.validation, size))
        return parts[self.global_rank if rank is None else rank :: self._ranks]

    def _batches(self, rows: Any, change: Corrupting | None = None) -> MicroBatches:
        dtype = next(self.model.parameters()).dtype
        return MicroBatches(self.plan.store, rows, device=self.device, dtype=dtype, change=change)

    def _corrupting(self) -> Corrupting | None:
        """Return what training subjects meet in this epoch."""
        if not self.plan.corruptions:
            return None
        return Corrupting(self.plan.corruptions, (*self.plan.seed, self.current_epoch))

    def _execution(self, counts: tuple[int, ...]) -> Execution:
        def gather(output: ModelOutput, target: SurvivalTarget) -> RiskSetUnion:
            return gather_risk_set(output, target, counts=counts, rank=self.global_rank)

        return Execution(
            autocast=self._autocast,
            backward=self._backward,
            no_sync=getattr(self.trainer.strategy.model, "no_sync", nullcontext),
            gather=gather if self._ranks > 1 else alone,
        )

    def _autocast(self) -> AbstractContextManager[object]:
        context: AbstractContextManager[object] = self.trainer.precision_plugin.forward_context()
        return context

    def _backward(self, loss: Tensor) -> None:
        if self._ranks > 1:  # a rank may lack a modality, but the others wait for its gradient
            for parameter in self.model.parameters():
                if parameter.requires_grad:
                    loss = loss + 0 * parameter.flatten()[:1].sum()
        self.manual_backward(loss)

    def _choose(self) -> GradientChoice:
        asked = self.plan.config.gradient
        if asked != "auto":
            return GradientChoice(asked, "the recipe says so")
        parts = max((part.ranks[self.global_rank] for part in self._risk_sets()), key=len)
        with torch.autocast(self.device.type, enabled=False):
            return choose_gradient(
                self.model,
                self._batches([max(parts, key=len)])[0],
                micro_batches=len(parts),
                penalties=self.plan.objective.has_penalties,
                execution=Execution(autocast=self._autocast),
            )


def _numbers(count: int) -> DataLoader[int]:
    """Return a loader of numbers with a generator of its own, so that it draws from no other."""
    numbers = cast(Dataset[int], range(count))
    return DataLoader(numbers, batch_size=None, generator=torch.Generator())
