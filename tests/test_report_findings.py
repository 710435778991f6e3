"""The numbers behind the report, against means worked out from the records themselves."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from msanet_bench.records import read_records
from msanet_bench.report.findings import Findings, VariantFinding, find
from msanet_bench.report.inputs import Inputs, read_inputs


def accuracies(results: Path, variant: str) -> dict[int, float]:
    return {
        record.seed: record.measures["accuracy"].value
        for record in read_records(results)
        if record.variant == variant and record.status == "ok"
    }


def by_name(findings: Findings) -> dict[str, VariantFinding]:
    return {variant.name: variant for variant in findings.variants}


def test_a_mean_is_over_the_seeds_that_succeeded_and_says_how_many(small_results: Path) -> None:
    thin = by_name(find(read_inputs(small_results)))["branches.conv5=off"]
    values = list(accuracies(small_results, "branches.conv5=off").values())
    assert (thin.ok, len(values)) == (2, 2)
    assert thin.accuracy is not None
    assert thin.accuracy.mean == pytest.approx(np.mean(values))


def test_accuracies_are_those_of_the_stored_bits(small_results: Path) -> None:
    for record in read_records(small_results):
        if record.status == "ok":
            assert record.correct_bits().mean() == pytest.approx(record.measures["accuracy"].value)


def test_complete_variants_differ_by_the_mean_of_their_pairs(small_results: Path) -> None:
    base, other = (accuracies(small_results, name) for name in ("baseline", "attention=eca"))
    difference = by_name(find(read_inputs(small_results)))["attention=eca"].difference
    assert difference is not None
    assert difference.estimate == pytest.approx(np.mean([other[seed] - base[seed] for seed in base]))


def test_the_baseline_is_not_compared_with_itself(small_results: Path) -> None:
    findings = find(read_inputs(small_results))
    assert findings.baseline.difference is None
    assert sum(variant.difference is not None for variant in findings.variants) == 5


def test_an_interval_of_an_accuracy_stays_between_0_and_1(small_results: Path) -> None:
    for variant in find(read_inputs(small_results)).variants:
        assert variant.accuracy is not None
        assert 0 <= variant.accuracy.low <= variant.accuracy.high <= 1


def test_effects_keep_the_declared_order_and_say_what_having_a_part_is_worth(
    small_results: Path,
) -> None:
    effects = find(read_inputs(small_results)).effects
    assert [(e.factor, e.level, e.reference, e.pairs) for e in effects] == [
        ("attention", "self_attention", "none", 2),
        ("attention", "eca", "self_attention", 2),
        ("branches.conv5", "on", "off", 3),
    ]


def test_a_cost_is_averaged_over_the_pairs_and_absent_where_a_count_is(small_results: Path) -> None:
    conv5 = find(read_inputs(small_results)).effects[2].costs
    assert conv5 is not None
    assert conv5.params == pytest.approx(8200)
    assert conv5.macs is None


def without(inputs: Inputs, *names: str) -> Inputs:
    cells = {cell: (None if cell[0] in names else record) for cell, record in inputs.cells.items()}
    return replace(inputs, cells=cells)


def test_a_variant_without_any_result_takes_its_pairs_away_and_is_said(small_results: Path) -> None:
    findings = find(without(read_inputs(small_results), "attention=eca"))
    eca = findings.effects[1]
    assert (eca.pairs, eca.planned_pairs) == (1, 2)
    assert by_name(findings)["attention=eca"].accuracy is None


def test_without_the_baseline_nothing_is_compared_with_it(small_results: Path) -> None:
    findings = find(without(read_inputs(small_results), "baseline"))
    assert all(variant.difference is None for variant in findings.variants)


def test_one_seed_gives_differences_without_intervals(small_results: Path) -> None:
    inputs = read_inputs(small_results)
    cells = {cell: record for cell, record in inputs.cells.items() if cell[1] == 1}
    findings = find(replace(inputs, cells=cells))
    difference = by_name(findings)["attention=eca"].difference
    assert difference is not None
    assert math.isnan(difference.low)


def test_no_result_at_all_gives_no_fit(small_results: Path) -> None:
    inputs = read_inputs(small_results)
    findings = find(replace(inputs, cells=dict.fromkeys(inputs.cells)))
    assert findings.fit is None
    assert all(effect.claim is None for effect in findings.effects)


def edited(small_results: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> Findings:
    shutil.copytree(small_results, tmp_path / "edited")
    file = tmp_path / "edited" / "manifest.json"
    manifest = json.loads(file.read_text())
    edit(manifest)
    file.write_text(json.dumps(manifest))
    return find(read_inputs(tmp_path / "edited"))


def test_a_baseline_outside_the_declared_levels_is_what_they_are_compared_with(
    small_results: Path, tmp_path: Path
) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["experiment"]["factors"]["attention"]["levels"] = ["none", "eca"]

    effects = edited(small_results, tmp_path, edit).effects
    assert [(e.level, e.reference) for e in effects[:2]] == [
        ("self_attention", "none"),
        ("eca", "self_attention"),
    ]


def test_options_of_a_branch_do_not_hide_what_the_branch_is_worth(
    small_results: Path, tmp_path: Path
) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["experiment"]["factors"]["branches.conv5.kernel"] = {"levels": [5], "when": {}}
        for variant in manifest["variants"]:
            if variant["factors"]["branches.conv5"] == "on":
                variant["factors"]["branches.conv5.kernel"] = "5"

    conv5 = edited(small_results, tmp_path, edit).effects[2]
    assert (conv5.factor, conv5.pairs) == ("branches.conv5", 3)


def test_a_factor_that_needs_another_does_not_hide_what_that_is_worth(
    small_results: Path, tmp_path: Path
) -> None:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["experiment"]["factors"]["width"] = {"levels": [1], "when": {"branches.conv5": "on"}}
        for variant in manifest["variants"]:
            if variant["factors"]["branches.conv5"] == "on":
                variant["factors"]["width"] = "1"

    assert edited(small_results, tmp_path, edit).effects[2].pairs == 3
