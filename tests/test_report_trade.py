"""Accuracy against cost, as points."""

import math
from pathlib import Path

import pytest

from msanet_bench.report.external import Reference
from msanet_bench.report.findings import find
from msanet_bench.report.inputs import read_inputs
from msanet_bench.report.sections.trade import latency_trade, macs_trade
from planted_results import PARTS, planted, worth_of_parts, write_latencies, write_profiles, write_results

MACS = {name: 1_000_000 * (n + 1) for n, name in enumerate(PARTS.names)}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_results(tmp_path, PARTS, planted(PARTS, worth_of_parts))
    write_profiles(tmp_path, {n: {"params": 1, "macs": m, "bytes": 1} for n, m in MACS.items()})
    write_latencies(tmp_path, {n: (1 + i, 0.9 + i, 1.1 + i) for i, n in enumerate(PARTS.names)})
    return tmp_path


def test_a_point_is_a_mean_in_percent_against_millions_of_macs(results: Path) -> None:
    found = find(read_inputs(results))
    scatter = macs_trade(found)
    assert scatter is not None
    points = {point.name: point for point in scatter.points}
    assert list(points) == PARTS.names
    assert [point.x.estimate for point in scatter.points] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert points["branches.a=off"].y.estimate == pytest.approx(83.0)
    assert math.isnan(points["branches.a=off"].x.low)
    assert [p.name for p in scatter.points if p.kind == "baseline"] == ["baseline"]


def test_a_point_knows_how_often_it_is_on_the_front(results: Path) -> None:
    """The cheapest is the most accurate too, so nothing else stands there, but for chance."""
    found = find(read_inputs(results))
    scatter = macs_trade(found)
    assert scatter is not None
    assert found.standing is not None
    assert {p.name: p.front for p in scatter.points} == found.standing.on_front["macs"]
    assert scatter.points[0].front == 1
    assert scatter.points[-1].front == 0


def test_latencies_have_the_interval_of_their_ratio(results: Path) -> None:
    scatter = latency_trade(find(read_inputs(results)), "cpu")
    assert scatter is not None
    assert scatter.points[2].x == pytest.approx((3, 2.9, 3.1))
    assert "relative to baseline (1.00 ms)" in scatter.x_axis
    assert latency_trade(find(read_inputs(results)), "cuda") is None


def test_rows_from_elsewhere_are_points_without_a_front(results: Path) -> None:
    known = Reference("ResNet", 0.94, 1, 5_000_000, None, "a paper")
    unknown = Reference("No count", 0.94, 1, None, None, "a paper")
    scatter = macs_trade(find(read_inputs(results), (known, unknown)))
    assert scatter is not None
    (reference,) = [p for p in scatter.points if p.kind == "reference"]
    assert (reference.label, reference.x.estimate, reference.front) == ("ResNet", 5, None)
    assert reference.y.estimate == pytest.approx(94)


def test_without_costs_there_is_no_figure(tmp_path: Path) -> None:
    found = find(read_inputs(write_results(tmp_path, PARTS, planted(PARTS, worth_of_parts))))
    assert macs_trade(found) is None
    assert latency_trade(found, "cpu") is None


def test_without_a_second_seed_no_front_is_told(results: Path) -> None:
    outcome = planted(PARTS, worth_of_parts)
    write_results(results, PARTS, lambda levels, seed: None if seed else outcome(levels, seed))
    scatter = macs_trade(find(read_inputs(results)))
    assert scatter is not None
    assert {point.front for point in scatter.points} == {None}
