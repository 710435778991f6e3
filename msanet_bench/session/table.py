"""The table of latencies: a pure function of a session's samples. Loads no torch."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from msanet_bench.analysis.latency import percentile, rank_intervals, ratio
from msanet_bench.measure.samples import NO_CUDA, Condition, Contender, Sample, Session
from msanet_bench.session.rules import FINAL_CONFIDENCE, INTERIM_CONFIDENCE, LOOKS
from msanet_bench.session.visits import Standing, anchor_of, by_condition, standings

NOT_MEASURED = "not measured (the anchor could not be)"
OK, CI_NOT_MET = "ok", "ci_not_met"


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """One contender under one condition; what was not measured, or needs more samples, is None.

    Attributes:
        n: Visits that count.
        latency_s: The ratio times the anchor's median: where the machine drifted, all latencies drift alike.
        p10_s: With `p50_s` and `p90_s` of the visits as they were; each only of as many as it needs.
        ratio_to_anchor: Of the times without the speed of their moment; 1 for the anchor.
        ratio_low: With `ratio_high` the 95 % interval of the ratio, over super-rounds; of who was done at
            a look the 99 % interval, since narrow intervals are the ones that end there.
        rank_low: With `rank_high` the ranks that the contender may have, 1 the fastest; a twin has none.
        images_per_s: Without waiting between calls.
        status: `ok`; `ci_not_met` where the interval is wider than asked for; or why there is no number.
    """

    side: str
    variant: str
    role: str
    device: str
    batch: int
    precision: str
    mode: str
    cache: str
    memory_format: str
    threads: int | None = None
    clock: str = ""
    n: int = 0
    latency_s: float | None = None
    p10_s: float | None = None
    p50_s: float | None = None
    p90_s: float | None = None
    ratio_to_anchor: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    images_per_s: float | None = None
    anchor: str = ""
    status: str = ""


def summarise(session: Session) -> list[LatencyRow]:
    """One row a contender and condition, in the order of the session; CUDA after the CPU.

    A session takes the CUDA device if there is one, so without samples or refusals of one there was none.
    """
    missing = {(row.contender, row.condition): row.status for row in session.unmeasured}
    conditions = [*by_condition(session.samples), *(condition for _, condition in missing)]
    rows = [row for condition in dict.fromkeys(conditions) for row in _rows(session, condition, missing)]
    if all(row.device != "cuda" for row in rows):
        rows += [_without_cuda(row) for row in rows if row.role != "twin"]
    return rows


def _rows(
    session: Session, condition: Condition, missing: Mapping[tuple[Contender, Condition], str]
) -> Iterator[LatencyRow]:
    samples = by_condition(session.samples).get(condition, [])
    standing = standings(samples)
    taken = _by_contender(samples)
    ranks = _ranks(standing)
    for contender in session.contenders:
        key = _key(contender, condition)
        if contender in standing and (contender, condition) not in missing:
            half_width = session.half_width[condition.device]
            row = _row(contender, condition, standing, taken[contender], half_width, session.rounds)
            low, high = ranks.get(contender, (None, None))
            yield replace(row, rank_low=low, rank_high=high)
        else:
            yield LatencyRow(**key, status=missing.get((contender, condition), NOT_MEASURED))


def _row(
    contender: Contender,
    condition: Condition,
    standing: Mapping[Contender, Standing],
    taken: Sequence[Sample],
    half_width: float,
    rounds: int,
) -> LatencyRow:
    level, seconds = standing[contender]
    anchor = anchor_of(standing)
    was_done_early = len(seconds) in LOOKS and len(seconds) < rounds
    confidence = INTERIM_CONFIDENCE if was_done_early else FINAL_CONFIDENCE
    relative = ratio(level, standing[anchor].level, confidence)
    latency_s = relative.estimate * float(np.median(standing[anchor].seconds))
    return LatencyRow(
        **_key(contender, condition),
        threads=condition.threads,
        clock=taken[-1].clock,
        n=len(seconds),
        latency_s=latency_s,
        p10_s=percentile(seconds, 10),
        p50_s=percentile(seconds, 50),
        p90_s=percentile(seconds, 90),
        ratio_to_anchor=relative.estimate,
        ratio_low=_known(relative.low),
        ratio_high=_known(relative.high),
        images_per_s=condition.batch / _seconds_in_a_row(taken, latency_s),
        anchor=anchor.variant,
        status=OK if contender == anchor or relative.half_width <= half_width else CI_NOT_MET,
    )


def _by_contender(samples: Iterable[Sample]) -> dict[Contender, list[Sample]]:
    found: dict[Contender, list[Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.contender].append(sample)
    return found


def _ranks(standing: Mapping[Contender, Standing]) -> dict[Contender, tuple[int, int]]:
    ranked = [contender for contender in standing if contender.role != "twin"]
    intervals = rank_intervals([standing[contender].level for contender in ranked])
    return dict(zip(ranked, intervals, strict=True))


def _seconds_in_a_row(samples: Iterable[Sample], latency_s: float) -> float:
    """A call among others without waiting; where a call ends before the next begins, its latency."""
    streams = [s.seconds for s in samples if s.visit.phase == "stream" and not s.rejected]
    return float(np.median(streams)) if streams else latency_s


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _key(contender: Contender, condition: Condition) -> dict[str, Any]:
    shared = {name: value for name, value in asdict(condition).items() if name != "threads"}
    return {**asdict(contender), **shared}


def _without_cuda(row: LatencyRow) -> LatencyRow:
    key = {name: getattr(row, name) for name in _KEY}
    return LatencyRow(**{**key, "device": "cuda"}, anchor=row.anchor, status=NO_CUDA)


_KEY = tuple(
    field.name for kind in (Contender, Condition) for field in fields(kind) if field.name != "threads"
)
