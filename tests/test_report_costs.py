"""What a contrast costs: exact counts, and latencies whose intervals are worked out by hand."""

import math
from pathlib import Path

import pytest

from msanet_bench.report.costs import CostChange, Costs, change, read_costs
from msanet_bench.report.document import Bar
from msanet_bench.report.inputs import read_inputs
from planted_results import full, planted, write_latencies, write_profiles, write_results

DESIGN = full({"branches.a": ["on", "off"], "attention": ["eca", "none"]})
BASE, PLAIN, WITHOUT, BARE = DESIGN.names
COUNTS = {
    BASE: {"params": 9_007_199_254_740_993, "macs": 301, "bytes": 5000},
    PLAIN: {"params": 9_007_199_254_740_990, "macs": 200, "bytes": 4000},
    WITHOUT: {"params": 700, "macs": None, "bytes": 3000},
    BARE: {"params": 600, "macs": 90, "bytes": None},
}
# ratios to the baseline, of 2 ms
RATIOS = {BASE: (1.0, 1.0, 1.0), PLAIN: (0.8, 0.77, 0.83), WITHOUT: (0.5, 0.48, 0.52)}


@pytest.fixture
def costs(tmp_path: Path) -> Costs:
    write_results(tmp_path, DESIGN, planted(DESIGN, lambda _: 0))
    write_profiles(tmp_path, COUNTS)
    write_latencies(tmp_path, RATIOS, seconds=0.002)
    return read_costs(read_inputs(tmp_path))


def known(change: CostChange | None) -> CostChange:
    assert change is not None
    return change


def test_counts_of_two_networks_differ_exactly(costs: Costs) -> None:
    found = known(change(costs, {PLAIN: 1.0, BARE: -1.0}))
    assert (found.macs, found.memory) == (110, None)
    assert known(change(costs, {WITHOUT: 1.0, BARE: -1.0})).params == 100
    assert known(change(costs, {BASE: 1.0, PLAIN: -1.0})).memory == 1000


def test_a_count_that_one_network_lacks_is_none_for_all_that_take_it(costs: Costs) -> None:
    found = known(change(costs, {BASE: 0.5, PLAIN: 0.5, WITHOUT: -0.5, BARE: -0.5}))
    assert found.macs is None
    assert found.memory is None
    assert found.params is not None


def test_a_network_without_a_profile_leaves_no_count(costs: Costs) -> None:
    found = known(change(costs, {BASE: 1.0, "elsewhere": -1.0}))
    assert (found.params, found.macs, found.memory, found.latency) == (None, None, None, {})


def test_a_network_that_weighs_nothing_may_lack_everything(costs: Costs) -> None:
    found = known(change(costs, {BASE: 1.0, PLAIN: -1.0, "elsewhere": 0.0}))
    assert found.macs == 101
    assert found.latency.keys() == {"cpu"}


def test_no_contrast_costs_nothing_that_is_known(costs: Costs) -> None:
    assert change(costs, None) is None


def test_a_change_of_nothing_is_0_and_not_minus_0(costs: Costs) -> None:
    found = known(change(costs, {BASE: -1.0, PLAIN: 1.0, "x": 0.0} | {BASE: 0.0, PLAIN: 0.0}))
    assert math.copysign(1, found.params or 0.0) == 1


def test_equal_counts_cancel_also_where_weights_are_rounded(tmp_path: Path) -> None:
    """0.1 + 0.2 is not 0.3, and a single operation more is still seen."""
    write_results(tmp_path, DESIGN, planted(DESIGN, lambda _: 0))
    equal = {name: {"params": 7, "macs": 3_759_556, "bytes": 8} for name in DESIGN.names}
    write_profiles(tmp_path, equal | {BARE: {"params": 7, "macs": 3_759_557, "bytes": 8}})
    costs = read_costs(read_inputs(tmp_path))
    weights = {BASE: 0.1 + 0.2, PLAIN: -0.3}
    assert sum(weight * 3_759_556 for weight in weights.values()) != 0
    assert known(change(costs, weights)).macs == 0
    assert known(change(costs, {BARE: 0.1 + 0.2, PLAIN: -0.3})).macs == pytest.approx(0.3)


def test_a_difference_to_the_anchor_has_the_interval_of_the_ratio(costs: Costs) -> None:
    """0.8 x 2 ms less 2 ms; the ratio is known to 0.03, which is 0.06 ms."""
    found = known(change(costs, {PLAIN: 1.0, BASE: -1.0})).latency["cpu"]
    assert found == pytest.approx((-0.4e-3, -0.46e-3, -0.34e-3))


def test_errors_of_two_networks_add_up_as_independent_ones(costs: Costs) -> None:
    """Half-widths of 0.06 and 0.04 ms: together the root of 0.0036 + 0.0016."""
    found = known(change(costs, {PLAIN: 1.0, WITHOUT: -1.0})).latency["cpu"]
    half = math.sqrt(0.06**2 + 0.04**2) * 1e-3
    assert found == pytest.approx((0.6e-3, 0.6e-3 - half, 0.6e-3 + half))


def test_weights_weigh_estimates_and_errors(costs: Costs) -> None:
    found = known(change(costs, {BASE: 1.0, PLAIN: -0.25, WITHOUT: -0.75})).latency["cpu"]
    estimate = 2 - 0.25 * 1.6 - 0.75 * 1.0
    half = math.sqrt((0.25 * 0.06) ** 2 + (0.75 * 0.04) ** 2)
    assert found == pytest.approx((estimate * 1e-3, (estimate - half) * 1e-3, (estimate + half) * 1e-3))


def test_a_latency_that_was_not_taken_leaves_that_device_out(costs: Costs) -> None:
    assert known(change(costs, {BASE: 1.0, BARE: -1.0})).latency == {}


def test_the_anchor_is_the_unit_and_has_no_interval_of_its_own(costs: Costs) -> None:
    assert costs.latency["cpu"][BASE] == Bar(0.002, 0.002, 0.002)
    assert costs.latency["cpu"][PLAIN] == pytest.approx((1.6e-3, 1.54e-3, 1.66e-3))
    assert "cuda" not in costs.latency


def test_a_latency_without_an_interval_gives_none(costs: Costs) -> None:
    open_ended = Costs(costs.profiles, {"cpu": {**costs.latency["cpu"], BARE: Bar(1e-3, math.nan, math.nan)}})
    found = known(change(open_ended, {BASE: 1.0, BARE: -1.0})).latency["cpu"]
    assert found.estimate == pytest.approx(1e-3)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_without_profiles_and_latencies_nothing_is_known(tmp_path: Path) -> None:
    write_results(tmp_path / "bare", DESIGN, planted(DESIGN, lambda _: 0))
    bare = read_costs(read_inputs(tmp_path / "bare"))
    assert (bare.profiles, bare.latency) == ({}, {})
    found = known(change(bare, {BASE: 1.0, PLAIN: -1.0}))
    assert found == CostChange(None, None, None, {})
