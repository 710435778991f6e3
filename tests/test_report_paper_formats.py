"""The table for a paper as Markdown, LaTeX and CSV: word for word, and through a real pdflatex."""

import csv
import io
import re
import string
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msanet_bench.report.document import Code
from msanet_bench.report.paper.build import paper_table
from msanet_bench.report.paper.choices import Request
from msanet_bench.report.paper.latex import escape_latex, latex
from msanet_bench.report.paper.plain import comma_separated, markdown
from msanet_bench.report.paper.values import (
    Amount,
    Cell,
    Column,
    Estimate,
    Level,
    PaperTable,
    Range,
    Share,
    Spread,
    Word,
)

OTHERS = 'model,top1,param_count,latency_ms\nresnet18.a1_in1k,71.51,11.69,\n"x|y & co",60,,12.5\n'
DOCUMENT = r"""\documentclass{article}
\usepackage{amssymb,booktabs,graphicx}
\begin{document}
%s\end{document}
"""


@pytest.fixture
def whole(small_results: Path, tmp_path: Path) -> PaperTable:
    """Every kind of cell, a renamed row, a renamed column, and two rows from elsewhere."""
    others = tmp_path / "others.csv"
    others.write_text(OTHERS)
    request = Request(
        columns=["components", "accuracy", "interval", "n", "difference", "params", "macs", "latency"],
        labels=["baseline=MSANet", "attention=none=no attention", "conv5=5x5"],
        decimals=["accuracy=1"],
        external=others,
        caption="What the parts are worth: 100 % of_it",
    )
    return paper_table(small_results, request)


def test_the_three_formats_are_the_golden_ones(
    whole: PaperTable, small_results: Path, check_golden: Callable[[Path, Mapping[str, str]], None]
) -> None:
    texts = {"table.md": markdown(whole), "table.tex": latex(whole), "table.csv": comma_separated(whole)}
    check_golden(small_results.parent / "small_tables", texts)


