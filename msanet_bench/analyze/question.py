"""What is asked of a table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """Which column answers, which columns were varied, and what matters.

    Attributes:
        factors: The columns that were varied; None for those that look like it.
        block: The column whose rows belong together, such as the seed; None if there is none.
        delta: The smallest difference that matters, in the response's own unit; None without verdicts.
        order: Up to how many factors interact.
        alpha: The chance of a false claim in a family; intervals are at 1 - alpha.
    """

    response: str = "accuracy"
    factors: tuple[str, ...] | None = None
    block: str | None = None
    delta: float | None = None
    lower_is_better: bool = False
    order: int = 2
    alpha: float = 0.05

    @property
    def repetition(self) -> str:
        """What one more of would make the table more precise, in the plural."""
        return f"{self.block}s" if self.block else "replicates"
