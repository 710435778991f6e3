"""The latency table: a pure function of the samples. Loads no torch."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from msanet_bench.measure.samples import Sample, write_samples
from msanet_bench.records import replace_text
from msanet_bench.streams import derive_seed

NO_CUDA = "not measured (no CUDA device)"
# The smallest n of which a 90th percentile can be told with 95 % confidence and one sample to spare: at most
# one of 46 exceeds it with a chance below 5 % (the rule of MLPerf's early stopping).
P90_SAMPLES = 46

_POLISHES = 6
_RESAMPLES = 1000
_LEVEL = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """One variant under one condition; the numbers are None where nothing was measured.

    Attributes:
        p90_s: None also for fewer samples than a 90th percentile needs.
        ratio_to_anchor: Of the times without the speed of their round; 1 for the anchor.
        ratio_low: With `ratio_high` the 95 % interval of the ratio, from resampling the rounds.
    """

    variant: str
    device: str
    batch: int
    precision: str
    mode: str
    cache: str
    threads: int | None
    n: int
    p50_s: float | None
    p90_s: float | None
    ratio_to_anchor: float | None
    ratio_low: float | None
    ratio_high: float | None
    anchor: str
    status: str


class _Condition(NamedTuple):
    device: str
    batch: int
    precision: str
    mode: str
    cache: str
    threads: int


def summarise(samples: Sequence[Sample], anchor: str) -> list[LatencyRow]:
    """One row a variant and condition, variants in the order of their warm-up, CUDA after the CPU.

    A session takes the CUDA device if there is one, so samples without CUDA mean that there was none.
    """
    names = list(dict.fromkeys(sample.variant for sample in samples))
    visits: dict[_Condition, dict[tuple[int, str], float]] = defaultdict(dict)
    for sample in samples:
        if sample.phase == "measure":
            visits[_condition(sample)][sample.round, sample.variant] = sample.seconds
    rows = [row for condition in sorted(visits) for row in _rows(visits[condition], names, condition, anchor)]
    if all(condition.device != "cuda" for condition in visits):
        rows += [_unmeasured(row) for row in rows]
    return rows


def write_latency(
    folder: Path, samples: Sequence[Sample], anchor: str, *, session: str = ""
) -> list[LatencyRow]:
    """Write the table as `latency.csv`, then the samples it is made of, which name the session."""
    rows = summarise(samples, anchor)
    # the samples last: a session counts as taken once they name it
    replace_text(folder / "latency.csv", to_csv(rows))
    write_samples(folder / "samples.parquet", samples, session=session)
    return rows


def to_csv(rows: Iterable[LatencyRow]) -> str:
    """The table as text; six digits are more than any clock here gives."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(LatencyRow)])
    for row in rows:
        writer.writerow([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in astuple(row)])
    return text.getvalue()


def _condition(sample: Sample) -> _Condition:
    return _Condition(
        sample.device, sample.batch, sample.precision, sample.mode, sample.cache, sample.threads
    )


def _rows(
    visits: Mapping[tuple[int, str], float], names: Sequence[str], condition: _Condition, anchor: str
) -> Iterator[LatencyRow]:
    rounds = sorted({number for number, _ in visits})
    seconds_RV = np.array([[visits[number, name] for name in names] for number in rounds])
    ratios = ratios_to(np.log(seconds_RV), names.index(anchor))
    for column, (name, (ratio, low, high)) in enumerate(zip(names, ratios, strict=True)):
        p50, p90 = np.percentile(seconds_RV[:, column], [50, 90]).tolist()
        yield LatencyRow(
            name,
            *condition,
            n=len(rounds),
            p50_s=p50,
            p90_s=p90 if len(rounds) >= P90_SAMPLES else None,
            ratio_to_anchor=ratio,
            ratio_low=low,
            ratio_high=high,
            anchor=anchor,
            status="ok",
        )


def ratios_to(log_seconds_RV: NDArray[np.float64], anchor: int) -> list[tuple[float, float, float]]:
    """The ratio of each variant to the anchor with its 95 % interval, from R rounds of V variants.

    The interval resamples whole rounds: samples that follow one another resemble one another, so resampling
    those of one variant gives intervals that hold the truth in a third of the cases.
    """
    level_RV = without_rounds(log_seconds_RV)
    rounds = len(level_RV)
    draws_BR = np.random.default_rng(derive_seed("latency bootstrap")).integers(
        rounds, size=(_RESAMPLES, rounds)
    )
    anchor_B = np.median(level_RV[draws_BR, anchor], axis=1)
    centre_V = np.median(level_RV, axis=0)
    ratios = []
    for column, centre in enumerate(centre_V):
        spread_B = np.median(level_RV[draws_BR, column], axis=1) - anchor_B
        low, high = np.percentile(spread_B, _LEVEL)
        ratios.append((_exp(centre - centre_V[anchor]), _exp(low), _exp(high)))
    return ratios


def without_rounds(log_seconds_RV: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log times without the speed of their round, by median polish (Tukey 1977, chapter 11)."""
    residual_RV = log_seconds_RV.copy()
    variant_V = np.zeros(residual_RV.shape[1])
    for _ in range(_POLISHES):
        residual_RV -= np.median(residual_RV, axis=1, keepdims=True)
        shift_V = np.median(residual_RV, axis=0)
        residual_RV -= shift_V
        variant_V += shift_V
    return residual_RV + variant_V


def _exp(log_ratio: float) -> float:
    return float(np.exp(log_ratio))


def _unmeasured(row: LatencyRow) -> LatencyRow:
    return LatencyRow(
        row.variant,
        "cuda",
        row.batch,
        row.precision,
        row.mode,
        row.cache,
        threads=None,
        n=0,
        p50_s=None,
        p90_s=None,
        ratio_to_anchor=None,
        ratio_low=None,
        ratio_high=None,
        anchor=row.anchor,
        status=NO_CUDA,
    )
