"""Which rows and columns a table for a paper has, and what they are called."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from msanet_bench.errors import BenchError
from msanet_bench.report.paper.columns import COLUMNS, WITHOUT_DECIMALS
from paper_tables import body, fields, header
from report_text import edit_manifest

PLAN = [
    "baseline",
    "conv5=off",
    "attention=none",
    "attention=none,conv5=off",
    "attention=eca",
    "attention=eca,conv5=off",
]


@pytest.fixture
def others(tmp_path: Path) -> Path:
    path = tmp_path / "others.csv"
    path.write_text("name,top1\nresnet18,71\nresnet50,80\nvit,81\n")
    return path


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([], PLAN),
        (["attention=eca", "baseline"], ["attention=eca", "baseline"]),
        (["branches.conv5=off", "conv5=off"], ["conv5=off"]),
        (["attention=none,branches.conv5=off"], ["attention=none,conv5=off"]),
        (["attention=*"], PLAN[2:]),
        (["attention=*", "*"], [*PLAN[2:], *PLAN[:2]]),
        (["attention=eca", "*conv5=off"], ["attention=eca", "conv5=off", *PLAN[3:6:2]]),
    ],
)
def test_rows_stand_in_the_order_in_which_they_are_asked_for(
    small_results: Path, rows: list[str], shown: list[str]
) -> None:
    assert list(body(small_results, rows=rows)) == shown


@pytest.mark.parametrize(
    ("rows", "own", "stated"),
    [
        ([], PLAN, ["resnet18", "resnet50", "vit"]),
        (["baseline"], ["baseline"], ["resnet18", "resnet50", "vit"]),
        (["vit"], PLAN, ["vit"]),
        (["res*50", "baseline"], ["baseline"], ["resnet50"]),
    ],
)
def test_rows_from_elsewhere_are_all_there_unless_some_are_named(
    small_results: Path, others: Path, rows: list[str], own: list[str], stated: list[str]
) -> None:
    shown = list(body(small_results, rows=rows, external=others))
    assert shown == [*own, "from others.csv:", *stated]


def test_a_name_is_not_taken_for_a_pattern_where_it_is_a_name(small_results: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(small_results, results)
    text = (results / "manifest.json").read_text().replace('"attention=eca"', '"attention=[ab]"')
    (results / "manifest.json").write_text(text)
    assert list(body(results, rows=["attention=[ab]"])) == ["attention=[ab]"]


def test_columns_stand_in_the_order_in_which_they_are_asked_for_each_once(small_results: Path) -> None:
    asked = header(small_results, columns=["n, conv5", "components", "branches.conv5,n", "sd"])
    assert asked == ["n", "conv5", "attention", "sd, pp"]


def test_every_column_can_be_asked_for_alone(small_results: Path) -> None:
    for name in COLUMNS:
        assert len(header(small_results, columns=[name])) == (2 if name == "components" else 1)


LABELS = [
    "baseline=MSANet",
    "attention=none=no attention",
    "attention=a=b",
    "conv5=5x5",
    "accuracy=top-1",
    "variant=network",
    "attention=eca,conv5=off=ECA = eca, without 5x5",
]


def test_labels_rename_rows_and_columns_and_keep_units(small_results: Path) -> None:
    asked = {"labels": LABELS, "columns": ["components", "accuracy"]}
    assert header(small_results, **asked) == ["a=b", "5x5", "top-1, % (\u00b1 sd)"]
    assert list(body(small_results, **asked))[:3] == ["MSANet", "conv5=off", "no attention"]
    rows = fields(small_results, **asked)
    assert list(rows[0]) == ["network", "a=b", "5x5", "top-1_percent", "top-1_sd_pp"]
    assert rows[5]["network"] == "ECA = eca, without 5x5"


def test_a_label_of_a_row_that_is_not_shown_is_no_mistake(small_results: Path, others: Path) -> None:
    shown = body(small_results, labels=["baseline=B", "vit=ViT"], rows=["attention=eca"], external=others)
    assert list(shown) == ["attention=eca", "from others.csv:", "resnet18", "resnet50", "ViT"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"rows": ["attention=eco"]},
            "--rows: no row `attention=eco`. Did you mean 'attention=eca'? Known: ",
        ),
        ({"rows": ["x*"]}, "--rows: no row `x*`. Known: attention=eca, "),
        ({"columns": ["n", "paramz"]}, "--columns: no column `paramz`. Did you mean 'params'? Known: "),
        ({"columns": [""]}, "--columns: no column ``. Known: "),
        ({"labels": ["basline=B"]}, "--label: nothing is called `basline`. Did you mean 'baseline'? Known: "),
        ({"labels": ["baseline"]}, "--label: must be NAME=TEXT, but got 'baseline'."),
        ({"labels": ["attention=none= "]}, "--label: must be NAME=TEXT, but got 'attention=none= '."),
        ({"labels": ["=x"]}, "--label: must be NAME=TEXT, but got '=x'."),
        ({"decimals": ["sd=two"]}, "--decimals: must be COLUMN=N with N from 0 to 9, but got 'sd=two'."),
        ({"decimals": ["sd=10"]}, "--decimals: must be COLUMN=N with N from 0 to 9, but got 'sd=10'."),
        ({"decimals": ["3"]}, "--decimals: must be COLUMN=N with N from 0 to 9, but got '3'."),
        ({"decimals": ["n=1"]}, "--decimals: no column of numbers `n`. Known: accuracy, "),
        ({"decimals": ["mac=1"]}, "--decimals: no column of numbers `mac`. Did you mean 'macs'? Known: "),
    ],
)
def test_what_is_not_there_is_named_with_what_is(
    small_results: Path, request_: dict[str, Any], message: str
) -> None:
    with pytest.raises(BenchError) as refused:
        body(small_results, **request_)
    assert str(refused.value).startswith(message)


def test_among_very_many_names_only_close_ones_are_shown(small_results: Path, tmp_path: Path) -> None:
    many = tmp_path / "many.csv"
    many.write_text("name,top1\n" + "".join(f"net{number},50\n" for number in range(1000)))
    with pytest.raises(BenchError) as refused:
        body(small_results, rows=["nett500"], external=many)
    assert re.fullmatch(
        r"--rows: no row `nett500`\. Did you mean 'net500'\? Known: net\d+(, net\d+){4}\.", str(refused.value)
    )
    with pytest.raises(BenchError, match=r"no row `@@@`\. There are 1006, and none is like it\."):
        body(small_results, rows=["@@@"], external=many)


def test_names_of_options_of_several_branches_are_told_apart(small_results: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(small_results, results)

    def edit(manifest: dict[str, Any]) -> None:
        manifest["experiment"] |= {"factors": {}, "design": "list"}
        for variant in manifest["variants"]:
            variant["factors"] = {"branches.conv3.kernel": "1", "branches.conv5.kernel": "3"}

    edit_manifest(results, edit)
    assert header(results, columns=["conv5.kernel", "conv3.kernel"]) == ["conv5.kernel", "conv3.kernel"]


def test_what_has_no_decimals_is_a_column() -> None:
    assert set(COLUMNS) >= WITHOUT_DECIMALS
