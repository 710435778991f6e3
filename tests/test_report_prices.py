"""What accuracy costs: a price by hand, and none where the cost may be 0."""

from pathlib import Path

import pytest

from planted_results import full, planted, write_latencies, write_profiles, write_results
from report_text import report, section, tables

DESIGN = full({"branches.a": ["on", "off"], "attention": ["eca", "none"]})


def priced(folder: Path, half: float) -> list[list[str]]:
    """Attention costs 0.1 ms of 1, known to half a width; branch a costs 0.4 ms, and 4 million MACs."""
    outcome = planted(DESIGN, lambda v: 20 * (v["branches.a"] == "on") + 10 * (v["attention"] == "eca"))
    write_results(folder, DESIGN, outcome)
    base, plain_, without, bare = DESIGN.names
    write_latencies(
        folder,
        {
            base: (1.0, 1.0, 1.0),
            plain_: (0.9, 0.9 - half, 0.9 + half),
            without: (0.6, 0.59, 0.61),
            bare: (0.5, 0.5 - half, 0.5 + half),
        },
    )
    macs = {base: 9_000_000, plain_: 9_000_000, without: 5_000_000, bare: 5_000_000}
    write_profiles(folder, {n: {"params": 10, "macs": m, "bytes": 2**20} for n, m in macs.items()})
    return tables(section(report(folder), "Effects"))[1]


def test_a_price_is_accuracy_for_cost(tmp_path: Path) -> None:
    """2 pp for 4 million MACs and for 0.4 ms; 1 pp for 0.1 ms and no MACs at all."""
    branch, attention = priced(tmp_path, 0.01)
    assert branch[3:7] == ["+2.00", "0", "+4,000,000", "0.00"]
    assert branch[7].startswith("+0.400 [+0.3")
    assert branch[8:] == ["+0.50", "+5.00"]
    assert attention[3:7] == ["+1.00", "0", "0", "0.00"]
    assert attention[8:] == ["-", "+10.00"]


def test_a_latency_that_may_be_0_has_no_price(tmp_path: Path) -> None:
    """Two halves of 0.15 ms weigh 1/2 each: 0.1 ms are known to 0.106."""
    branch, attention = priced(tmp_path, 0.15)
    assert attention[7] == "+0.100 [-0.006, +0.206]"
    assert attention[8:] == ["-", "-"]
    assert branch[9] == "+5.00"


def test_without_latencies_there_is_no_column_of_them(tmp_path: Path) -> None:
    text = report(write_results(tmp_path, DESIGN, planted(DESIGN, lambda _: 0)))
    header = next(line for line in section(text, "Effects").splitlines() if "training peak" in line)
    assert "per ms" not in header
    assert ", ms" not in header
    assert "pp per million MACs" in header


def test_large_networks_are_priced_by_the_billion(tmp_path: Path) -> None:
    """2 pp for half a billion MACs."""
    write_results(tmp_path, DESIGN, planted(DESIGN, lambda v: 20 * (v["branches.a"] == "on")))
    macs = dict(zip(DESIGN.names, (10**9, 10**9, 5 * 10**8, 5 * 10**8), strict=True))
    write_profiles(tmp_path, {n: {"params": 10, "macs": m, "bytes": None} for n, m in macs.items()})
    text = section(report(tmp_path), "Effects")
    assert "pp per GMAC" in text
    branch, _ = tables(text)[1]
    assert branch[4:] == ["0", "+500,000,000", "-", "+4.00"]


@pytest.mark.parametrize(("level", "macs", "said"), [("eca", 1_080_000, "more"), ("se", -1_080_000, "fewer")])
def test_what_does_not_matter_says_whether_it_costs_or_saves(
    level: str, macs: int, said: str, tmp_path: Path
) -> None:
    design = full({"attention": ["none", level]})
    write_results(tmp_path, design, planted(design, lambda _: 0))
    base, other = design.names
    counts = {base: 5_000_000, other: 5_000_000 + macs}
    write_profiles(tmp_path, {n: {"params": 10, "macs": m, "bytes": None} for n, m in counts.items()})
    assert f"for 1.08 million {said} MACs" in section(report(tmp_path), "Conclusion")
