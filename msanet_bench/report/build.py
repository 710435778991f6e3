"""From a results folder to the report's files."""

from collections.abc import Iterator
from pathlib import Path

from msanet_bench.records import replace_text
from msanet_bench.report.document import Block, DataFile, Forest, Report, Scatter
from msanet_bench.report.figures import forest_svg, scatter_svg
from msanet_bench.report.findings import find
from msanet_bench.report.html import page
from msanet_bench.report.inputs import read_inputs
from msanet_bench.report.markdown import render
from msanet_bench.report.sections import SECTIONS

PAGE = "report.html"


def build_report(results: Path) -> Report:
    """What the report of a results folder says.

    Raises:
        ResultsError: the folder cannot be read.
    """
    findings = find(read_inputs(results))
    sections = (section(findings) for section in SECTIONS)
    return Report(
        f"Results of {findings.manifest.name}", tuple(section for section in sections if section is not None)
    )


def write_report(results: Path, out: Path, *, html: bool = False) -> list[Path]:
    """Write report.md, its figures and its tables; returns the files, the report first.

    The page is written where it is asked for or there already, so that none is left behind.
    Equal results give equal bytes: nothing depends on the clock, the machine or the place.

    Raises:
        ResultsError: the results folder cannot be read.
    """
    paths = []
    for name, text in _files_of(results, out, html=html).items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, text)
        paths.append(path)
    return paths


def differing_files(results: Path, out: Path, *, html: bool = False) -> list[Path]:
    """The files of a written report that are missing or not what the results give now.

    Raises:
        ResultsError: the results folder cannot be read.
    """
    files = {out / name: text.encode() for name, text in _files_of(results, out, html=html).items()}
    return [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]


def report_files(report: Report, *, html: bool = False) -> dict[str, str]:
    """The text of each file by its path inside the report's folder."""
    blocks = [block for section in report.sections for block in section.blocks]
    files = {"report.md": render(report), **dict(file for block in blocks for file in _files(block))}
    return files | ({PAGE: page(report, files)} if html else {})


def _files_of(results: Path, out: Path, *, html: bool) -> dict[str, str]:
    return report_files(build_report(results), html=html or (out / PAGE).is_file())


def _files(block: Block) -> Iterator[tuple[str, str]]:
    match block:
        case DataFile(name, text):
            yield f"tables/{name}", text
        case Forest(name):
            yield f"figures/{name}.svg", forest_svg(block)
        case Scatter(name):
            yield f"figures/{name}.svg", scatter_svg(block)
        case _:
            return
