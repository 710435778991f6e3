import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, kendalltau, ttest_ind

from msanet_bench.measure.device import DeviceName
from msanet_bench.measure.latency import interleaved_session
from msanet_bench.measure.latency_table import (
    NO_CUDA,
    P90_SAMPLES,
    LatencyRow,
    ratios_to,
    summarise,
    to_csv,
    without_rounds,
    write_latency,
)
from msanet_bench.measure.samples import Sample, read_samples

DATA = Path(__file__).parent / "data"
TRACES = [np.load(DATA / f"latency_noise_trace_{number}.npy")[:, 1] for number in (1, 2)]
VARIANTS = [f"v{number:02}" for number in range(12)]


class ReplayDevice:
    """A machine as slow at each moment as a real one was; a call says how long it would take."""

    name: DeviceName = "cpu"
    threads = 1

    def __init__(self, trace: NDArray[np.float64], start: int) -> None:
        self.slowness = np.roll(trace, -start) / np.median(trace)
        self.calls = 0

    def now_ns(self) -> int:
        return self.calls

    def time_call(self, call: Callable[[], object]) -> float:
        seconds = call() * self.slowness[self.calls % len(self.slowness)]
        self.calls += 1
        return float(seconds)


def planted(step: float, seed: int) -> dict[str, float]:
    """Twelve variants, each slower than the next by `step`, in an order that their names do not tell."""
    ranks = np.random.default_rng(seed).permutation(len(VARIANTS))
    return {name: 2e-3 * step ** int(rank) for name, rank in zip(VARIANTS, ranks, strict=True)}


def calls(seconds: dict[str, float]) -> dict[str, Callable[[], float]]:
    return {name: lambda value=value: value for name, value in seconds.items()}


def interleaved(seconds: dict[str, float], device: ReplayDevice, seed: int) -> list[LatencyRow]:
    samples = interleaved_session(calls(seconds), device, rounds=40, seed=seed)
    return [row for row in summarise(samples, VARIANTS[0]) if row.status == "ok"]


def sequential(seconds: dict[str, float], device: ReplayDevice) -> list[float]:
    """The usual way: ten calls to warm up, the mean of forty, then the next network."""
    means = []
    for call in calls(seconds).values():
        times = [device.time_call(call) for _ in range(50)]
        means.append(float(np.mean(times[10:])))
    return means


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("step", [1.01, 1.02])
def test_interleaved_rounds_rank_better_than_one_after_the_other(
    trace: NDArray[np.float64], step: float
) -> None:
    taus = []
    for seed in range(5):
        seconds = planted(step, seed)
        start = seed * len(trace) // 5
        rows = interleaved(seconds, ReplayDevice(trace, start), seed)
        means = sequential(seconds, ReplayDevice(trace, start))
        truth = list(seconds.values())
        ratios = [row.ratio_to_anchor for row in rows]
        taus.append((kendalltau(truth, ratios).statistic, kendalltau(truth, means).statistic))
    ours, theirs = np.mean(taus, axis=0)
    assert ours > theirs + 0.25
    assert ours > 0.5


