"""The loop of a session: super-rounds, blocks and rounds, until everybody is known well enough.

Timing one network after the other confuses the networks with the machine's moods: on a contended machine the
ranks of two such passes had almost nothing in common (Kendall's tau 0.04 to 0.25). Here everybody is called
in every round, so that what slows the machine down slows all of them and can be taken out.
"""

import gc
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from msanet_bench.analysis.latency import ratio
from msanet_bench.measure.samples import Condition, Contender, Sample
from msanet_bench.session.recorder import Entrant, Outcome, Recorder
from msanet_bench.session.rules import INTERIM_CONFIDENCE, LOOKS, Rules, Schedule, partition
from msanet_bench.session.visits import standings
from msanet_bench.streams import derive_seed


class Progress(NamedTuple):
    """How far the session of one condition is."""

    condition: Condition
    rounds: int
    most_rounds: int
    contenders: int
    still_measured: int


def run_session(
    entrants: Sequence[Entrant],
    condition: Condition,
    rules: Rules,
    schedule: Schedule,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Generator[Progress, None, Outcome]:
    """Time all entrants; the first is the anchor, which is in every block."""
    recorder = Recorder(entrants, condition, rules, pause)
    source = np.random.default_rng(derive_seed(schedule.seed, "latency order"))
    anchor, *active = (entrant.contender for entrant in entrants)
    began, rounds = clock(), 0
    with _no_garbage_collection():
        for super_round, size in enumerate(schedule.super_rounds()):
            gc.collect()  # graphs and compiled code refer to themselves
            for block in partition(active, rules.block, source):
                if anchor not in recorder.refused:
                    recorder.take_block(anchor, block, super_round, size, source)
            active = [contender for contender in active if contender not in recorder.refused]
            rounds += size
            if rounds in LOOKS:
                active = _imprecise(recorder.samples, anchor, active, rules.half_width)
            yield Progress(condition, rounds, schedule.rounds, len(entrants), len(active))
            if not active or anchor in recorder.refused:
                break
            if schedule.seconds is not None and clock() - began >= schedule.seconds:
                break
    return recorder.outcome()


def _imprecise(
    samples: Sequence[Sample], anchor: Contender, active: Sequence[Contender], half_width: float
) -> list[Contender]:
    """Who has to be visited further: by a wider interval than the final one, for there are several looks."""
    standing = standings(samples)
    to = standing[anchor].level
    return [
        contender
        for contender in active
        if ratio(standing[contender].level, to, INTERIM_CONFIDENCE).half_width > half_width
    ]


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Collect before, and not meanwhile."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
