"""Who is best, who is tied, and who stands on a front: against other tests and another generator."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from msanet_bench.report.findings import Findings, find
from msanet_bench.report.inputs import read_inputs
from msanet_bench.report.standing import Standing
from planted_results import (
    Levels,
    Outcome,
    full,
    nested_bits,
    planted,
    write_latencies,
    write_profiles,
    write_results,
)

DESIGN = full({"branches.a": ["on", "off"], "attention": ["se", "eca", "none"]})
GAINS = dict(zip(DESIGN.names, (10, 12, 5, 10, 8, 0), strict=True))
MACS = dict(zip(DESIGN.names, (60, 55, 50, 40, 35, 35), strict=True))
OUTCOME = planted(DESIGN, lambda levels: GAINS[DESIGN.name(levels)], wave=2)
DRAWS = 40_000


def standing_of(folder: Path, outcome: Outcome = OUTCOME) -> tuple[Findings, Standing]:
    write_results(folder, DESIGN, outcome)
    write_profiles(folder, {n: {"params": 1, "macs": macs, "bytes": 1} for n, macs in MACS.items()})
    found = find(read_inputs(folder))
    assert found.standing is not None
    return found, found.standing


def table(outcome: Outcome) -> np.ndarray:
    return np.array([[outcome(levels, seed).mean() for seed in DESIGN.seeds] for levels in DESIGN.variants])


def two_way(y: np.ndarray) -> tuple[np.ndarray, float, int]:
    """Means, error variance and degrees of freedom of a complete table."""
    rest = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    df = (y.shape[0] - 1) * (y.shape[1] - 1)
    return y.mean(axis=1), float((rest**2).sum() / df), df


def test_tied_are_all_whose_difference_to_the_top_holm_does_not_show(tmp_path: Path) -> None:
    _, standing = standing_of(tmp_path)
    means, square, df = two_way(table(OUTCOME))
    top = int(means.argmax())
    others = [n for n in range(len(means)) if n != top]
    p = [2 * stats.t.sf((means[top] - means[n]) / np.sqrt(2 * square / 5), df) for n in others]
    behind = {DESIGN.names[n] for n, is_behind in zip(others, multipletests(p)[0], strict=True) if is_behind}
    assert standing.top == DESIGN.names[top]
    assert set(standing.tied) == set(DESIGN.names) - behind
    assert 1 < len(standing.tied) < len(DESIGN.names)


def test_the_top_is_tied_with_itself_and_alone_where_it_is_far_ahead(tmp_path: Path) -> None:
    def far(levels: Levels) -> int:
        return 100 if DESIGN.name(levels) == "attention=none" else GAINS[DESIGN.name(levels)]

    _, standing = standing_of(tmp_path, planted(DESIGN, far))
    assert (standing.top, standing.tied) == ("attention=none", ("attention=none",))
    assert standing.best == {name: float(name == "attention=none") for name in DESIGN.names}


def simulated(state: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each is best and on the front of MACs: t draws of each mean, and every pair compared."""
    source = np.random.Generator(np.random.MT19937(state))
    means, square, df = two_way(table(OUTCOME))
    error = np.sqrt(square / 5 * df / source.chisquare(df, (DRAWS, 1)))
    drawn = means + source.standard_normal((DRAWS, len(means))) * error
    best = np.bincount(drawn.argmax(axis=1), minlength=len(means)) / DRAWS
    return best, on_front(drawn, np.tile([MACS[n] for n in DESIGN.names], (DRAWS, 1)))


def on_front(means: np.ndarray, costs: np.ndarray) -> np.ndarray:
    better = (means[:, None, :] >= means[:, :, None]) & (costs[:, None, :] <= costs[:, :, None])
    strictly = (means[:, None, :] > means[:, :, None]) | (costs[:, None, :] < costs[:, :, None])
    return np.asarray((~(better & strictly).any(axis=2)).mean(axis=0))


