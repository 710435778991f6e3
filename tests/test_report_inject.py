"""Filling a page: the part between the markers is the report's, and not a byte of the rest changes."""

import shutil
from pathlib import Path

import pytest

from commands import run_verb
from msanet_bench.errors import BenchError
from msanet_bench.report.build import build_report
from msanet_bench.report.document import (
    Bar,
    Bullets,
    Code,
    DataFile,
    Paragraph,
    Point,
    Report,
    Scatter,
    Section,
    Table,
)
from msanet_bench.report.inject import excerpt, filled_page, link_to, write_page
from report_text import rows

BEGIN, END = "<!-- msanet-bench:begin -->", "<!-- msanet-bench:end -->"
PAGE = f"# Mine\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
FENCED = f"```md\n{BEGIN}\n{END}\n```\n"


def report_of(number: int) -> Report:
    """A report on so many variants."""
    header = ("#", "variant", "accuracy, % [95 %]", "sd, pp", "seeds", "difference, pp", "verdict")
    places = range(1, number + 1)
    table = tuple((str(n), Code(f"width={n}"), "90", "1", "3/3", "+1", "HELPS") for n in places)
    costs = tuple((str(n), Code(f"width={n}"), "90", "5", "7", "1.5", "0.30") for n in places)
    titles = ("#", "variant", "accuracy, %", "params", "MACs", "latency, ms (1)", "best")
    return Report(
        "Results of a*b",
        (
            Section("Summary", (Paragraph("**Yes.**"), Bullets(("one", "two")), DataFile("all.csv", "a\n"))),
            Section("Setup", (Table(("setting", "value"), (("lr", "1"),)),)),
            Section(
                "Variants", (Paragraph("How to read it."), Table(header, table, 2), Table(titles, costs, 2))
            ),
        ),
    )


def fill(folder: Path, content: str | bytes, *, name: str = "mine", part: str = "new\n\nlines") -> bytes:
    page = folder / "README.md"
    page.write_bytes(content.encode() if isinstance(content, str) else content)
    write_page(page, filled_page(page, name, part))
    return page.read_bytes()


def test_the_part_is_the_first_section_the_table_in_short_and_a_link() -> None:
    assert excerpt(report_of(1), "../reports/mine") == (
        "**Yes.**\n\n- one\n- two\n\n"
        "The same with more digits: [tables/all.csv](../reports/mine/tables/all.csv).\n\n"
        "| variant | accuracy, % [95 %] | difference, pp | verdict | params | MACs | latency, ms (1) |\n"
        "| :-- | --: | --: | --: | --: | --: | --: |\n"
        "| `width=1` | 90 | +1 | HELPS | 5 | 7 | 1.5 |\n\n"
        "The rest: [Results of a\\*b](../reports/mine/report.md)."
    )


@pytest.mark.parametrize(
    ("variants", "shown", "rest"), [(20, 20, "The rest: "), (21, 20, "1 more variant and")]
)
def test_a_long_table_is_cut_and_says_so(variants: int, shown: int, rest: str) -> None:
    part = excerpt(report_of(variants), "there")
    assert len(rows(part)) == shown
    assert part.splitlines()[-1].startswith(rest)


def with_credit(report: Report) -> Report:
    """The report with what two components are worth, what they cost, and a figure of latency."""
    worths = (
        (Code("a"), "+1.0 ± 0.1", "HELPS", "+2.0 ± 0.1", "+1.5 ± 0.1", "+1.4 ± 0.1"),
        (Code("b"), "+0.1 ± 0.1", "UNRESOLVED", "+0.2 ± 0.1", "+0.1 ± 0.1", "+0.2 ± 0.1"),
        ("sum", "+1.1", "", "+2.2", "+1.6", "+1.6"),
    )
    rules = ("component", "remove from full", "verdict", "add to none", "average", "Shapley")
    costs = ((Code("a"), "+1.4", "+50", "+700"), (Code("b"), "+0.2", "+5", "+70"))
    credit = (
        Paragraph("By four rules."),
        Table(rules, worths),
        Table(("component", "worth, pp", "params", "MACs"), costs),
    )
    point = Point("b", Bar(1, 1, 1), Bar(9, 8, 10), "variant")
    figure = Scatter("accuracy_latency_cpu", "Accuracy against latency", "ratio", "%", (point,))
    extra = (Section("Credit", credit), Section("Latency", (figure,)))
    return Report(report.title, (*report.sections, *extra))


