"""The plan of a results folder as values, of every version."""

import shutil
from pathlib import Path

import pytest

from msanet_bench.errors import ResultsError
from msanet_bench.report.manifest import read_manifest
from planted_results import NESTED, PARTS, nested_bits, write_results

DATA = Path(__file__).parent / "data"


def plan(folder: Path, **changes: object) -> Path:
    return write_results(folder, NESTED, lambda *_: nested_bits(800), **changes)


def test_factors_have_their_levels_as_text_and_know_what_they_need(tmp_path: Path) -> None:
    manifest = read_manifest(plan(tmp_path))
    assert manifest.factors["branches.d.dilation"].levels == ("1", "2", "3")
    assert manifest.factors["branches.d.dilation"].needs == {"branches.d"}
    assert manifest.factors["attention"].needs == frozenset()
    assert manifest.of("baseline").factors == NESTED.variants[0]


def test_keys_stand_seed_by_seed_within_a_variant(tmp_path: Path) -> None:
    manifest = read_manifest(plan(tmp_path))
    assert list(manifest.keys) == [(name, seed) for name in NESTED.names for seed in NESTED.seeds]


def test_what_was_declared_is_read(tmp_path: Path) -> None:
    analysis = {"alpha": 0.01, "families": ["variants", "main_effects"]}
    manifest = read_manifest(plan(tmp_path, experiment={"analysis": analysis, "delta": "0.25 pp"}))
    assert (manifest.alpha, set(manifest.families)) == (0.01, {"variants", "main_effects"})
    assert manifest.delta == pytest.approx(0.0025)


def test_a_plan_that_declared_no_families_has_all_of_them(tmp_path: Path) -> None:
    manifest = read_manifest(plan(tmp_path))
    assert manifest.alpha == 0.05
    assert set(manifest.families) == {"main_effects", "interactions", "leave_one_out", "variants"}


@pytest.mark.parametrize("version", [1, 2])
def test_a_plan_of_an_older_version_had_one_look(version: int, tmp_path: Path) -> None:
    shutil.copy(DATA / f"manifest_v{version}.json", tmp_path / "manifest.json")
    manifest = read_manifest(tmp_path)
    assert len(manifest.looks) == 1
    assert manifest.looks[-1] == manifest.seeds


def test_looks_are_read_in_their_order(tmp_path: Path) -> None:
    looks = [[0, 1], [0, 1, 2], [0, 1, 2, 3, 4]]
    assert read_manifest(plan(tmp_path, looks=looks)).looks == tuple(map(tuple, looks))


def test_what_varies_includes_what_a_list_of_variants_changes(tmp_path: Path) -> None:
    manifest = read_manifest(
        write_results(tmp_path, PARTS, lambda *_: nested_bits(800), experiment={"factors": {}})
    )
    assert manifest.factors == {}
    assert manifest.varied == set(PARTS.factors)


@pytest.mark.parametrize("analysis", [{"alpha": 2}, {"families": ["luck"]}])
def test_a_damaged_declaration_is_refused(analysis: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"manifest\.json: not a manifest"):
        read_manifest(plan(tmp_path, experiment={"analysis": analysis}))