def test_shares_of_draws_are_those_of_another_simulation(tmp_path: Path) -> None:
    """Two samples of 10,000 and 40,000 differ by less than 0.03, four standard errors and the rounding."""
    _, standing = standing_of(tmp_path)
    best, front = simulated(1)
    assert list(standing.best.values()) == pytest.approx(best, abs=0.03)
    assert list(standing.on_front["macs"].values()) == pytest.approx(front, abs=0.03)
    assert min(front[front > 0.05]) > 0.05
    assert max(best) < 0.95


def test_latencies_are_drawn_from_their_intervals(tmp_path: Path) -> None:
    """The second is the better one, and not surely the slower one."""
    ratios = {name: (1.0 + n, 0.95 + n, 1.05 + n) for n, name in enumerate(DESIGN.names)}
    ratios[DESIGN.names[0]] = (1.0, 1.0, 1.0)
    ratios[DESIGN.names[1]] = (1.05, 0.95, 1.15)
    write_results(tmp_path, DESIGN, OUTCOME)
    write_latencies(tmp_path, ratios)
    found = find(read_inputs(tmp_path)).standing
    assert found is not None
    means, square, df = two_way(table(OUTCOME))
    source = np.random.Generator(np.random.MT19937(2))
    error = np.sqrt(square / 5 * df / source.chisquare(df, (DRAWS, 1)))
    drawn = means + source.standard_normal((DRAWS, 6)) * error
    bars = np.array(list(ratios.values()))
    half = (bars[:, 2] - bars[:, 1]) / 2 / stats.norm.ppf(0.975)
    costs = bars[:, 0] + source.standard_normal((DRAWS, 6)) * half
    assert found.on_front.keys() == {"cpu"}
    assert list(found.on_front["cpu"].values()) == pytest.approx(on_front(drawn, costs), abs=0.03)


def test_shares_have_two_decimals_and_those_of_being_best_add_up_to_1(tmp_path: Path) -> None:
    _, standing = standing_of(tmp_path)
    for shares in (standing.best, *standing.on_front.values()):
        assert all(round(share, 2) == share for share in shares.values())
    assert sum(standing.best.values()) == pytest.approx(1, abs=0.03)
    assert standing.draws == 10_000


def test_equal_results_stand_equally(tmp_path: Path) -> None:
    _, first = standing_of(tmp_path / "a")
    _, second = standing_of(tmp_path / "b")
    assert first == second


def test_variants_without_a_count_stand_on_no_front_of_it(tmp_path: Path) -> None:
    known: dict[str, int | None] = {**MACS, "baseline": None}
    write_results(tmp_path, DESIGN, OUTCOME)
    write_profiles(tmp_path, {n: {"params": 1, "macs": macs, "bytes": 1} for n, macs in known.items()})
    found = find(read_inputs(tmp_path)).standing
    assert found is not None
    assert set(found.on_front["macs"]) == set(DESIGN.names) - {"baseline"}
    assert "baseline" in found.best


def test_without_costs_there_is_no_front(tmp_path: Path) -> None:
    found = find(read_inputs(write_results(tmp_path, DESIGN, OUTCOME))).standing
    assert found is not None
    assert found.on_front == {}


def test_one_seed_says_nothing_of_who_is_best(tmp_path: Path) -> None:
    design = replace(DESIGN, seeds=(0,))
    write_results(tmp_path, design, lambda v, _: nested_bits(800 + GAINS[design.name(v)]))
    assert find(read_inputs(tmp_path)).standing is None


def test_looks_make_it_harder_to_fall_behind(tmp_path: Path) -> None:
    """The tied set is a family with the same divided alpha."""
    write_results(tmp_path / "once", DESIGN, OUTCOME)
    write_results(tmp_path / "often", DESIGN, OUTCOME, looks=[[0, 1, 2, 3, 4]] * 10**6)
    once, often = (find(read_inputs(tmp_path / name)).standing for name in ("once", "often"))
    assert once is not None
    assert often is not None
    assert set(once.tied) < set(often.tied)
