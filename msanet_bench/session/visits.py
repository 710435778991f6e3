"""The visits of a session that count, as arrays. Loads no torch."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from msanet_bench.analysis.latency import Level, Ratio, Visits, levels_of, ratio
from msanet_bench.measure.samples import Condition, Contender, Sample

Key = TypeVar("Key", bound=Hashable)


class Standing(NamedTuple):
    """A contender's level and its times as they were, one a visit."""

    level: Level
    seconds: NDArray[np.float64]


def by_condition(samples: Iterable[Sample]) -> dict[Condition, list[Sample]]:
    """The samples of each condition, the CPU before CUDA."""
    found: dict[Condition, list[Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.condition].append(sample)
    return dict(sorted(found.items(), key=lambda item: item[0].device))


def standings(samples: Iterable[Sample]) -> dict[Contender, Standing]:
    """Where each contender of one condition stands; the datum of a visit is the median of its windows."""
    windows: dict[tuple[Contender, int, int, int], list[float]] = defaultdict(list)
    for sample in samples:
        if sample.counts:
            visit = sample.visit
            windows[sample.contender, visit.super_round, visit.block, visit.round].append(sample.seconds)
    if not windows:
        return {}
    seconds = np.array([float(np.median(values)) for values in windows.values()])
    number = _numbered(key[0] for key in windows)
    cell = _numbered(key[1:] for key in windows)
    visits = Visits(
        contender=np.array([number[key[0]] for key in windows]),
        super_round=np.array([key[1] for key in windows]),
        cell=np.array([cell[key[1:]] for key in windows]),
        log_seconds=np.log(seconds),
    )
    return {
        contender: Standing(level, seconds[visits.contender == place])
        for (contender, place), level in zip(number.items(), levels_of(visits), strict=True)
    }


def anchor_of(contenders: Iterable[Contender]) -> Contender:
    """Whom all others are compared with."""
    return next(contender for contender in contenders if contender.role == "anchor")


def twin_ratios(standing: Mapping[Contender, Standing]) -> dict[Contender, Ratio]:
    """Each twin against the same network under its own name."""
    originals = {_network(contender): contender for contender in standing if contender.role != "twin"}
    return {
        twin: ratio(standing[twin].level, standing[originals[_network(twin)]].level)
        for twin in standing
        if twin.role == "twin" and _network(twin) in originals
    }


def _network(contender: Contender) -> tuple[str, str, str, str]:
    return contender.side, contender.variant, contender.mode, contender.memory_format


def _numbered(keys: Iterable[Key]) -> dict[Key, int]:
    """Equal keys by one number, in the order in which they come."""
    return {key: place for place, key in enumerate(dict.fromkeys(keys))}