@pytest.mark.parametrize("trace", TRACES)
def test_twins_are_rarely_told_apart(trace: NDArray[np.float64]) -> None:
    told_apart, pairs = 0, 0
    for seed in range(10):
        rows = interleaved(
            dict.fromkeys(VARIANTS[:4], 2e-3), ReplayDevice(trace, seed * len(trace) // 10), seed
        )
        told_apart += sum(not row.ratio_low <= 1 <= row.ratio_high for row in rows[1:])
        pairs += len(rows) - 1
    assert pairs == 30
    assert told_apart <= 4  # 5 % of 30 are 1.5; more than 4 come by chance in 1 of 60 cases


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("samples", [40, 200])
def test_twins_timed_one_after_the_other_are_often_told_apart(
    trace: NDArray[np.float64], samples: int
) -> None:
    # Welch's t on log times, at 5 %: it can fail, does, and more samples do not mend it.
    told_apart = 0
    for seed in range(10):
        device = ReplayDevice(trace, seed * len(trace) // 10)
        logs = np.log([[device.time_call(lambda: 2e-3) for _ in range(samples)] for _ in range(4)])
        told_apart += int(sum(ttest_ind(logs[0], twin, equal_var=False).pvalue < 0.05 for twin in logs[1:]))
    assert told_apart >= 8  # of 30


def test_the_interval_mostly_holds_the_planted_ratio() -> None:
    held, pairs = 0, 0
    for seed in range(8):
        seconds = planted(1.02, seed)
        rows = interleaved(seconds, ReplayDevice(TRACES[1], seed * len(TRACES[1]) // 8), seed)
        for row in rows[1:]:
            truth = seconds[row.variant] / seconds[VARIANTS[0]]
            held += row.ratio_low <= truth <= row.ratio_high
            pairs += 1
    assert held / pairs > 0.85


def test_the_speed_of_a_round_is_taken_out_exactly_when_there_is_no_other_noise() -> None:
    rounds_R, variants_V = np.array([0.0, 3.0, -1.0, 0.5]), np.array([0.0, 0.1, 0.3])
    level_RV = without_rounds(rounds_R[:, None] + variants_V)
    assert np.ptp(level_RV, axis=0) == pytest.approx(0)
    assert level_RV[0] - level_RV[0, 0] == pytest.approx(variants_V)
    for (ratio, low, high), log_ratio in zip(
        ratios_to(rounds_R[:, None] + variants_V, 0), variants_V, strict=True
    ):
        assert (ratio, low, high) == pytest.approx([np.exp(log_ratio)] * 3)


def test_one_wild_call_changes_no_ratio() -> None:
    rng = np.random.default_rng(0)
    calm_RV = np.log([1.0, 1.1, 1.3]) + rng.normal(0, 1e-3, size=(30, 1))
    wild_RV = calm_RV.copy()
    wild_RV[7, 1] += 5.0
    for (calm, *_), (wild, *_) in zip(ratios_to(calm_RV, 0), ratios_to(wild_RV, 0), strict=True):
        assert wild == pytest.approx(calm, rel=1e-6)


def sample(variant: str, number: int, seconds: float) -> Sample:
    return Sample(variant, "cpu", 1, "fp32", "eager", "warm", 1, "measure", number, 0, 0, seconds)


def two_variants(rounds: int) -> list[Sample]:
    """The time of round k is k + 1 s for the anchor and half as much again for the other."""
    return [
        sample(name, number, (number + 1) * factor)
        for number in range(rounds)
        for name, factor in (("baseline", 1.0), ("slow", 1.5))
    ]


def test_the_table_of_nine_rounds_is_what_comes_out_by_hand() -> None:
    warm = replace(sample("baseline", 0, 99.0), phase="warmup")
    rows = summarise([warm, *two_variants(9)], "baseline")
    assert [(row.variant, row.device, row.n, row.p50_s) for row in rows] == [
        ("baseline", "cpu", 9, 5.0),
        ("slow", "cpu", 9, 7.5),
        ("baseline", "cuda", 0, None),
        ("slow", "cuda", 0, None),
    ]
    assert [row.ratio_to_anchor for row in rows[:2]] == pytest.approx([1.0, 1.5])
    assert rows[0].ratio_low == rows[0].ratio_high == 1.0
    assert {row.anchor for row in rows} == {"baseline"}


def test_a_90th_percentile_needs_46_samples() -> None:
    few, enough = (
        summarise(two_variants(rounds), "baseline")[0] for rounds in (P90_SAMPLES - 1, P90_SAMPLES)
    )
    assert few.p90_s is None
    assert enough.p90_s == pytest.approx(1 + 0.9 * 45)
    # The rule itself: with one sample allowed above it, 46 is the smallest n that is safe at 95 %.
    assert binom.cdf(1, P90_SAMPLES, 0.1) <= 0.05 < binom.cdf(1, P90_SAMPLES - 1, 0.1)


def test_a_number_measured_on_the_cpu_never_stands_in_a_cuda_row() -> None:
    cpu, cuda = summarise(two_variants(5), "baseline")[1:3]
    assert cpu.status == "ok"
    assert cuda == LatencyRow(
        "baseline", "cuda", 1, "fp32", "eager", "warm", None, 0, *[None] * 5, "baseline", NO_CUDA
    )


def test_with_a_cuda_device_both_are_measured_and_compared_with_their_own_anchor() -> None:
    on_cuda = [replace(s, device="cuda", seconds=s.seconds / 10) for s in two_variants(5)]
    rows = summarise([*on_cuda, *two_variants(5)], "baseline")
    assert [(row.device, row.status) for row in rows] == [("cpu", "ok")] * 2 + [("cuda", "ok")] * 2
    assert [row.ratio_to_anchor for row in rows] == pytest.approx([1.0, 1.5] * 2)


def test_batches_do_not_mix() -> None:
    large = [replace(s, batch=32, seconds=s.seconds * 7) for s in two_variants(5)]
    rows = summarise([*two_variants(5), *large], "baseline")
    assert [(row.batch, row.p50_s) for row in rows[:4]] == [(1, 3.0), (1, 4.5), (32, 21.0), (32, 31.5)]


def test_the_table_is_a_pure_function_of_the_samples(tmp_path: Path) -> None:
    rows = write_latency(tmp_path, two_variants(50), "baseline")
    written = (tmp_path / "latency.csv").read_text(encoding="utf-8")
    assert to_csv(summarise(read_samples(tmp_path / "samples.parquet"), "baseline")) == written
    assert to_csv(rows) == written


def test_the_csv_reads_as_this() -> None:
    text = to_csv(summarise(two_variants(3), "baseline"))
    assert text.splitlines()[0] == (
        "variant,device,batch,precision,mode,cache,threads,n,p50_s,p90_s,"
        "ratio_to_anchor,ratio_low,ratio_high,anchor,status"
    )
    rows = list(csv.DictReader(io.StringIO(text)))
    assert text.splitlines()[1] == "baseline,cpu,1,fp32,eager,warm,1,3,2,,1,1,1,baseline,ok"
    assert rows[3]["status"] == "not measured (no CUDA device)"
    assert rows[3]["p50_s"] == ""


def test_a_session_of_no_rounds_gives_an_empty_table(tmp_path: Path) -> None:
    assert write_latency(tmp_path, [], "baseline") == []
    assert (tmp_path / "latency.csv").read_text(encoding="utf-8").count("\n") == 1
