"""Text that GitHub must show as it was meant."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from msanet_bench.report.document import (
    Bullets,
    Code,
    Commands,
    Paragraph,
    Report,
    Section,
    Table,
)
from msanet_bench.report.markdown import code, escape, marked, render, table


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("self_attention", "self_attention"),
        ("_private_", "\\_private\\_"),
        ("2 * 3 | 4", "2 \\* 3 \\| 4"),
        ("<b> & `x`", "&lt;b> &amp; \\`x\\`"),
        ("two\nlines", "two lines"),
        ("[1.0, 2.0]", "[1.0, 2.0]"),
        ("[text](link)", "[text\\](link)"),
        ("# heading", "\\# heading"),
        ("- item", "\\- item"),
        ("3. third", "3\\. third"),
        ("> quoted", "\\> quoted"),
        ("-0.32", "-0.32"),
        ("$x$", "\\$x\\$"),
    ],
)
def test_plain_text_stays_plain(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("baseline", "`baseline`"),
        ("a.b=off,attention=none", "`a.b=off`, `attention=none`"),
        ("attention=eca(gamma=3,b=1),width=2", "`attention=eca(gamma=3,b=1)`, `width=2`"),
        ("a`b", "`` a`b ``"),
    ],
)
def test_a_name_may_wrap_between_its_changes_only(name: str, written: str) -> None:
    assert code(name) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("branch `a_*` of <b>", "branch `a_*` of &lt;b>"),
        ("one ` alone", "one \\` alone"),
        ("an empty `` pair", "an empty \\`\\` pair"),
    ],
)
def test_names_between_backticks_stay_names(text: str, written: str) -> None:
    assert marked(text) == written


def test_a_table_is_written_with_its_alignment() -> None:
    block = Table(("variant", "pp"), ((Code("a|b"), "+1.00"), (Code("c"), "-")))
    assert table(block).splitlines() == [
        "| variant | pp |",
        "| :-- | --: |",
        "| `a\\|b` | +1.00 |",
        "| `c` | - |",
    ]


def cells(line: str) -> list[str]:
    """The cells of a table's line as GitHub splits them: at every bar that no backslash precedes."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


hostile = st.text(alphabet="ab|\\`\n\r\u2028<>_*[]()#-+. \t", max_size=12)


@example([("", "\\|")])
@given(st.lists(st.tuples(hostile, hostile), min_size=1, max_size=4))
def test_no_text_breaks_out_of_its_cell(rows: list[tuple[str, str]]) -> None:
    block = Table(("a", "b"), tuple((first, Code(second or "x")) for first, second in rows))
    lines = table(block).split("\n")
    assert len(lines) == 2 + len(rows)
    assert all(len(cells(re.sub(r"\\\\", "", line))) == 2 for line in lines)
    assert "<" not in table(Table(("a",), tuple((first,) for first, _ in rows)))


def test_the_same_text_without_escaping_does_break_out() -> None:
    assert len(cells("| a | b|c |")) == 3


def test_a_report_is_its_sections_one_after_the_other() -> None:
    blocks = (Paragraph("text"), Bullets(("one", "two")), Commands(("make sweep",)))
    assert render(Report("A_ title", (Section("First", blocks),))) == (
        "# A\\_ title\n\n## First\n\ntext\n\n- one\n- two\n\n```sh\nmake sweep\n```\n"
    )
