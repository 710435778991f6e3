"""How long cells take, and so which would still end before a deadline."""

import time
from collections.abc import Iterable

from msanet_bench.cell import Job
from msanet_bench.journal import Attempt


class Pace:
    """What is known of the seconds that cells take: the slowest of each variant that went well.

    Args:
        deadline: Seconds since the epoch; None lets every cell be in time.
    """

    def __init__(self, attempts: Iterable[Attempt], deadline: float | None) -> None:
        self._seconds: dict[str, float] = {}
        self._expected: dict[str, float] = {}
        self._deadline = deadline
        for attempt in attempts:
            self.note(attempt)

    def note(self, attempt: Attempt) -> None:
        """Learn from an attempt."""
        name = attempt.record.variant
        if attempt.record.status == "ok":
            self._seconds[name] = max(attempt.seconds, self._seconds.get(name, 0.0))

    def expect(self, variant: str, seconds: float) -> None:
        """What counts until a cell of the variant has ended."""
        self._expected[variant] = seconds

    def seconds(self, job: Job) -> float:
        """What a cell may take; where nothing is known of its variant, as the slowest of the others."""
        known = {**self._expected, **self._seconds}
        return known.get(job.variant, max(known.values(), default=0.0))

    def is_in_time(self, job: Job) -> bool:
        """Whether a cell that begins now would end before the deadline."""
        return self._deadline is None or time.time() + self.seconds(job) <= self._deadline