def test_every_row_of_every_format_has_all_columns(whole: PaperTable) -> None:
    rows = len(whole.rows) + len(whole.references)
    lines = [line for line in markdown(whole).splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert (len(lines), bars) == (rows + 3, {len(whole.columns) + 1})
    lines = [line for line in latex(whole).splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    ampersands = {len(re.findall(r"(?<!\\)&", line)) for line in lines}
    assert (len(lines), ampersands) == (rows + 2, {len(whole.columns) - 1})
    fields = list(csv.reader(io.StringIO(comma_separated(whole))))
    width = sum(len(column.parts) for column in whole.columns) + len(["source"])
    assert (len(fields), {len(row) for row in fields}) == (rows + 1, {width})


def test_the_numbers_are_the_same_in_all_formats(whole: PaperTable) -> None:
    plain = latex(whole).replace("$", "").replace(r" \pm ", " \u00b1 ")
    for line in markdown(whole).splitlines():
        for number in re.findall(r"(?<= )[+-]?\d+\.\d+ \[.*?\]|\d+\.\d \u00b1 \d\.\d", line):
            assert number in plain


CELLS: tuple[tuple[Cell, str, str, tuple[str, ...]], ...] = (
    (None, "-", "--", ("",)),
    ("a_b", "a_b", r"a\_b", ("a_b",)),
    (Word("baseline"), "baseline", "baseline", ("",)),
    (Code("a_b"), "`a_b`", r"\texttt{a\_b}", ("a_b",)),
    (Level("on", is_on=True), "\u2713", r"\checkmark", ("on",)),
    (Level("off", is_on=False), "-", "--", ("off",)),
    (Level("a_b", is_on=None), "a_b", r"a\_b", ("a_b",)),
    (Spread("1.0", "0.1"), "1.0 \u00b1 0.1", r"1.0 $\pm$ 0.1", ("1.0", "0.1")),
    (Spread("1.0", None), "1.0", "1.0", ("1.0", "")),
    (Range("1.0", "2.0"), "[1.0, 2.0]", "[1.0, 2.0]", ("1.0", "2.0")),
    (Estimate("-1", Range("-2", "+3")), "-1 [-2, +3]", "$-1$ [$-2$, $+3$]", ("-1", "-2", "+3")),
    (Estimate("+1", None), "+1", "$+1$", ("+1", "", "")),
    (Share(2, 3), "2/3", "2/3", ("2", "3")),
    (Share(3, 3), "3", "3", ("3", "3")),
    (Amount("1,030", "1030"), "1,030", "1,030", ("1030",)),
)


def of_one(cell: Cell, parts: int = 1) -> PaperTable:
    columns = (Column("variant", "variant", side="left"), Column("x", "x", parts=("",) * parts))
    return PaperTable("name", columns, (("row", cell),), (), "", (), "")


@pytest.mark.parametrize(("cell", "in_markdown", "in_latex", "in_csv"), CELLS)
def test_a_cell_is_written_for_its_reader(
    cell: Cell, in_markdown: str, in_latex: str, in_csv: tuple[str, ...]
) -> None:
    table = of_one(cell, len(in_csv))
    assert markdown(table).splitlines()[2] == f"| row | {in_markdown} |"
    assert rf"row & {in_latex} \\" in latex(table).splitlines()
    assert list(csv.reader(io.StringIO(comma_separated(table))))[1] == ["row", *in_csv]


def test_without_caption_notes_and_rows_from_elsewhere_none_of_them_is_written() -> None:
    table = of_one("x")
    assert markdown(table) == "| variant | x |\n| :-- | --: |\n| row | x |\n"
    assert not re.search("caption|label|minipage|multicolumn", latex(table))


# The ten that LaTeX keeps for itself (Oetiker et al., The Not So Short Introduction to LaTeX, section 1.3.2).
SPECIAL = {
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "&": r"\&",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "\\": r"\textbackslash{}",
}


@pytest.mark.parametrize(("character", "escaped"), SPECIAL.items())
def test_the_ten_special_characters_are_escaped(character: str, escaped: str) -> None:
    assert escape_latex(f"a{character}b") == f"a{escaped}b"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a<b>c|d", r"a\textless{}b\textgreater{}c\textbar{}d"),
        ("a--b---c", "a-{}-b-{}-{}-c"),
        ("``x''", r"\`{}\`{}x'{}'"),
        ("two\nlines\tand\x1b more", "two lines and more"),
        ("1 \u00b1 2", r"1 $\pm$ 2"),
    ],
)
def test_what_would_print_otherwise_is_escaped_too(text: str, escaped: str) -> None:
    assert escape_latex(text) == escaped


@given(st.text(alphabet=string.printable))
def test_no_text_leaves_a_special_character_bare(text: str) -> None:
    escaped = escape_latex(text)
    bare = re.sub(r"\\[#$%&_{}]|\\text[a-z]+\{\}|\\`\{\}|(?<=[-'])\{\}(?=[-'])", "", escaped)
    assert not set(bare) & set(SPECIAL)
    assert "\n" not in escaped


# ------------------------------------------------------------------------------------------------- pdflatex


