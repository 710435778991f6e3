"""What all figures promise: any name, any page, equal bytes."""

import hashlib
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from drawn import every_kind, texts
from msanet_bench.report import figures
from msanet_bench.report.document import Figure
from msanet_bench.report.figures import figure_pdf, figure_svg
from msanet_bench.report.figures.style import STYLES

KINDS = [type(figure).__name__ for figure in every_kind()]
LONG = "branches.conv3=off,branches.conv5=off,branches.dilated=off,branches.context=off,attention=none"


def of_kind(kind: str, name: str = "conv3", half: float = 0.3) -> Figure:
    return every_kind(name, half)[KINDS.index(kind)]


def digests() -> dict[str, str]:
    """Of every kind in both formats."""
    drawn = {f"{kind}.svg": figure_svg(of_kind(kind)).encode() for kind in KINDS}
    drawn |= {f"{kind}.pdf": figure_pdf(of_kind(kind)) for kind in KINDS}
    return {name: hashlib.sha256(content).hexdigest() for name, content in drawn.items()}


def with_style(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    monkeypatch.setattr(figures, "STYLES", (*STYLES, {name: value}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["$x$", '<b>&"', "100 %", "模型", "]]>", "a_{b"])
def test_any_name_is_drawn_as_it_is(kind: str, name: str) -> None:
    svg = figure_svg(of_kind(kind, name))
    assert any(text.startswith(name) for text in texts(svg))
    ET.fromstring(svg)  # noqa: S314 (our own text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_name_is_shown_whole(kind: str) -> None:
    shown = " ".join(texts(figure_svg(of_kind(kind, LONG))))
    assert all(change in shown for change in LONG.split(","))


@pytest.mark.parametrize("kind", KINDS)
def test_without_intervals_there_is_still_a_figure(kind: str) -> None:
    svg = figure_svg(of_kind(kind, half=math.nan))
    assert "conv3" in " ".join(texts(svg))
    assert "95 %" not in svg
    assert not re.search(r"\bnan\b", svg)


@pytest.mark.parametrize("kind", KINDS)
def test_the_card_is_white_and_as_wide_as_github_shows_it(kind: str) -> None:
    svg = figure_svg(of_kind(kind))
    card = re.search(r'<g id="patch_1">\s*<path d="([^"]*)" style="fill: #ffffff"', svg)
    assert card is not None
    assert 'viewBox="0 0 619.2 ' in svg
    assert "L 619.2" in card[1]


@pytest.mark.parametrize("kind", KINDS)
def test_no_figure_says_when_and_by_what_it_was_made(kind: str) -> None:
    assert not re.search(r"<dc:date>|<dc:creator>|Matplotlib v", figure_svg(of_kind(kind)))
    assert not re.search(rb"/CreationDate|/Creator|/Producer", figure_pdf(of_kind(kind)))


def test_two_processes_give_equal_bytes(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 23\nsvg.fonttype: path\npdf.fonttype: 3\n")
    code = "import json, test_report_figures as t; print(json.dumps(t.digests()))"
    changes = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"}
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **changes, "PYTHONPATH": path, "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == digests()


def test_without_the_salt_bytes_would_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    with_style(monkeypatch, "svg.hashsalt", None)
    first, second = (figure_svg(of_kind("Forest")) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("kind", KINDS)
def test_a_pdf_has_its_fonts_embedded_as_publishers_ask(kind: str) -> None:
    pdf = figure_pdf(of_kind(kind))
    assert pdf.startswith(b"%PDF-")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf


def test_fonts_that_publishers_refuse_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with_style(monkeypatch, "pdf.fonttype", 3)
    assert b"/Type3" in figure_pdf(of_kind("Forest"))
