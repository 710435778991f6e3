"""What the sections say of planted results: verdicts, scopes, what is missing, and prices."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from msanet_bench.report.build import build_report, report_files
from msanet_bench.report.findings import Findings, find
from msanet_bench.report.inputs import read_inputs
from planted_results import (
    NESTED,
    PARTS,
    Design,
    Levels,
    Outcome,
    full,
    nested_bits,
    planted,
    scattered_bits,
    worth_of_dilation,
    worth_of_parts,
    write_results,
)
from report_text import plain, report, rows, section, tables


def bullets(text: str) -> list[str]:
    return [line[2:] for line in section(text, "Conclusion").splitlines() if line.startswith("- ")]


def told(folder: Path, design: Design, outcome: Outcome, **manifest: object) -> str:
    return report(write_results(folder, design, outcome, **manifest))


def cells_of(text: str, title: str, table: int = 0) -> Mapping[str, list[str]]:
    return {plain(row[0]): row[1:] for row in tables(section(text, title))[table]}


def test_the_verdicts_of_the_planted_parts_and_their_scope(tmp_path: Path) -> None:
    said = bullets(told(tmp_path, PARTS, planted(PARTS, worth_of_parts)))
    assert said[0] == "8 variants x 5 seeds = 40 cells: 40 ok."
    assert re.fullmatch(
        r"\*\*HELPS\*\* by more than 0\.5 pp, on new data: "
        r"`branches\.a` `on` instead of `off` \+3\.00 pp \[\+2\.\d\d, \+3\.\d\d\]; "
        r"`branches\.b` `on` instead of `off` \+2\.00 pp \[\+1\.\d\d, \+2\.\d\d\]\.",
        said[2],
    )
    assert said[3].startswith("**NO MATERIAL EFFECT**, less than 0.5 pp if any, on new data: `attention` ")
    overlap = "`branches.a` and `branches.b` overlap (interaction -1.00 pp, on new data). What overlaps"
    assert overlap in said[4]
    assert said[5].startswith("Highest mean: `baseline`; 1 other cannot be told from it.")
    assert len(said) <= 8


def test_verdicts_of_the_table_are_those_of_the_conclusion(tmp_path: Path) -> None:
    text = told(tmp_path, PARTS, planted(PARTS, worth_of_parts))
    found = cells_of(text, "Effects")
    assert [row[-1] for row in found.values()] == [
        "HELPS on new data",
        "HELPS on new data",
        "NO MATERIAL EFFECT on new data",
    ]


def test_noise_leaves_everything_unresolved_and_asks_for_seeds(tmp_path: Path) -> None:
    said = bullets(told(tmp_path, PARTS, planted(PARTS, lambda _: 0, wave=12)))
    (unresolved,) = [line for line in said if "UNRESOLVED" in line]
    assert unresolved.startswith("**UNRESOLVED**, neither an effect nor its absence is shown: ")
    assert len(re.findall(r"\(\+\d+ seeds\)", unresolved)) == 3
    assert not any("HELPS" in line or "NO MATERIAL" in line for line in said)


def lucky(levels: Levels, seed: int) -> object:
    """Every seed agrees that 12 more of 200 are right, but which ones turn is luck."""
    is_on = levels["attention"] == "eca"
    return scattered_bits(160 if is_on else 148, (int(is_on),), 200) ^ scattered_bits(0, (seed,), 200)


def test_what_other_images_may_undo_is_said_of_this_test_set_alone(tmp_path: Path) -> None:
    design = full({"attention": ["eca", "none"], "stem": ["small", "large"]})

    def outcome(levels: Levels, seed: int) -> object:
        bits = lucky(levels, seed)
        bits[seed + design.variants.index(levels)] ^= True
        return bits

    text = told(tmp_path, design, outcome)
    (helps,) = [line for line in bullets(text) if "HELPS" in line]
    assert ", on this test set: `attention` `eca` instead of `none` +" in helps
    found = cells_of(text, "Effects")["attention"]
    assert found[-1] == "HELPS on this test set"
    assert found[-4].startswith("[-")  # on new data, 0 is inside


def test_harm_is_called_harm(tmp_path: Path) -> None:
    said = bullets(told(tmp_path, PARTS, planted(PARTS, lambda levels: -worth_of_parts(levels))))
    assert any(line.startswith("**HURTS** by more than 0.5 pp, on new data: `branches.a`") for line in said)


def test_what_reinforces_does_not_overlap(tmp_path: Path) -> None:
    def together(levels: Levels) -> int:
        return 40 if levels["branches.a"] == levels["branches.b"] == "on" else 0

    said = bullets(told(tmp_path, PARTS, planted(PARTS, together)))
    (line,) = [line for line in said if line.startswith("Not additive")]
    assert "`branches.a` and `branches.b` reinforce each other (interaction +2.00 pp, on new data)" in line
    assert "overlap" not in line


def test_what_adds_up_has_no_such_line(tmp_path: Path) -> None:
    def added(levels: Levels) -> int:
        return 40 * (levels["branches.a"] == "on") + 30 * (levels["branches.b"] == "on")

    assert not any("additive" in line for line in bullets(told(tmp_path, PARTS, planted(PARTS, added))))


def test_a_trend_is_called_by_its_range(tmp_path: Path) -> None:
    said = bullets(told(tmp_path, NESTED, planted(NESTED, worth_of_dilation)))
    assert any("linear trend of `branches.d.dilation` from 1 to 3 +1.40 pp" in line for line in said)


def test_looks_are_told_where_there_were_several(tmp_path: Path) -> None:
    outcome = planted(PARTS, worth_of_parts)
    once = told(tmp_path / "once", PARTS, outcome)
    twice = told(tmp_path / "twice", PARTS, outcome, looks=[[0, 1, 2], [0, 1, 2, 3, 4]])
    assert "looked at 2 times while seeds were added, so each family has 0.05/2 at every look." in twice
    assert "2 looks at the results (3 seeds, then 5 seeds)" in section(twice, "Threats to validity")
    assert "look" not in section(once, "Conclusion")


def test_cells_without_a_result_are_shown_and_never_averaged(tmp_path: Path) -> None:
    """Failed, pruned, diverged and missing: the mean of the second variant is that of its other three."""
    outcome = planted(PARTS, worth_of_parts)
    lost = {(1, 0): "failed", (1, 3): "pruned", (2, 1): "diverged", (4, 4): None, (7, 2): "oom"}

    def thinner(levels: Levels, seed: int) -> object:
        cell = (PARTS.variants.index(levels), seed)
        return lost[cell] if cell in lost else outcome(levels, seed)

    text = told(tmp_path, PARTS, thinner)
    assert bullets(text)[0] == (
        "8 variants x 5 seeds = 40 cells: 35 ok, 1 diverged, 1 failed, 1 missing, 1 oom, 1 pruned."
    )
    listed = [(plain(row[0]), int(row[1]), row[2]) for row in rows(section(text, "Failures"))]
    assert listed == [(PARTS.names[v], seed, status or "missing") for (v, seed), status in lost.items()]
    table = {plain(row[1]): row for row in rows(section(text, "Variants"))}
    for number, name in enumerate(PARTS.names):
        seeds = [s for s in PARTS.seeds if (number, s) not in lost]
        mean = sum(outcome(PARTS.variants[number], s).mean() for s in seeds) / len(seeds)
        assert float(table[name][2].split()[0]) == pytest.approx(100 * mean, abs=0.00501)
        assert table[name][4] == f"{len(seeds)}/5"
        assert (f"(n={len(seeds)})" in table[name][2]) == (len(seeds) < 5)


def test_pairs_that_are_missing_are_said(tmp_path: Path) -> None:
    outcome = planted(PARTS, worth_of_parts)
    lost = PARTS.variants[2]
    text = told(tmp_path, PARTS, lambda v, s: "failed" if v == lost else outcome(v, s))
    effects = section(text, "Effects")
    assert effects.count("3 of 4 planned pairs, since the others have no result on one side.") == 3
    assert {row[2] for row in cells_of(text, "Effects").values()} == {"3"}
    assert "planned pairs" not in section(told(tmp_path / "b", PARTS, outcome), "Effects")


def findings(folder: Path) -> Findings:
    return find(read_inputs(folder))


def test_of_more_than_60_variants_the_likeliest_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    design = full({f"branches.p{n}": ["on", "off"] for n in range(6)})
    worth = {design.name(v): (37 * n) % 64 for n, v in enumerate(design.variants)}
    folder = write_results(tmp_path, design, planted(design, lambda v: worth[design.name(v)], wave=8))
    files = report_files(build_report(folder))
    text = section(files["report.md"], "Variants")
    assert "Of 64 variants the 60 are shown that are the likeliest to be best or on a front" in text
    shown = [plain(row[1]) for row in rows(text)]
    assert len(shown) == 60
    assert shown == [name for name in design.names if name in shown]
    assert "baseline" in shown
    best = findings(folder).standing
    assert best is not None
    left_out = set(design.names) - set(shown)
    most = max(best.best[name] for name in left_out)
    assert most <= min(best.best[name] for name in shown if name != "baseline")
    assert len(files["tables/variants.csv"].splitlines()) == 65


def test_60_variants_are_all_shown(tmp_path: Path) -> None:
    design = full({f"branches.p{n}": ["on", "off"] for n in range(6)})
    few = Design(design.factors, design.variants[:60], seeds=(0, 1))
    text = section(told(tmp_path, few, lambda v, s: nested_bits(800 + s + len(str(v)))), "Variants")
    assert len(rows(text)) == 60
    assert "likeliest" not in text


def one_at_a_time() -> Design:
    """The baseline and what differs from it in one level."""
    first, *others = PARTS.variants
    near = [v for v in others if sum(v[path] != first[path] for path in first) == 1]
    return Design(PARTS.factors, [first, *near])


@pytest.mark.parametrize("name", ["one_at_a_time", "leave_one_out", "add_one_in"])
def test_a_design_without_squares_says_why_there_are_no_interactions(name: str, tmp_path: Path) -> None:
    design = one_at_a_time()
    kind = {"design": name}
    text = told(tmp_path, design, planted(design, worth_of_parts), experiment=kind)
    said = section(text, "Interactions")
    assert "This design changes one thing at a time, so no two changes were made together" in said
    assert tables(said) == []
    assert "figures/interactions.svg" not in text
    assert not any("additive" in line for line in bullets(text))


def test_one_factor_has_no_section_of_interactions(tmp_path: Path) -> None:
    design = full({"attention": ["eca", "se", "none"]})
    assert "## Interactions" not in told(tmp_path, design, planted(design, lambda _: 0))


def test_squares_that_failed_are_not_blamed_on_the_design(tmp_path: Path) -> None:
    """A factorial whose corners failed makes two changes together, though nothing came of it."""
    first = PARTS.variants[0]
    outcome = planted(PARTS, worth_of_parts)

    def near(levels: Levels, seed: int) -> object:
        return outcome(levels, seed) if sum(levels[p] != first[p] for p in first) < 2 else "failed"

    said = section(told(tmp_path, PARTS, near), "Interactions")
    assert said.strip().startswith(
        "No four variants with results have two changes apart, together and neither"
    )


def test_the_noise_is_the_planted_one(tmp_path: Path) -> None:
    """Shifts of 0 5 -5 3 -3 and waves of 2 -2 1 -1 0 images; each variance is a sum of squares over 4."""
    text = section(told(tmp_path, PARTS, planted(PARTS, worth_of_parts)), "Noise and power")
    found = findings(tmp_path)
    within = [
        sum((1000 * a - 1000 * sum(values) / 5) ** 2 for a in values) / 4
        for values in found.accuracies.values()
    ]
    deviation = (sum(within) / 8) ** 0.5 / 10
    assert f"pooled over variants: {deviation:.2f} pp." in text
    # the shares of the two baselines of all pairs of seeds that differ: |difference| images of 1000
    rights = [round(1000 * a) for a in found.accuracies["baseline"]]
    churn = sum(abs(a - b) for n, a in enumerate(rights) for b in rights[:n]) / 10 / 10
    assert f"disagree on {churn:.2f} % of the test images" in text


def test_a_single_comparison_of_unequal_variants_is_footnoted(tmp_path: Path) -> None:
    def uneven(levels: Levels, seed: int) -> object:
        step = (2, -2, 1, -1, 0)[(seed + PARTS.variants.index(levels)) % 5]
        return nested_bits(800 + step * (20 if levels["branches.b"] == "off" else 1))

    text = told(tmp_path / "uneven", PARTS, uneven)
    note = "The variants deviate unequally (Brown and Forsythe), so the interval of a single comparison is"
    assert note in section(text, "Variants")
    assert "Variants deviate unequally between seeds" in section(text, "Noise and power")
    equal = told(tmp_path / "equal", PARTS, planted(PARTS, worth_of_parts))
    assert note not in equal
    assert "Variants are not shown to deviate unequally" in equal


def test_many_effects_of_a_kind_are_counted_and_not_named(tmp_path: Path) -> None:
    design = full({f"branches.p{n}": ["on", "off"] for n in range(7)}, seeds=(0, 1, 2))
    first, *others = design.variants
    near = Design(
        design.factors, [first, *(v for v in others if list(v.values()).count("off") == 1)], design.seeds
    )
    said = bullets(
        told(tmp_path, near, lambda v, s: nested_bits(700 + s + 30 * list(v.values()).count("on")))
    )
    assert "**HELPS** by more than 0.5 pp, on new data: 7 (see the table)." in said


def test_without_a_declared_family_the_conclusion_gives_no_verdict(tmp_path: Path) -> None:
    families = {"analysis": {"families": ["variants"]}}
    text = told(tmp_path, PARTS, planted(PARTS, worth_of_parts), experiment=families)
    assert not any("**" in line for line in bullets(text))
    assert {row[-1] for row in cells_of(text, "Effects").values()} == {"-"}
    assert "`HELPS` and `HURTS`" not in section(text, "Effects")


def test_what_a_fraction_cannot_tell_is_refused_with_the_reason(tmp_path: Path) -> None:
    half = [
        {"branches.a": a, "branches.b": b, "attention": "eca" if (a == "on") == (b == "on") else "none"}
        for a in ("on", "off")
        for b in ("on", "off")
    ]
    design = Design(PARTS.factors, half)
    text = section(told(tmp_path, design, planted(design, worth_of_parts)), "Effects")
    assert text.count("no two variants of the plan differ in this alone") == 3
