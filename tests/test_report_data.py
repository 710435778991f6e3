"""report.json: whole, without NaN, and the same numbers as in the tables beside it."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from msanet_bench.report.build import build_report, report_files
from msanet_bench.report.data import says_the_same
from planted_results import (
    PARTS,
    Levels,
    full,
    nested_bits,
    planted,
    worth_of_parts,
    write_latencies,
    write_profiles,
    write_results,
)


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    write_results(tmp_path, PARTS, planted(PARTS, worth_of_parts, wave=2))
    sizes = {
        name: {"params": 100 + n, "macs": 1000 + 7 * n, "bytes": 4096 * n}
        for n, name in enumerate(PARTS.names)
    }
    write_profiles(tmp_path, sizes)
    write_latencies(tmp_path, {n: (1 + i / 8, 0.98 + i / 8, 1.02 + i / 8) for i, n in enumerate(PARTS.names)})
    return tmp_path


def files_of(results: Path) -> tuple[dict[str, Any], Mapping[str, str]]:
    files = report_files(build_report(results))
    return json.loads(files["report.json"], parse_constant=_refuse), files


def _refuse(constant: str) -> None:
    raise AssertionError(constant)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def digits(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


CLAIM_COLUMNS = {
    "estimate": ("here", "estimate"),
    "se": ("here", "se"),
    "df": ("here", "df"),
    "low": ("here", "low"),
    "high": ("here", "high"),
    "new_se": ("new", "se"),
    "new_df": ("new", "df"),
    "new_low": ("new", "low"),
    "new_high": ("new", "high"),
    "p_holm": ("verdict", "p"),
    "p_equivalence": ("verdict", "p_equivalence"),
    "new_p_holm": ("verdict_new", "p"),
    "new_p_equivalence": ("verdict_new", "p_equivalence"),
    "detectable": ("detectable",),
    "more_seeds": ("more_seeds",),
}


def at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = None if value is None else value[name]
    return value


def differing(row: Mapping[str, str], claim: Any, prefix: str = "") -> Iterator[str]:
    for column, path in CLAIM_COLUMNS.items():
        if row[f"{prefix}{column}"] != digits(at(claim, path)):
            yield column


def test_claims_are_those_of_the_tables_to_ten_digits(parts: Path) -> None:
    data, files = files_of(parts)
    tables = (
        ("effects", "effects", ""),
        ("interactions", "interactions", ""),
        ("variants", "variants", "difference_"),
    )
    for name, key, prefix in tables:
        table = rows(files[f"tables/{name}.csv"])
        assert len(table) == len(data[key])
        for row, entry in zip(table, data[key], strict=True):
            assert list(differing(row, entry["claim"], prefix)) == []
    (first, *_), changed = rows(files["tables/effects.csv"]), data["effects"][0]["claim"]
    changed["here"]["low"] += 1e-8
    assert list(differing(first, changed)) == ["low"]


def test_accuracies_credit_and_standing_are_those_of_the_tables(parts: Path) -> None:
    data, files = files_of(parts)
    for row, entry in zip(rows(files["tables/variants.csv"]), data["variants"], strict=True):
        assert row["variant"] == entry["name"]
        for name in ("mean", "low", "high", "sd"):
            assert row[f"accuracy_{name}"] == digits(entry["accuracy"][name])
        assert row["best"] == digits(data["standing"]["best"][entry["name"]])
        for cost in ("macs", "cpu"):
            assert row[f"on_front_{cost}"] == digits(data["standing"]["on_front"][cost][entry["name"]])
        assert row["macs"] == str(entry["profile"]["macs"])
    for row, share in zip(rows(files["tables/credit.csv"]), data["credit"]["shares"], strict=True):
        for rule in ("removed", "added", "main", "shapley"):
            assert row[f"{rule}_estimate"] == digits(share[rule]["here"]["estimate"])
            assert row[f"{rule}_high"] == digits(share[rule]["here"]["high"])
        assert row["macs"] == digits(share["costs"]["macs"])
        assert row["cpu_s_low"] == digits(share["costs"]["latency"]["cpu"]["low"])


def test_what_was_planned_stands_there(parts: Path) -> None:
    data, _ = files_of(parts)
    assert (data["schema_version"], data["baseline"], data["seeds"]) == (1, "baseline", [0, 1, 2, 3, 4])
    assert (data["delta"], data["alpha"], data["looks"]) == (0.005, 0.05, [[0, 1, 2, 3, 4]])
    assert data["cells"] == {"ok": 40}
    assert data["noise"]["df"] == 28
    assert data["noise"]["test_images"] == 1000


def test_weights_of_a_claim_give_its_estimate(parts: Path) -> None:
    data, _ = files_of(parts)
    means = {entry["name"]: entry["accuracy"]["mean"] for entry in data["variants"]}
    for effect in data["effects"]:
        claim = effect["claim"]
        total = sum(weight * means[name] for name, weight in claim["weights"].items())
        assert claim["here"]["estimate"] == pytest.approx(total, abs=1e-12)


def test_weights_over_more_than_64_variants_are_left_out(tmp_path: Path) -> None:
    design = full({f"branches.p{n}": ["on", "off"] for n in range(7)}, seeds=(0, 1))
    write_results(tmp_path, design, lambda v, s: nested_bits(800 + (s * len(str(v))) % 7))
    data, _ = files_of(tmp_path)
    assert "weights" not in data["effects"][0]["claim"]
    assert "estimate" in data["effects"][0]["claim"]["here"]
    assert len(data["variants"][1]["claim"]["weights"]) == 2


@pytest.mark.parametrize("kind", ["one seed", "nothing", "some failed", "no spread"])
def test_what_is_not_known_is_null_and_never_nan(kind: str, tmp_path: Path) -> None:
    design = replace(PARTS, seeds=(0,)) if kind == "one seed" else PARTS

    def outcome(levels: Levels, seed: int) -> object:
        if kind == "nothing" or (kind == "some failed" and (seed + PARTS.variants.index(levels)) % 3):
            return "oom"
        return nested_bits(800)

    write_results(tmp_path, design, outcome)
    data, files = files_of(tmp_path)
    assert "NaN" not in files["report.json"]
    assert "nan" not in files["tables/variants.csv"]
    assert (data["noise"] is None) == (kind == "nothing")
    if kind == "one seed":
        assert data["effects"][0]["claim"]["here"] == {
            "estimate": 0.0,
            "se": None,
            "df": 0,
            "low": None,
            "high": None,
        }
        assert data["standing"] is None


def test_a_row_stands_on_a_line_of_its_own(parts: Path) -> None:
    _, files = files_of(parts)
    lines = files["report.json"].splitlines()
    assert sum(line.startswith('{"number": ') for line in lines) == 8
    assert sum(line.startswith('{"factor": ') for line in lines) == 3


def test_last_bits_say_the_same_and_other_digits_do_not(parts: Path) -> None:
    data, files = files_of(parts)
    text = files["report.json"]
    assert says_the_same(text, text)

    def with_estimate(factor: float) -> str:
        changed = json.loads(text)
        changed["effects"][0]["claim"]["here"]["estimate"] *= factor
        return json.dumps(changed)

    assert data["effects"][0]["claim"]["here"]["estimate"] == pytest.approx(0.03)
    assert with_estimate(1 + 1e-12) != with_estimate(1)
    assert says_the_same(text, with_estimate(1 + 1e-12))
    assert not says_the_same(text, with_estimate(1 + 1e-7))


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ('{"a": 0.0}', '{"a": 1e-15}', True),
        ('{"a": 0.0}', '{"a": 1e-9}', False),
        ('{"a": 1}', '{"a": 1.0}', True),
        ('{"a": null}', '{"a": 0}', False),
        ('{"a": [1, 2]}', '{"a": [1]}', False),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', False),
        ('{"a": "HELPS"}', '{"a": "helps"}', False),
        ('{"a": true}', '{"a": false}', False),
        ('{"a": 1', '{"a": 1}', False),
        ('{"a": NaN}', '{"a": NaN}', False),
    ],
)
def test_what_says_the_same(first: str, second: str, is_same: bool) -> None:  # noqa: FBT001
    assert says_the_same(first, second) == is_same
    assert says_the_same(second, first) == is_same


def test_the_numbers_are_not_rounded(parts: Path) -> None:
    data, _ = files_of(parts)
    se = data["effects"][0]["claim"]["here"]["se"]
    assert float(f"{se:.10g}") != se
    assert math.isclose(float(f"{se:.10g}"), se, rel_tol=1e-9)
