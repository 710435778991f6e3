"""Anybody's CSV: how it is read, and what is said of one that cannot be."""

from pathlib import Path

import pytest

from msanet_bench.analyze.columns import choose_factors, factor_of
from msanet_bench.analyze.question import Question
from msanet_bench.analyze.sheet import read_sheet
from msanet_bench.analyze.trials import missing_combinations, read_trials
from msanet_bench.errors import ResultsError
from result_tables import write


def test_a_line_of_blanks_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("net,y\na,1\n   \nb,2\n \n")
    assert [dict(line.cells) for line in read_sheet(path).lines] == [
        {"net": "a", "y": "1"},
        {"net": "b", "y": "2"},
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_delimiter_mark_and_line_end_is_read(delimiter: str, mark: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [["net", "y"], ["a, b; c", "0.5"], ["", "7"]]
    quoted = [delimiter.join(f'"{cell}"' for cell in row) for row in rows]
    path.write_bytes((mark + end.join(quoted) + end).encode())
    sheet = read_sheet(path)
    assert sheet.columns == ("net", "y")
    assert [(line.number, dict(line.cells)) for line in sheet.lines] == [
        (2, {"net": "a, b; c", "y": "0.5"}),
        (3, {"net": "", "y": "7"}),
    ]


def test_comments_at_the_top_and_empty_lines_are_passed_over_and_numbers_of_lines_kept(
    tmp_path: Path,
) -> None:
    sheet = read_sheet(write(tmp_path, "# from the cluster", "#", "net,y", "", "a,1", ",", "b,2"))
    assert [(line.number, line.cells["net"]) for line in sheet.lines] == [(5, "a"), (7, "b")]


def test_a_header_that_numpy_wrote_is_no_comment(tmp_path: Path) -> None:
    assert read_sheet(write(tmp_path, "# net,y", "1,2")).columns == ("net", "y")


def test_an_index_that_pandas_wrote_has_a_name(tmp_path: Path) -> None:
    assert read_sheet(write(tmp_path, ",net,y", "0,a,1")).columns == ("column 1", "net", "y")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["net,y"], "{path}: has no rows below a header."),
        ([""], "{path}: has no rows below a header."),
        (["net,y,y", "a,1,2"], "{path}:1: two columns are called `y`. Rename one."),
        (["net,y", "a,1", "b"], "{path}:3: must have 2 cells as the header has, but has 1."),
        (["net,y", '"a,1'], "{path}: is no table of comma-separated values (unexpected end of data)."),
        (
            ["net,y", "a,1", "b,high"],
            "{path}:3: `y` must be a number such as 0.91, or empty for a run that failed, but got 'high'.",
        ),
        (
            ["net;y", "a;0,91", "b;1"],
            "{path}:2: `y` must be a number such as 0.91, or empty for a run that failed, but got '0,91'.",
        ),
        (
            ["net,y", "a,inf", "b,1"],
            "{path}:2: `y` must be a number such as 0.91, or empty for a run that failed, but got 'inf'.",
        ),
        (
            ["net,y", "a,1e308", "b,1"],
            "{path}:2: `y` must be a number such as 0.91, or empty for a run that failed, but got '1e308'.",
        ),
        (["net,z", "a,1"], "{path}: has no column `y`. Known: net, z."),
        (["net,y", "a,", "b,nan"], "{path}: `y` is empty in every row."),
        (["net,y", "a,1", "a,2"], "{path}: no column looks like a factor. Name them with --factors."),
    ],
)
def test_a_table_that_is_not_in_order_is_refused_with_file_and_line(
    lines: list[str], message: str, tmp_path: Path
) -> None:
    path = write(tmp_path, *lines)
    with pytest.raises(ResultsError) as refused:
        read_trials(read_sheet(path), Question("y"))
    assert str(refused.value) == message.format(path=path)