class Printed:
    """What pdflatex makes of a document, once."""

    def __init__(self, folder: Path, body: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "paper.tex").write_text(DOCUMENT % body, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        self.code, self.log = done.returncode, done.stdout
        self.folder = folder

    def text(self) -> str:
        command = ["pdftotext", "-layout", "paper.pdf", "-"]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout


def as_printed(text: str) -> str:
    """A text as pdftotext finds it: the default fonts have other quotes, and a rule for an underscore."""
    pairs = {"_": " ", "~": "\u02dc", "^": "\u02c6", "'": "\u2019", '"': "\u201d", "-": "-"}
    return " ".join("".join(pairs.get(character, character) for character in text).split())


def lines_of(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.latex
def test_pdflatex_prints_the_table_within_the_page(whole: PaperTable, tmp_path: Path) -> None:
    printed = Printed(tmp_path / "paper", latex(whole))
    assert printed.code == 0, printed.log
    assert "Overfull" not in printed.log
    lines = lines_of(printed.text())
    assert "Table 1: What the parts are worth: 100 % of it" in lines
    first = lines.index(
        "MSANet self attention \u2713 94.6 \u00b1 0.9 [92.41, 96.85] 3 baseline 33.3 3.23 0.972 \u2013"
    )
    assert lines[first + 2].startswith("no attention \u2013 \u2713 93.1 \u00b1 1.1")
    assert "from others.csv" in lines
    rows = [line for line in markdown(whole).splitlines() if line.startswith("|")][2:]
    assert sum(line in lines for line in map(_expected, rows)) == len(rows)


def _expected(row: str) -> str:
    """A row of the Markdown table as the page has it."""
    plain = row.replace("`, `", ",").replace("`", "").replace(r"x\|y &amp; co", "x/y & co")
    cells = [cell.strip().replace("x/y", "x|y") for cell in plain.split("|")[1:-1]]
    cells = ["\u2013" if cell == "-" else re.sub(r"(?<![\w])-(?=\d)", "\u2212", cell) for cell in cells]
    return as_printed(" ".join(cell for cell in cells if cell)).rstrip(":")


HOSTILE = (
    "[x] # $ % & _ { } ~ ^ \\ end",
    '*s <a>|b "q" --- \' *',
    "\\input{x} \\end{tabular}",
    "%comment",
)


@pytest.mark.latex
def test_pdflatex_prints_every_name_as_it_is(tmp_path: Path) -> None:
    columns = (Column("variant", "50 % & _", side="left"), Column("x", "[y]"))
    rows: list[tuple[Cell, ...]] = [(name, Code("c")) for name in HOSTILE]
    table = PaperTable("a_b", columns, tuple(rows), tuple(rows), "x_&.csv", HOSTILE, " ".join(HOSTILE))
    printed = Printed(tmp_path / "paper", latex(table))
    assert printed.code == 0, printed.log
    lines = lines_of(printed.text())
    for name in HOSTILE:
        assert lines.count(f"{as_printed(name)} c") == 2, lines
    assert "50 % & [y]" in lines


@pytest.mark.latex
@pytest.mark.parametrize("character", [c for c in SPECIAL if c != "~"])
def test_pdflatex_does_not_print_what_is_not_escaped(character: str, tmp_path: Path) -> None:
    escaped = escape_latex(f"a{character}b")
    text = latex(of_one(f"a{character}b"))
    assert escaped in text
    printed = Printed(tmp_path / "paper", text.replace(escaped, f"a{character}b"))
    assert printed.code != 0 or f"row {as_printed(f'a{character}b')}" not in lines_of(printed.text())


@pytest.mark.latex
def test_a_row_that_opens_with_a_bracket_needs_its_guard(tmp_path: Path) -> None:
    columns = (Column("variant", "variant", side="left"), Column("x", "x"))
    table = PaperTable("name", columns, (("a", "b"), ("[c]", "d")), (), "", (), "")
    assert "[c] d" in lines_of(Printed(tmp_path / "one", latex(table)).text())
    assert Printed(tmp_path / "two", latex(table).replace("{}[c]", "[c]")).code != 0


@pytest.mark.latex
def test_a_table_that_is_too_wide_would_be_noticed(whole: PaperTable, tmp_path: Path) -> None:
    wide = re.sub(r"\\resizebox.*%\n", "", latex(whole)).replace(r"\end{tabular}}", r"\end{tabular}")
    assert "Overfull" in Printed(tmp_path / "paper", wide).log


def test_the_packages_that_are_named_are_those_of_the_test_document(whole: PaperTable) -> None:
    assert latex(whole).splitlines()[0].removeprefix("% needs ") in DOCUMENT
