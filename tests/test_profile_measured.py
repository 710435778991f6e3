"""Measured memory: what is measured once, and how it is said; the measurements have tests of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from torch import nn

from experiments import write_experiment
from msanet_bench.checks import check_plan, load_experiment
from msanet_bench.measure.memory.cuda import MeasuredPeaks, Peak
from msanet_bench.profile import measured
from msanet_bench.profile.measured import MeasuredMemory, measure_memory, with_memory

HOST = {"host_peak_rss_bytes": 300, "host_baseline_rss_bytes": 200}


def memory(peaks: MeasuredPeaks) -> MeasuredMemory:
    return MeasuredMemory(16, peaks, host_peak_rss=300, host_baseline_rss=200)


def test_peaks_say_their_batch() -> None:
    peaks = MeasuredPeaks(Peak(1, 2, 3), Peak(4, 5, 6))
    assert memory(peaks).to_json() == {
        "peak_cuda_bytes": {
            "inference_batch_1": {"base": 1, "allocated": 2, "reserved": 3},
            "train_batch_16": {"base": 4, "allocated": 5, "reserved": 6},
        },
        "peak_cuda_status": "measured",
        **HOST,
    }


def test_without_a_device_there_is_null_and_the_reason() -> None:
    said = memory(MeasuredPeaks(None, None, "not measured (no CUDA device)")).to_json()
    assert said == {
        "peak_cuda_bytes": None,
        "peak_cuda_status": "not measured (no CUDA device)",
        **HOST,
    }


def test_what_is_measured_stands_beside_what_is_counted() -> None:
    content = {"schema": 1, "variants": {"baseline": {"params": 7}}}
    both = with_memory(content, {"baseline": memory(MeasuredPeaks(None, None, "no"))})
    assert both["schema"] == 1
    assert both["variants"]["baseline"] == {
        "params": 7,
        "peak_cuda_bytes": None,
        "peak_cuda_status": "no",
        **HOST,
    }
    assert content["variants"]["baseline"] == {"params": 7}


def test_a_network_is_measured_once_and_the_baseline_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write_experiment(tmp_path).read_text(encoding="utf-8")
    text = text.replace(
        "  attention: [self_attention, none, se]", "  train.lr: [1e-2, 1e-3]\n  width: [0.125, 0.25]"
    )
    plan = check_plan(load_experiment(write_experiment(tmp_path, text)), tmp_path)
    assert len(plan.variants) == 3
    asked: list[str] = []

    def peak(make: Callable[[], nn.Module], image: tuple[int, ...]) -> int:
        asked.append("peak")
        assert image == (1, 8, 8)
        return 300 + len(list(make().parameters()))

    def baseline(_: Callable[[], nn.Module]) -> int:
        asked.append("baseline")
        return 200

    monkeypatch.setattr(measured, "host_peak_rss", peak)
    monkeypatch.setattr(measured, "host_baseline_rss", baseline)
    monkeypatch.setattr(measured, "cuda_allocator", lambda: None)
    found = measure_memory(plan)
    assert asked == ["baseline", "peak", "peak"]
    assert list(found) == [variant.name for variant in plan.variants]
    assert {costs.host_baseline_rss for costs in found.values()} == {200}
    assert {costs.cuda.status for costs in found.values()} == {"not measured (no CUDA device)"}
