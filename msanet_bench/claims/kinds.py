"""The statistics: in which unit each is, and which keys of a claim it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from msanet_bench.claims.spec import Statistic

Unit: TypeAlias = Literal["count", "pixels", "share", "number", "ratio", "points"]
Home: TypeAlias = Literal["live", "rows", "latency"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One statistic.

    Attributes:
        home: What it is computed from: live networks, rows of records, or timed calls.
        needs: The keys that must be given beside those of every claim.
        takes: Those that may be.
    """

    home: Home
    unit: Unit
    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()


def _live(unit: Unit, *takes: str) -> Kind:
    return Kind("live", unit, ("network",), ("variant", *takes))


def _two(unit: Unit, *takes: str) -> Kind:
    return Kind("live", unit, ("network", "against"), ("variant", *takes))


KINDS: Mapping[Statistic, Kind] = {
    "params": _live("count"),
    "params_difference": _two("count"),
    "params_ratio": _two("ratio"),
    "macs": _live("count"),
    "macs_difference": _two("count"),
    "macs_ratio": _two("ratio"),
    "receptive_field": _live("pixels", "behind"),
    "receptive_field_difference": _two("pixels", "behind"),
    "reach": _live("share", "behind"),
    "reach_difference": _two("share", "behind"),
    "attention_at_start": _live("number"),
    "accuracy_difference": Kind("rows", "points", ("results", "variant", "against")),
    "main_effect": Kind("rows", "points", ("results", "factors")),
    "interaction": Kind("rows", "points", ("results", "factors")),
    "latency_ratio": Kind("latency", "ratio", ("results", "variant"), ("against", "device", "batch", "mode")),
}

# the keys of a claim that only some statistics take
SPECIAL = frozenset(key for kind in KINDS.values() for key in (*kind.needs, *kind.takes))
