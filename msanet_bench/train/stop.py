"""When a run is stopped early: what is known before it begins, so that nobody has to ask while it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Validated(Protocol):
    """An epoch, as far as it is judged."""

    @property
    def validation_accuracy(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Stops:
    """After which epochs a run ends if its validation accuracy is lower than a threshold.

    Attributes:
        thresholds: The least accuracy that goes on, by the number of epochs that have run.
        of_best: Whether the best epoch so far is judged, or the last one.
    """

    thresholds: Mapping[int, float]
    of_best: bool = False

    def reason(self, epochs: Sequence[Validated]) -> str:
        """Why a run of these epochs ends here; "" if it goes on."""
        least = self.thresholds.get(len(epochs))
        accuracies = [epoch.validation_accuracy or 0.0 for epoch in epochs]
        judged = max(accuracies) if self.of_best else accuracies[-1]
        if least is None or judged >= least:
            return ""
        which = "best validation accuracy" if self.of_best else "validation accuracy"
        return f"{which} {judged:.4f} after epoch {len(epochs)} is below {least:.4f}"


def watching(stops: Stops) -> Callable[[Validated], bool]:
    """What `fit` is to ask after each epoch: whether it is the last one."""
    epochs: list[Validated] = []

    def is_last(epoch: Validated) -> bool:
        epochs.append(epoch)
        return bool(stops.reason(epochs))

    return is_last
