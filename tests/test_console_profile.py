"""How static costs look, from values made up for the purpose."""

from typing import Any

import pytest

from msanet_bench.console.profile import _size, show_profile

COSTS: dict[str, Any] = {
    "params": 1000,
    "params_by_part": {"stem": 1000},
    "macs": 2000,
    "flops": 4000,
    "macs_status": "exact",
    "macs_by_part": {"stem": 2000},
    "activations": 30,
    "train_batch": 16,
    "saved_bytes": 1536,
    "peak_est_bytes": {"inference_batch_1": 5000, "train_batch_16": 3 * 2**20},
    "peak_est_status": "estimated",
    "receptive_field": {
        "theoretical": {"height": 13, "width": 15},
        "theoretical_status": "exact",
        "whole_map_by": ["branches.context", "attention.core", "attention.gate"],
        "effective_side": 50**0.5,
        "effective_status": "measured",
    },
}
UNKNOWN: dict[str, Any] = {
    **COSTS,
    "saved_bytes": None,
    "peak_est_bytes": {"inference_batch_1": 5000, "train_batch_16": None},
    "peak_est_status": "training not estimated (RuntimeError: planted)",
    "receptive_field": {
        "theoretical": None,
        "theoretical_status": "not known (no rule for roll)",
        "whole_map_by": None,
        "effective_side": None,
        "effective_status": "not measured (the unit has no gradient)",
    },
}
MEASURED = {
    "peak_cuda_bytes": None,
    "peak_cuda_status": "not measured (no CUDA device)",
    "host_peak_rss_bytes": 300 * 2**20,
    "host_baseline_rss_bytes": 200 * 2**20,
}


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "-"),
        (0, "0"),
        (1023, "1023"),
        (1024, "1.00K"),
        (1536, "1.50K"),
        (10 * 1024, "10.0K"),
        (399_000, "390K"),
        (2**20 - 1, "1.00M"),
        (1023 * 2**20, "1023M"),
        (5 * 2**30, "5.00G"),
        (2**50, "1024T"),
    ],
)
def test_sizes_have_three_digits_and_a_unit(amount: int | None, text: str) -> None:
    assert _size(amount) == text


def test_memory_and_receptive_field_have_a_table_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    show_profile({"baseline": COSTS, "b": UNKNOWN}, parts=False)
    lines = [line.rstrip() for line in capsys.readouterr().out.partition("\n\n")[2].splitlines()]
    assert lines[:6] == [
        "variant   batch  saved  train  infer  can see  sees  whole map by",
        "baseline     16  1.50K  3.00M  4.88K    13x15   7.1  context, attention",
        "b            16      -      -  4.88K        -     -  -",
        "b memory: training not estimated (RuntimeError: planted)",
        "b receptive field: not known (no rule for roll)",
        "b effective receptive field: not measured (the unit has no gradient)",
    ]
    assert lines[6].startswith("saved, train, infer: estimated bytes.")
    assert max(map(len, lines)) < 80


def test_a_reason_that_holds_for_all_stands_once(capsys: pytest.CaptureFixture[str]) -> None:
    show_profile({"baseline": {**COSTS, **MEASURED}, "b": {**COSTS, **MEASURED}}, parts=False)
    measured = capsys.readouterr().out.split("\n\n")[2].splitlines()
    assert [line.rstrip() for line in measured[:4]] == [
        "variant   batch  CUDA train  CUDA infer  host  empty",
        "baseline     16           -           -  300M   200M",
        "b            16           -           -  300M   200M",
        "all: CUDA: not measured (no CUDA device)",
    ]


def test_estimates_alone_leave_the_table_of_measurements_out(capsys: pytest.CaptureFixture[str]) -> None:
    show_profile({"baseline": COSTS}, parts=False)
    assert "CUDA" not in capsys.readouterr().out
