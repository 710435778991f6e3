"""When a run is stopped early: what is known before it begins, so that nobody has to ask while it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stops:
    """After which epochs a run ends if its validation accuracy is lower than a threshold.

    Attributes:
        thresholds: The least accuracy that goes on, by the number of epochs that have run.
        of_best: Whether the best epoch so far is judged, or the last one.
    """

    thresholds: Mapping[int, float]
    of_best: bool = False

    def reason(self, accuracies: Sequence[float]) -> str:
        """Why a run of these epochs ends here; "" if it goes on."""
        least = self.thresholds.get(len(accuracies))
        judged = max(accuracies) if self.of_best else accuracies[-1]
        if least is None or judged >= least:
            return ""
        which = "best validation accuracy" if self.of_best else "validation accuracy"
        return f"{which} {judged:.4f} after epoch {len(accuracies)} is below {least:.4f}"
