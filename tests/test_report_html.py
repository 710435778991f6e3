"""The report as one page: what it says, and what it must not hold."""

import base64
import hashlib
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import run_verb
from html_text import HOSTILE, Page, page_of, parsed, rename, without_marks
from msanet_bench.report.document import Bar, Code, Paragraph, Point, Report, Scatter, Section
from msanet_bench.report.figures import figure_svg
from msanet_bench.report.html import page, sort_value
from report_text import report

WRITE = """
import sys
from pathlib import Path
from msanet_bench.report.build import build_report, write_report
write_report(build_report(Path(sys.argv[1])), Path(sys.argv[2]), html=True)
"""
NAN = math.nan


@pytest.fixture
def results(small_results: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "small")
    return tmp_path / "small"


def markdown_tables(text: str) -> list[list[list[str]]]:
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [
        [
            [without_marks(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in table.splitlines()
            if not line.startswith("| :--")
        ]
        for table in tables
    ]


def test_the_tables_are_those_of_the_markdown_cell_by_cell(small_results: Path) -> None:
    expected = markdown_tables(report(small_results))
    assert len(expected) > 5
    assert parsed(page_of(small_results)).tables == expected


def test_the_texts_are_those_of_the_markdown_line_by_line(small_results: Path) -> None:
    lines = re.sub(r"```.*?```", "", report(small_results), flags=re.DOTALL).splitlines()
    expected = [without_marks(line.removeprefix("- ")) for line in lines if re.match(r"[^#|!]", line)]
    contents = sum(line.startswith("## ") for line in lines)
    found = parsed(page_of(small_results))
    assert found.of("p", "li")[contents:] == expected
    assert f"```sh\n{found.of('pre')[0]}\n```" in report(small_results)


def test_every_section_is_in_the_contents_and_every_anchor_leads_somewhere(small_results: Path) -> None:
    found = parsed(page_of(small_results))
    ids, anchors = found.values("id"), [ref for ref in found.values("href") if ref.startswith("#")]
    assert len(ids) == len(set(ids))
    assert {anchor.removeprefix("#") for anchor in anchors} <= set(ids)
    titles = re.findall(r"^## (.*)$", report(small_results), re.MULTILINE)
    assert found.of("li")[: len(titles)] == titles


def test_what_a_figure_refers_to_is_its_own(small_results: Path) -> None:
    found = parsed(page_of(small_results))
    named = {ref for value in found.values("clip-path") for ref in re.findall(r"^url\(#(.+)\)$", value)}
    uses = {attributes["href"].removeprefix("#") for tag, attributes in found.elements if tag == "use"}
    assert named
    assert uses
    assert named | uses <= set(found.values("id"))


def doubts(found: Page) -> Iterator[str]:
    """What could run, or be fetched from elsewhere."""
    for tag, attributes in found.elements:
        if tag in {"script", "style"} and attributes:
            yield f"<{tag}> with attributes"
        if tag in {"img", "image", "link", "iframe", "object", "embed", "base", "form"}:
            yield f"<{tag}>"
        yield from (f"{name} of <{tag}>" for name in attributes if name.startswith("on") or name == "style")
        for name in ("src", "href", "xlink:href", "action"):
            if not re.match(r"#|tables/|$", attributes.get(name, "")):
                yield f"{name} of <{tag}>"
    scripts = sum(tag == "script" for tag, _ in found.elements)
    if scripts != 1:
        yield f"{scripts} scripts"
    yield from re.findall(r"@import|url\(", "".join(found.of("style")))


@pytest.mark.parametrize(
    "name", ["eca", HOSTILE, "<img src=//x onerror=alert(1)>", "</style>' x", "]]>&lt;![a](http://b.c)"]
)
def test_no_name_becomes_more_than_text(results: Path, name: str) -> None:
    rename(results, "attention=eca", name)
    found = parsed(page_of(results))
    assert list(doubts(found)) == []
    assert name in found.of("td")
    assert name in found.of("text")
    assert any(note.startswith(f"{name}\n") for note in found.values("aria-label"))


@pytest.mark.parametrize(
    ("planted", "doubt"),
    [
        (HOSTILE, "2 scripts"),
        ('<img alt="x">', "<img>"),
        ('<p onclick="x">', "onclick of <p>"),
        ('<p style="x">', "style of <p>"),
        ('<a href="http://a.b">', "href of <a>"),
        ('<a href="javascript:x">', "href of <a>"),
        ("<style>@import x</style>", "@import"),
    ],
)
def test_a_doubtful_part_would_be_found(planted: str, doubt: str) -> None:
    assert list(doubts(parsed(f"<script>x</script>{planted}"))) == [doubt]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&amp; `a_b` **c**", "<p>&lt;b&gt;&amp; <code>a_b</code> <strong>c</strong></p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("![x](http://a.b/c.png)", '<p>!<a href="http://a.b/c.png">x</a></p>'),
    ],
)
def test_running_text_may_only_be_marked_and_linked(text: str, shown: str) -> None:
    assert shown in page(Report("title", (Section("A", (Paragraph(text),)),)), {})


