"""What is varied or tuned, as frozen values: a dotted path with its levels, or the range that they lie in."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from msanet_bench.strict import Seed, Spec


class Range(Spec):
    """Numbers from `low` to `high`, both included; whole ones where both are. `log`: by their ratio."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"`low` must be less than `high`, but got (low={self.low}, high={self.high}).")
        if self.log and self.low <= 0:
            raise ValueError(f"`log` needs a range above zero, but got (low={self.low}).")
        return self

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __contains__(self, value: object) -> bool:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high
        )


class Factor(Spec):
    """A dotted path that is varied, its levels as written, and the levels of other factors it needs.

    A search may draw from a range instead; there are no levels then.
    """

    levels: tuple[Any, ...] = ()
    when: Mapping[str, Any] = {}
    range: Range | None = Field(default=None, exclude_if=lambda value: value is None)

    @model_validator(mode="after")
    def _has_either(self) -> Self:
        if self.range is not None and self.levels:
            raise ValueError("must have levels or a range, not both.")
        if self.range is None and "levels" not in self.model_fields_set:
            raise ValueError("needs levels, or the ends of a range: `low` and `high`.")
        return self

    @property
    def probes(self) -> tuple[Any, ...]:
        """Its levels, or the two ends of its range."""
        return self.levels if self.range is None else (self.range.low, self.range.high)


class TuneSpec(Spec):
    """Equal tuning: every variant gets the best of the same candidates, by its validation images.

    Attributes:
        trials: Candidates of each variant; the first is what the file says anyway.
        paths: What is tuned, and within which range or among which levels.
        seed: Of the sequence that the other candidates are taken from.
    """

    trials: Annotated[int, Field(ge=2, le=1000)] = 8
    paths: Mapping[str, Factor] = {}
    seed: Seed = 0