def test_of_many_variants_it_is_what_their_components_are_worth_and_cost() -> None:
    part = excerpt(with_credit(report_of(21)), "r")
    assert part.partition("By four rules.")[2] == (
        " What each costs is by Shapley's rule too.\n\n"
        "| component | remove from full | verdict | add to none | average | Shapley | params | MACs |\n"
        "| :-- | --: | --: | --: | --: | --: | --: | --: |\n"
        "| `a` | +1.0 ± 0.1 | HELPS | +2.0 ± 0.1 | +1.5 ± 0.1 | +1.4 ± 0.1 | +50 | +700 |\n"
        "| `b` | +0.1 ± 0.1 | UNRESOLVED | +0.2 ± 0.1 | +0.1 ± 0.1 | +0.2 ± 0.1 | +5 | +70 |\n\n"
        "![Accuracy against latency](r/figures/accuracy_latency_cpu.svg)\n\n"
        "The rest: [Results of a\\*b](r/report.md)."
    )


def test_of_few_variants_it_is_their_table_whatever_their_components_are_worth() -> None:
    assert "component" not in excerpt(with_credit(report_of(20)), "r")


def test_a_report_without_variants_has_no_table() -> None:
    first = Section("Summary", (Paragraph("Nothing yet."),))
    assert excerpt(Report("Results", (first,)), "r") == "Nothing yet.\n\nThe rest: [Results](r/report.md)."


def test_the_part_of_real_results_is_their_summary_and_every_link_leads_somewhere(
    small_results: Path,
) -> None:
    part = excerpt(build_report(small_results), "reports/small")
    assert part.startswith("**Question.** What are the attention and the 5x5 branch worth on 8x8 digits")
    assert [row[0] for row in rows(part)][:2] == ["`baseline`", "`branches.conv5=off`"]
    assert part.count("](") == part.count("](reports/small/") == 1


@pytest.mark.parametrize(
    ("page", "folder", "link"),
    [
        ("README.md", "reports/mine", "reports/mine"),
        ("docs/deep/page.md", "reports/mine", "../../reports/mine"),
        ("reports/mine/page.md", "reports/mine", "."),
        ("README.md", "reports/a b (1)", "reports/a%20b%20%281%29"),
    ],
)
def test_links_are_relative_to_the_folder_of_the_page(
    page: str, folder: str, link: str, tmp_path: Path
) -> None:
    assert link_to(tmp_path / folder, tmp_path / page) == link


def test_what_is_between_the_markers_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    expected = f"# Mine\n\n{BEGIN}\nnew\n\nlines\n{END}\n\nMore.\n"
    assert fill(tmp_path, PAGE) == expected.encode()
    assert fill(tmp_path, expected) == expected.encode()
    assert fill(tmp_path, f"{BEGIN}\n{END}\n") == f"{BEGIN}\nnew\n\nlines\n{END}\n".encode()


def test_windows_line_endings_stay_and_the_part_gets_them_too(tmp_path: Path) -> None:
    filled = fill(tmp_path, PAGE.replace("\n", "\r\n"))
    assert filled == f"# Mine\n\n{BEGIN}\nnew\n\nlines\n{END}\n\nMore.\n".replace("\n", "\r\n").encode()
    assert filled.count(b"\n") == filled.count(b"\r\n") == 9


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"no end of line:\r\nmixed\n", b"tail"),
        (b"\xef\xbb\xbf# A byte order mark\n", b"trailing  \n\n\n"),
        ("caf\u00e9 \u2028 \x0c\x85\n".encode(), b"\rold Mac"),
    ],
)
def test_every_byte_outside_the_markers_stays(before: bytes, after: bytes, tmp_path: Path) -> None:
    begin, end = f"{BEGIN}\n".encode(), f"{END}\n".encode()
    assert fill(tmp_path, before + begin + b"old\n" + end + after) == (
        before + begin + b"new\n\nlines\n" + end + after
    )


def test_a_page_may_end_with_its_marker(tmp_path: Path) -> None:
    assert fill(tmp_path, f"{BEGIN}\n{END}") == f"{BEGIN}\nnew\n\nlines\n{END}".encode()


def named(name: str, part: str = "old") -> str:
    return f"<!-- msanet-bench:begin {name} -->\n{part}\n<!-- msanet-bench:end {name} -->\n"


def test_several_results_stand_in_one_page_by_their_names(tmp_path: Path) -> None:
    page = f"{named('yours')}\n{PAGE}\n{named('mine')}"
    assert fill(tmp_path, page, part="new") == f"{named('yours')}\n{PAGE}\n{named('mine', 'new')}".encode()
    assert (
        fill(tmp_path, page, name="other", part="new")
        == page.replace(f"{BEGIN}\nold", f"{BEGIN}\nnew").encode()
    )


def test_markers_in_code_or_in_a_sentence_are_examples(tmp_path: Path) -> None:
    examples = f"{FENCED}~~~\n{BEGIN}\n```\n{END}\n~~~\nWrite `{BEGIN}` above `{END}`.\n\n    {BEGIN}\n"
    assert fill(tmp_path, examples + PAGE, part="new") == (examples + PAGE.replace("old", "new")).encode()


