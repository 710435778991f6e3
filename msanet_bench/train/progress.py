"""How far a run is after an epoch: all that it needs to go on to the same bits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from torch import Generator, Tensor

from msanet_bench.train.seed import dropout_positions, restore_dropout
from msanet_bench.train.step import Stepper


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training images; numbered from 1.

    Attributes:
        train_loss: Mean over the images of the pass, each seen by the network of its moment.
        validation_accuracy: None without validation images, as is `validation_loss`.
        lr: The learning rate of the last step.
    """

    epoch: int
    train_loss: float
    validation_accuracy: float | None
    validation_loss: float | None
    lr: float

    def to_json(self) -> dict[str, float]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Epoch":
        """The epoch that `to_json` told of."""
        return cls(**{"validation_accuracy": None, "validation_loss": None, **values})


class Streams(NamedTuple):
    """The random numbers of a run that are drawn from generators of their own."""

    order: Generator
    augmentation: Generator


@dataclass(frozen=True, slots=True)
class Progress:
    """A run after its last epoch so far; where its schedule is, the curve says.

    Its tensors may be those that the next step changes: who keeps them copies them.

    Attributes:
        best: The weights of `chosen_epoch` where the best epoch is chosen; empty where the last one is.
        scaler: Of gradients in half precision; empty where there is none.
        positions: How far each stream of random numbers is. Those of split and init are drawn from the seed
            before the first step and never again.
    """

    curve: tuple[Epoch, ...]
    chosen_epoch: int
    model: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    optimiser: Mapping[str, Any]
    scaler: Mapping[str, Any]
    positions: Mapping[str, Tensor]


def taken(
    stepper: Stepper, streams: Streams, curve: Sequence[Epoch], best: Mapping[str, Tensor], chosen_epoch: int
) -> Progress:
    """The progress of a run, between two epochs."""
    return Progress(
        curve=tuple(curve),
        chosen_epoch=chosen_epoch,
        model=stepper.model.state_dict(),
        best=best,
        optimiser=stepper.optimiser.state_dict(),
        scaler=stepper.scaler.state_dict(),
        positions={
            "order": streams.order.get_state(),
            "augmentation": streams.augmentation.get_state(),
            **{f"dropout.{kind}": at for kind, at in dropout_positions(stepper.device).items()},
        },
    )


def restore(progress: Progress, stepper: Stepper, streams: Streams) -> None:
    """Put network, optimiser and streams back to where they were."""
    stepper.model.load_state_dict(progress.model)
    stepper.optimiser.load_state_dict(dict(progress.optimiser))
    stepper.scaler.load_state_dict(dict(progress.scaler))
    streams.order.set_state(progress.positions["order"])
    streams.augmentation.set_state(progress.positions["augmentation"])
    dropout = {
        name.removeprefix("dropout."): at
        for name, at in progress.positions.items()
        if name.startswith("dropout.")
    }
    restore_dropout(dropout, stepper.device)