def test_a_column_with_a_name_close_to_another_is_asked_about(tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path, "net,accuracy", "a,1"))
    with pytest.raises(ResultsError, match=r"no column `acuracy`\. Did you mean 'accuracy'"):
        read_trials(sheet, Question("acuracy"))


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question("y", factors=("net", "y")), "`y` is asked for in two roles"),
        (Question("y", block="net", factors=("net",)), "`net` is asked for in two roles"),
        (Question("y", factors=("flat",)), "`flat` has one level only"),
        (Question("y", block="some"), ":3: `some` must say which block"),
        (Question("y", factors=("no",)), "no column `no`"),
    ],
)
def test_a_question_that_does_not_fit_is_refused(question: Question, message: str, tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path, "net,flat,some,y", "a,x,1,1", "b,x,,2"))
    with pytest.raises(ResultsError, match=message):
        read_trials(sheet, question)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"none.csv: cannot be read \(No such file or directory\)"):
        read_sheet(tmp_path / "none.csv")
    path = tmp_path / "table.csv"
    path.write_bytes("net,y\nä,1\n".encode("latin-1"))
    with pytest.raises(ResultsError, match="must be text in UTF-8, but byte 6 is none"):
        read_sheet(path)


def test_equal_numbers_are_one_level_and_stand_in_order(tmp_path: Path) -> None:
    factor = factor_of(read_sheet(write(tmp_path, "x", "3", "1.0", "1", "1e1", "0.5")), "x")
    assert factor.levels == ("0.5", "1.0", "3", "1e1")
    assert factor.spelling["1"] == "1.0"
    assert factor.positions == {"0.5": 0.5, "1.0": 1.0, "3": 3.0, "1e1": 10.0}


def test_words_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    factor = factor_of(read_sheet(write(tmp_path, "x", "on", "off", "on", "1")), "x")
    assert (factor.levels, factor.positions) == (("on", "off", "1"), {})


@pytest.mark.parametrize(
    ("levels", "present"),
    [
        (("on", "off"), ("on", "off")),
        (("off", "on"), ("on", "off")),
        (("self_attention", "none"), ("self_attention", "none")),
        (("None", "eca"), ("eca", "None")),
        (("0", "1"), ("1", "0")),
        (("A", "B"), ("B", "A")),
    ],
)
def test_a_component_is_present_where_it_is_not_off(
    levels: tuple[str, str], present: tuple[str, str], tmp_path: Path
) -> None:
    assert factor_of(read_sheet(write(tmp_path, "x", *levels)), "x").present == present


def test_what_follows_from_the_factors_and_what_was_measured_is_no_factor(tmp_path: Path) -> None:
    head = "status,variant,conv5,attention,seed,y,loss,params"
    rows = [
        f"ok,{c}/{a},{c},{a},{seed},0.{seed}{place},{seed + place / 7},{100 + place}"
        for place, (c, a) in enumerate([("on", "x"), ("off", "x"), ("on", "none"), ("off", "none")])
        for seed in range(4)
    ]
    sheet = read_sheet(write(tmp_path, head, *rows))
    factors, reasons = choose_factors(sheet, Question("y", block="seed"))
    assert [factor.name for factor in factors] == ["conv5", "attention"]
    assert reasons == {
        "its name is one of repetitions or outcomes": ["status"],
        "it follows from others": ["variant", "params"],
        "it has more than 12 values": ["loss"],
    }


def test_a_factor_of_a_half_fraction_stays_although_it_follows_from_the_others(tmp_path: Path) -> None:
    rows = [f"{a},{b},{a * b},{a + b}" for a in (-1, 1) for b in (-1, 1) for _ in range(2)]
    factors, _ = choose_factors(read_sheet(write(tmp_path, "A,B,C,y", *rows)), Question("y"))
    assert [factor.name for factor in factors] == ["A", "B", "C"]


def test_seeds_are_no_factor_when_nobody_says_so(tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path, "net,seed,y", "a,0,1", "b,0,2", "a,1,1", "b,1,2"))
    factors, _ = choose_factors(sheet, Question("y"))
    assert [factor.name for factor in factors] == ["net"]


def test_combinations_without_a_value_are_named(tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path, "a,b,y", "0,x,1", "0,y,2", "1,x,3", "1,y,"))
    assert missing_combinations(read_trials(sheet, Question("y"))) == ["a=1, b=y"]
