"""Sums: when the last of many cells ends, and how long a latency session goes on."""

import heapq
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msanet_bench.session.rules import ROUNDS_PER_SUPER_ROUND, Rules
from msanet_bench.spec import MeasureSpec

# the least that a contender is warmed for, and by how many calls in each further super-round
_WARM_SECONDS, _RETURN_CALLS = 0.2, 3


class CellCost(NamedTuple):
    """Seconds of a cell whose data are there; of preparing those of a seed; of loading all of them."""

    seconds: float
    prepare: float = 0.0
    load: float = 0.0
    dataset: Hashable = None
    seed: int = 0


def makespan(cells: Iterable[CellCost], slots: int) -> float:
    """When the last cell ends, each being handed to the slot that is free first."""
    free = [(0.0, slot) for slot in range(slots)]
    holds: dict[int, tuple[Hashable, int]] = {}
    last = 0.0
    for cell in cells:
        now, slot = heapq.heappop(free)
        dataset, seed = holds.get(slot, (None, 0))
        if slot not in holds or dataset != cell.dataset:
            now += cell.load
        elif seed != cell.seed:
            now += cell.prepare
        holds[slot] = cell.dataset, cell.seed
        last = max(last, now + cell.seconds)
        heapq.heappush(free, (now + cell.seconds, slot))
    return last


def session_seconds(calls: Sequence[Mapping[int, float]], spec: MeasureSpec, rules: Rules) -> float:
    """A latency session of one device, from a call of each network by its batch, in plan order.

    As if nobody were done before the last round; compiling is left out.
    """
    conditions = len(set(spec.latency_precisions)) * len(set(spec.latency_caches))
    of_each_batch = ([call[batch] for call in calls] for batch in set(spec.latency_batches))
    most = spec.latency_seconds or math.inf
    return conditions * sum(min(most, _condition_seconds(each, spec, rules)) for each in of_each_batch)


def _condition_seconds(calls: Sequence[float], spec: MeasureSpec, rules: Rules) -> float:
    """The anchor has its turn in each block; it and the last network have twins."""
    windows = [max(seconds, rules.shortest_window) for seconds in calls]
    others = [*windows * len(set(spec.latency_modes)), windows[-1]]
    blocks = math.ceil(len(others) / rules.block)
    turns = sum(others) + blocks * windows[0]
    visit = rules.discards + rules.windows + rules.stream_calls
    returns = _RETURN_CALLS * math.ceil(spec.latency_rounds / ROUNDS_PER_SUPER_ROUND)
    warm = sum(min(rules.warm_seconds, max(_WARM_SECONDS, 20 * seconds)) for seconds in [windows[0], *others])
    return warm + turns * (spec.latency_rounds * visit + returns)