def test_a_line_with_code_between_three_backticks_opens_no_block(tmp_path: Path) -> None:
    assert fill(tmp_path, f"```x``` is code.\n{PAGE}", part="new").count(b"new") == 1


LAW = (
    f"must have a line `{BEGIN}` and below it a line `{END}`, "
    "each once and no other marker between them. Found: "
)


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("", "begin in no line; end in no line"),
        ("# Mine\n", "begin in no line; end in no line"),
        (f"{BEGIN}\n", "begin in line 1; end in no line"),
        (f"a\n{END}\n", "begin in no line; end in line 2"),
        (f"{END}\n{BEGIN}\n", "begin in line 2; end in line 1"),
        (f"{PAGE}{BEGIN}\n", "begin in line 3, 8; end in line 5"),
        (f"{PAGE}{PAGE}", "begin in line 3, 10; end in line 5, 12"),
        (f"{BEGIN}\n{named('yours')}{END}\n", "begin in line 1; end in line 5"),
        (f"a {BEGIN}\n{END}\n", "begin in no line; end in line 2"),
        (FENCED, "begin in no line; end in no line"),
    ],
)
def test_other_markers_are_one_clear_message_and_the_page_stays(
    page: str, found: str, tmp_path: Path
) -> None:
    with pytest.raises(BenchError) as caught:
        fill(tmp_path, page)
    place = tmp_path / "README.md"
    assert str(caught.value) == f"{place}: {LAW}{found}. The page is left as it is."
    assert place.read_text(encoding="utf-8") == page


def test_half_a_named_pair_is_not_made_up_for_by_the_plain_one(tmp_path: Path) -> None:
    with pytest.raises(
        BenchError, match=r"`<!-- msanet-bench:end mine -->`.*begin in line 8; end in no line"
    ):
        fill(tmp_path, f"{PAGE}<!-- msanet-bench:begin mine -->\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read (No such file or directory)."), (b"\xff", "not UTF-8 text (invalid start byte")],
)
def test_a_page_that_cannot_be_read_is_one_message(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    page = tmp_path / "README.md"
    if content is not None:
        page.write_bytes(content)
    with pytest.raises(BenchError) as caught:
        filled_page(page, "mine", "new")
    assert str(caught.value).startswith(f"{page}: {message}")


def test_a_page_that_is_up_to_date_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, PAGE)

    def refuse(*_: object) -> None:
        raise AssertionError("written")

    monkeypatch.setattr("msanet_bench.report.inject.replace_text", refuse)
    page = tmp_path / "README.md"
    write_page(page, filled_page(page, "mine", "new\n\nlines"))
    with pytest.raises(AssertionError, match="written"):
        write_page(page, filled_page(page, "mine", "other"))


def test_a_link_to_a_page_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "README.md").symlink_to("page.md")
    fill(tmp_path, PAGE)
    assert (tmp_path / "README.md").is_symlink()
    assert "new" in (tmp_path / "page.md").read_text(encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, small_results: Path) -> Path:
    """A folder with results, a page in a folder of its own, and a page without markers."""
    shutil.copytree(small_results, tmp_path / "results" / "small")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "bare.md").write_text("# Bare\n", encoding="utf-8")
    return tmp_path


def test_a_page_is_filled_and_checked(desk: Path) -> None:
    asked = ("report", "results/small", "--inject", "docs/page.md")
    page = desk / "docs" / "page.md"
    assert run_verb(*asked, cwd=desk) == (0, "reports/small/report.md\ndocs/page.md\n", "")
    filled = page.read_text(encoding="utf-8")
    assert "(../reports/small/report.md).\n" + END in filled
    assert (page.parent / "../reports/small/report.md").is_file()
    assert run_verb(*asked, "--check", cwd=desk) == (0, "reports/small: up to date.\n", "")
    page.write_text(filled.replace("`baseline`", "`line of base`"), encoding="utf-8")
    differs = "docs/page.md: differs from what results/small gives.\n"
    assert run_verb(*asked, "--check", cwd=desk) == (1, differs, "")
    assert "`line of base`" in page.read_text(encoding="utf-8")
    page.write_text(f"{filled}Below the markers.\n", encoding="utf-8")
    assert run_verb(*asked, "--check", cwd=desk).code == 0


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_a_page_without_markers_is_refused_before_anything_is_written(check: list[str], desk: Path) -> None:
    before = sorted(desk.rglob("*"))
    code, out, err = run_verb("report", "results/small", "--inject", "bare.md", *check, cwd=desk)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("bare.md: must have a line `<!-- msanet-bench:begin -->`")
    assert (desk / "bare.md").read_text(encoding="utf-8") == "# Bare\n"
    assert sorted(desk.rglob("*")) == before
