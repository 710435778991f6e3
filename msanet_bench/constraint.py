"""A limit that a variant must keep to be trained at all, as a frozen value and as text."""

from typing import Literal

from msanet_bench.strict import Spec
from msanet_bench.units import parse_count, parse_latency

_COUNTED = ("params", "macs", "memory")


class Constraint(Spec):
    """A limit; of a latency in seconds, or as a ratio to the baseline's."""

    measure: Literal["params", "macs", "memory", "latency", "latency_ratio"]
    relation: Literal["<=", ">="]
    limit: int | float

    @classmethod
    def parse(cls, text: str) -> "Constraint":
        """`params <= 2M`, `latency <= 2 ms` or `latency <= 0.8x`.

        Raises:
            ValueError: the text is no such comparison.
        """
        measure, relation, limit = [*text.split(maxsplit=2), "", "", ""][:3]
        is_count = measure in _COUNTED and len(limit.split()) == 1
        if relation not in {"<=", ">="} or not (is_count or (measure == "latency" and limit)):
            law = "must read like `params <= 2M`, `macs >= 100k` or `latency <= 2 ms`"
            raise ValueError(f"{law}, but got {text!r}.")
        if is_count:
            return cls.model_validate({"measure": measure, "relation": relation, "limit": parse_count(limit)})
        value, unit = parse_latency(limit)
        measure = "latency_ratio" if unit == "x" else "latency"
        return cls.model_validate({"measure": measure, "relation": relation, "limit": value})

    @property
    def is_timed(self) -> bool:
        """Whether a network must have run before it is known to keep the limit."""
        return self.measure in {"latency", "latency_ratio"}

    @property
    def allows_the_baseline(self) -> bool:
        """Whether a limit relative to the baseline holds for itself; it need not."""
        return self.measure != "latency_ratio" or self.allows(1)

    @property
    def name(self) -> str:
        """What is limited, whatever its unit."""
        return self.measure.removesuffix("_ratio")

    def allows(self, value: float) -> bool:
        return value <= self.limit if self.relation == "<=" else value >= self.limit

    def excess(self, value: float) -> float:
        """By how much a value breaks the limit; zero or less where it keeps it."""
        return value - self.limit if self.relation == "<=" else self.limit - value

    def shown(self, value: float, digits: int = 4) -> str:
        """A value with the unit of the limit."""
        match self.measure:
            case "latency":
                return f"{1000 * value:.{digits}g} ms"
            case "latency_ratio":
                return f"{value:.{digits}g}x"
            case _:
                return str(value)

    def __str__(self) -> str:
        return f"{self.name} {self.relation} {self.shown(self.limit, 10)}"
