import sys

import pytest

from fake_nvml import UUID, FakeNvml, NVMLError_NotSupported, slice_of_a_device, violation
from msanet_bench.measure.nvml import NO_GPU, open_gpu
from msanet_bench.measure.throttle import (
    REASONS,
    SLOWING,
    Throttled,
    read_throttled,
    reason_words,
    slowdowns,
    throttled_between,
)


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0x04, ("power cap",)),
        (0x08, ("hardware slowdown",)),
        (0x20, ("thermal slowdown by software",)),
        (0x40, ("thermal slowdown by hardware",)),
        (0x80, ("power brake",)),
        (0x200, ("board limit",)),
        (0x48, ("hardware slowdown", "thermal slowdown by hardware")),
    ],
)
def test_what_slows_a_device_down_is_told_in_words(bits: int, words: tuple[str, ...]) -> None:
    assert slowdowns(bits) == words


@pytest.mark.parametrize("bits", [0x0, 0x1, 0x2, 0x10, 0x100, 0x400, 0x513])
def test_idleness_chosen_clocks_and_the_top_of_the_boost_slow_nothing_down(bits: int) -> None:
    assert slowdowns(bits) == ()


def test_an_idle_device_with_a_power_cap_is_capped_and_all_its_reasons_can_be_read() -> None:
    assert slowdowns(0x5) == ("power cap",)
    assert reason_words(0x5) == ("idle", "power cap")


def test_unknown_is_not_no_reason() -> None:
    assert slowdowns(None) is None


def test_a_reason_of_the_future_is_shown_as_a_number_and_not_taken_for_a_slowdown() -> None:
    assert reason_words(0x1804) == ("power cap", "unknown 0x1800")
    assert slowdowns(0x1800) == ()


def test_every_reason_is_one_bit_and_only_known_ones_slow_down() -> None:
    assert [bit.bit_count() for bit in REASONS] == [1] * len(REASONS)
    assert SLOWING & ~sum(REASONS) == 0


def test_the_counters_of_a_block_are_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        sys.modules,
        "pynvml",
        FakeNvml(
            nvmlDeviceGetViolationStatus={0: violation(7_500), 1: violation(40), 3: NVMLError_NotSupported()}
        ),
    )
    after = read_throttled(open_gpu(UUID))
    assert after == Throttled(power_ns=7_500, thermal_ns=40, board_limit_ns=None)
    before = Throttled(power_ns=7_000, thermal_ns=40, board_limit_ns=11)
    assert throttled_between(before, after) == Throttled(power_ns=500, thermal_ns=0, board_limit_ns=None)
    assert throttled_between(after, before).board_limit_ns is None


def test_a_slice_and_no_device_have_no_counters_rather_than_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", slice_of_a_device())
    assert read_throttled(open_gpu(UUID)) == Throttled(None, None, None)
    assert read_throttled(NO_GPU) == Throttled(None, None, None)