def test_the_policy_names_the_very_style_and_script_that_are_there(small_results: Path) -> None:
    found = parsed(page_of(small_results))
    policy = next(value for value in found.values("content") if "default-src" in value)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        (text,) = found.of(kind)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert re.findall(rf"{kind}-src ([^;]*)", policy) == [f"'sha256-{digest}'"]


def test_beside_its_figures_a_page_is_small(small_results: Path) -> None:
    text, figures = re.subn(r"<svg .*?</svg>", "", page_of(small_results), flags=re.DOTALL)
    assert figures == report(small_results).count("](figures/")
    assert len(text.encode()) < 300_000


def test_two_processes_write_equal_bytes(small_results: Path, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        command = [sys.executable, "-c", WRITE, str(small_results.resolve()), str(tmp_path / seed)]
        subprocess.run(command, check=True, cwd=tmp_path, env=os.environ | {"PYTHONHASHSEED": seed})
    first, second = (tmp_path / seed / "report.html" for seed in ("1", "2"))
    assert first.read_bytes() == second.read_bytes() == page_of(small_results).encode()


def test_the_page_is_written_where_asked_for_and_renewed_where_it_is(results: Path, tmp_path: Path) -> None:
    html, written = tmp_path / "reports/small/report.html", "reports/small/report.md\n"
    assert run_verb("report", "small", cwd=tmp_path).out == written
    assert run_verb("report", "small", "--check", "--html", cwd=tmp_path).code == 1
    assert not html.exists()
    both = written + "reports/small/report.html\n"
    assert run_verb("report", "small", "--html", cwd=tmp_path).out == both
    html.write_text("old")
    code, out, _ = run_verb("report", "small", "--check", cwd=tmp_path)
    assert (code, out) == (1, "reports/small/report.html: differs from what small gives.\n")
    assert run_verb("report", "small", cwd=tmp_path).out == both
    assert html.read_bytes() == page_of(results).encode()
    assert run_verb("report", "small", "--check", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("88.36 [87.59, 89.14]", "88.36"),
        ("+0.19 [-0.45, +0.82]", "+0.19"),
        ("[-1.22, +0.06]", "-1.22"),
        ("15,172,498", "15172498"),
        ("3/3", "3"),
        ("13-14", "13"),
        ("< 0.001", "0.001"),
        ("2e-05", "2e-05"),
        ("-", None),
        ("baseline", None),
        ("n = 3", None),
    ],
)
def test_a_cell_sorts_by_its_first_number(text: str, value: str | None) -> None:
    assert sort_value(text, whole=False) == value
    assert sort_value(Code(text), whole=False) == value


@pytest.mark.parametrize(
    ("text", "value"), [("12", "12"), ("0, 1, 2", None), ("3x3", None), ("0.5 pp", None)]
)
def test_in_a_column_of_text_only_a_whole_number_is_one(text: str, value: str | None) -> None:
    assert sort_value(text, whole=True) == value


@pytest.mark.parametrize(
    ("x", "note"),
    [
        (Bar(0.9213, 0.9021, 0.9391), "0.921 [0.902, 0.939]"),
        (Bar(1.0, NAN, NAN), "1.00"),
        (Bar(1.0071, 0.98, 1.02), "1.007 [0.980, 1.020]"),
        (Bar(3_759_556.0, NAN, NAN), "3,759,556"),
        (Bar(0.0, NAN, NAN), "0.00"),
    ],
)
def test_a_point_says_its_name_and_both_values(x: Bar, note: str) -> None:
    point = Point("7", x, Bar(88.357, 87.586, 89.138), "variant", name="a=off")
    scatter = Scatter("trade", "alt", "latency", "accuracy, %", (point,))
    text = page(Report("title", (Section("A", (scatter,)),)), {"figures/trade.svg": figure_svg(scatter)})
    notes = [attributes for _, attributes in parsed(text).elements if attributes.get("class") == "point"]
    assert [(n["id"], n["aria-label"], n["role"]) for n in notes] == [
        ("figure-trade-point-0", f"a=off\naccuracy, %: 88.36 [87.59, 89.14]\nlatency: {note}", "img")
    ]
