"""`msanet-bench table` as its users call it."""

import re
import shutil
from pathlib import Path

import pytest

from commands import run_verb
from msanet_bench.report.paper.columns import COLUMNS


@pytest.fixture
def desk(tmp_path: Path, small_results: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "results")
    (tmp_path / "timm.csv").write_text("model,top1,param_count\nresnet18,71.51,11.69\n")
    (tmp_path / "bad.csv").write_text("model,top1\nresnet18,many\n")
    return tmp_path


def test_the_table_is_printed_as_markdown(desk: Path) -> None:
    asked = ("--rows", "baseline", "--rows", "attention=none", "--columns", "conv5,accuracy,n")
    code, out, err = run_verb("table", "results", *asked, "--label", "baseline=MSANet", cwd=desk)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "| variant | conv5 | accuracy, % (\u00b1 sd) | n |",
        "| :-- | --: | --: | --: |",
        "| MSANet | \u2713 | 94.63 \u00b1 0.89 | 3 |",
        "| `attention=none` | \u2713 | 93.15 \u00b1 1.12 | 3 |",
        "",
        "Accuracy on the test set: mean and sd over 3 seeds.",
    ]


def test_a_file_has_what_would_be_printed(desk: Path) -> None:
    options = ("--format", "latex", "--external", "timm.csv", "--caption", "All of it")
    printed = run_verb("table", "results", *options, cwd=desk).out
    outcome = run_verb("table", "results", *options, "--out", "table.tex", cwd=desk)
    assert outcome == (0, "table.tex\n", "")
    assert (desk / "table.tex").read_text(encoding="utf-8") == printed
    assert r"\caption{All of it}" in printed
    assert "resnet18 & -- & -- & 71.51" in printed


def test_the_notes_of_a_csv_file_go_to_the_terminal(desk: Path) -> None:
    code, out, err = run_verb("table", "results", "--format", "csv", "--columns", "n", cwd=desk)
    assert (code, out.splitlines()[:2]) == (0, ["variant,n,n_planned", "baseline,3,3"])
    assert err.startswith("note: Seeds that succeeded, where not all did: conv5=off 2 of 3 (1 diverged)")
    assert all(line.startswith("note: ") for line in err.splitlines())


def test_the_help_names_every_column(desk: Path) -> None:
    named = re.findall(r"\w+", run_verb("table", "--help", cwd=desk).out)
    assert [name for name in COLUMNS if name not in named] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rows", "attention=eco"], "--rows: no row `attention=eco`. Did you mean 'attention=eca'?"),
        (["--columns", "macz"], "--columns: no column `macz`. Did you mean 'macs'?"),
        (["--label", "basline=x"], "--label: nothing is called `basline`. Did you mean 'baseline'?"),
        (["--decimals", "sd=two"], "--decimals: must be COLUMN=N with N from 0 to 9, but got 'sd=two'."),
        (["--external", "bad.csv"], "bad.csv:2: top1: must be a number of 0 or more, but got 'many'."),
        (["--external", "none.csv"], "none.csv: cannot be read (No such file or directory)."),
        (["--format", "word"], "'word' is not one of"),
        (["--format", "csv", "--caption", "x"], "--caption: a CSV file has no caption."),
        (["--out", "missing/table.md"], "missing/table.md: cannot be written (No such file or directory)."),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(desk: Path, options: list[str], message: str) -> None:
    before = sorted(desk.rglob("*"))
    code, out, err = run_verb("table", "results", *options, cwd=desk)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert sorted(desk.rglob("*")) == before
