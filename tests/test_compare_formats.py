"""How comparisons are printed: golden texts, and what must hold in each of them."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from commands import run_verb
from compared import cell, cells, compare_records, write_folder
from msanet_bench.compare import compare, parse_gate, render, rule
from msanet_bench.records import Record

DATA = Path(__file__).parent / "data" / "compare"
LONG = "branches.conv3=off,branches.conv5=off,attention=none"
BASE = (0.900, 0.910, 0.920, 0.930, 0.940)
NOISE = (0.0011, -0.0007, 0.0002, -0.0009, 0.0004)

MANY_DIGITS = re.compile(r"\d+\.\d{8,}(e-\d+)?")

CheckGolden = Callable[[Path, Mapping[str, str]], None]


def _moved(by: float, *, times: float = 1.0) -> list[float | None]:
    """The base's accuracies moved, with noise."""
    return [round(value + by + times * noise, 4) for value, noise in zip(BASE, NOISE, strict=True)]


def _base() -> list[Record]:
    names = ("baseline", "attention=none", "attention=se", LONG, "attention=eca", "gone", "width=2", "data=a")
    records = [record for name in names for record in cells(name, *BASE)]
    return [*records, *cells("attention=gate", *BASE[:4], None)]


def _head() -> list[Record]:
    return [
        *cells("baseline", *BASE),
        *cells("attention=none", *_moved(-0.01), params=90),
        *cells("attention=se", *_moved(0.01), params=103),
        *cells(LONG, *_moved(0.001), params=80),
        *cells("attention=eca", *_moved(0, times=10)),
        *cells("width=2", *_moved(0)[:4], None),
        *cells("data=a", *BASE, digest="other"),
        *cells("attention=gate", *_moved(0)),
        *cells("new|<b>", 0.9, 0.91),
    ]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Two folders with every mark there is, and a third with one seed in common and none of its own."""
    medians = {"baseline": 0.002, "attention=none": 0.0015, "attention=se": 0.00213, LONG: 0.00101}
    write_folder(tmp_path / "main", _base(), medians=medians)
    faster = {name: seconds * 0.9 for name, seconds in medians.items()}
    write_folder(tmp_path / "change", _head(), medians=faster | {"attention=se": 0.00214})
    others = [cell("baseline", 77 + seed, accuracy) for seed, accuracy in enumerate(BASE)]
    write_folder(tmp_path / "seeds", others)
    return tmp_path


GATES = ("--gate", "accuracy:-0.2pp", "--gate", "latency_p50:+5%", "--gate", "params:+2%", "--gate", "macs:0")
GOLDEN = {
    "text_60.txt": ["main", "new=change", *GATES],
    "text_140.txt": ["main", "new=change", *GATES],
    "three_140.txt": ["main", "main", "change", "seeds"],
    "table.md": ["main", "new=change", *GATES, "--format", "markdown"],
    "table.csv": ["main", "new=change", "--format", "csv"],
    "table.json": ["main", "new=change", *GATES, "--strict", "--format", "json"],
}


def _printed(desk: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    width = re.search(r"_(\d+)", name)
    monkeypatch.setenv("COLUMNS", width[1] if width else "100")
    return run_verb("compare", *GOLDEN[name], cwd=desk).out


def test_every_format_is_as_it_was(
    desk: Path, monkeypatch: pytest.MonkeyPatch, check_golden: CheckGolden
) -> None:
    texts = {name: _printed(desk, name, monkeypatch) for name in GOLDEN}
    check_golden(DATA, {name: MANY_DIGITS.sub(_nine_digits, text) for name, text in texts.items()})


def _nine_digits(number: re.Match[str]) -> str:
    """What two machines agree in."""
    return f"{float(number[0]):.9g}"


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
def test_a_line_is_as_wide_as_the_terminal_at_most(desk: Path, width: int) -> None:
    comparison = compare({"base": desk / "main", "head": desk / "change"})
    rulings = rule(comparison, [parse_gate("accuracy:-0.2pp")], "regression")
    shown = render(comparison, rulings, width=width)
    # a path is never cut
    lines = [line for line in shown.splitlines() if str(desk) not in line]
    assert max(map(len, lines)) <= width
    assert shown.isascii()
    assert shown.endswith("\n")
    assert not re.search(r" $", shown, re.MULTILINE)


def test_long_names_go_on_below_and_columns_stay_aligned(tmp_path: Path) -> None:
    records = [cell(name, seed, 0.5) for name in ("baseline", LONG) for seed in (0, 1)]
    lines = render(compare_records(tmp_path, records, records), width=84).split("\n\n")[1].splitlines()
    rows = [line for line in lines if "n=2" in line]
    assert len({line.index("n=2") for line in rows}) == 1
    start = next(number for number, line in enumerate(lines) if line.startswith("branches"))
    assert "".join(line.split()[0] for line in lines[start : start + 3]).startswith(LONG)


def test_a_wide_terminal_keeps_a_name_on_one_line_and_heads_beside_one_another(desk: Path) -> None:
    folders = {name: desk / name for name in ("main", "change", "seeds")}
    shown = render(compare(folders), width=240)
    assert LONG in shown
    assert shown.count("difference, pp") == 2
    assert len([line for line in shown.splitlines() if line.startswith("variant")]) == 4
    narrow = render(compare(folders), width=100)
    assert len([line for line in narrow.splitlines() if line.startswith("variant")]) > 4


def test_the_legend_names_the_marks_that_occur_and_no_others(desk: Path) -> None:
    meanings = {
        "~": "`~` not told",
        "=": "`=` the same",
        "better": "`better`, `worse`",
        "!": "`!` fails",
        "*": "`*` fails",
        "x": "`x` not",
    }
    full = render(compare({"base": desk / "main", "head": desk / "change"}), width=400)
    assert [mark for mark, text in meanings.items() if text in full] == list(meanings)
    same = render(compare({"base": desk / "seeds", "head": desk / "seeds"}))
    assert [mark for mark, text in meanings.items() if text in same] == ["="]


def test_markdown_cannot_be_broken_by_a_name(desk: Path) -> None:
    shown = render(compare({"main": desk / "main", "a|b_*": desk / "change"}), kind="markdown")
    rows = [line for line in shown.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows), rows
    assert "`new\\|<b>`" in shown
    assert "a\\|b\\_\\*" in shown
    assert "\u25b2 better" in shown
    assert "\u25bc worse" in shown


def test_the_flat_table_has_a_line_an_entry_and_every_digit(desk: Path) -> None:
    comparison = compare({"base": desk / "main", "head": desk / "change"})
    rows = list(csv.DictReader(io.StringIO(render(comparison, kind="csv"))))
    entries = [
        (table.metric.name, head, variant, entry)
        for table in comparison.tables
        for head, variant, entry in table.entries()
    ]
    assert len(rows) == len(entries)
    for row, (metric, head, variant, entry) in zip(rows, entries, strict=True):
        assert (row["metric"], row["head"], row["variant"]) == (metric, head, variant)
        for column, value in (("change", entry.change), ("p", entry.p), ("base_value", entry.base)):
            assert (float(row[column]) if row[column] else None) == value


def test_json_has_sorted_keys_and_what_the_exit_code_is_made_of(desk: Path) -> None:
    outcome = run_verb("compare", "main", "change", *GATES, "--format", "json", cwd=desk)
    content: dict[str, Any] = json.loads(outcome.out)
    assert content["schema"] == 1
    assert content["exit_code"] == outcome.code == 1
    assert {gate["gate"]: gate["status"] for gate in content["gates"]} == {
        "accuracy:-0.2pp": "fails",
        "latency_p50:+5%": "holds",
        "params:+2%": "fails",
        "macs:0": "fails",
    }
    assert json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n" == outcome.out


def test_json_and_text_tell_the_same(desk: Path) -> None:
    comparison = compare({"base": desk / "main", "head": desk / "change"})
    shown = render(comparison, width=200)
    for table in json.loads(render(comparison, kind="json"))["tables"]:
        for row in table["rows"]:
            if table["metric"] == "accuracy" and row["change"] is not None:
                line = next(line for line in shown.splitlines() if line.startswith(row["variant"] + " "))
                assert f"{100 * row['change'] + 0.0:+.2f} " in line
                assert row["mark"] in line.split()


def test_a_p_that_would_round_to_zero_is_a_limit(tmp_path: Path) -> None:
    base, head = cells("a", *BASE), cells("a", *(value - 0.05 for value in BASE))
    assert "(p<0.001 n=5)" in render(compare_records(tmp_path, base, head))
