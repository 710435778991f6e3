"""How fast cells end, and how long those that are missing will take."""

from collections import deque
from collections.abc import Iterable

# of several rounds of all slots, so that slow and fast variants are among them, but none of last week
_RECENT_CELLS = 40


class Pace:
    """The times of the attempts that ended last."""

    def __init__(self) -> None:
        self._spans: deque[tuple[float, float]] = deque(maxlen=_RECENT_CELLS)

    def note(self, started: float, seconds: float) -> None:
        """Learn of an attempt that ended."""
        self._spans.append((started, started + seconds))

    def cells_per_second(self) -> float | None:
        """Cells over the time in which any of them ran: nights between two sweeps do not count."""
        busy = _covered(self._spans)
        return len(self._spans) / busy if busy > 0 else None

    def seconds_left(self, missing: int, running_since: Iterable[float], now: float) -> float | None:
        """What the missing cells take at this pace, less the part that is done of those that run."""
        rate = self.cells_per_second()
        if rate is None:
            return None
        mean = sum(end - start for start, end in self._spans) / len(self._spans)
        begun = sum(min(1.0, max(0.0, now - since) / mean) for since in running_since)
        return max(0.0, missing - begun) / rate


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length of the union of spans."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered
