"""From a results folder to the report's files."""

from collections.abc import Iterator
from pathlib import Path

from msanet_bench.records import replace_bytes
from msanet_bench.report.data import report_json, says_the_same
from msanet_bench.report.document import Block, DataFile, Figure, Report
from msanet_bench.report.external import Reference
from msanet_bench.report.figures import figure_pdf, figure_svg
from msanet_bench.report.findings import find
from msanet_bench.report.html import page
from msanet_bench.report.inputs import read_inputs
from msanet_bench.report.markdown import render
from msanet_bench.report.sections import SECTIONS

PAGE, NUMBERS = "report.html", "report.json"


def build_report(
    results: Path, *, allow_mixed: bool = False, references: tuple[Reference, ...] = ()
) -> Report:
    """What the report of a results folder says, beside rows from elsewhere.

    Raises:
        ResultsError: the folder cannot be read, or its results come from different environments.
    """
    findings = find(read_inputs(results, allow_mixed=allow_mixed), references)
    sections = (section(findings) for section in SECTIONS)
    return Report(
        title=f"Results of {findings.manifest.name}",
        sections=tuple(section for section in sections if section is not None),
        numbers=report_json(findings),
    )


def write_report(report: Report, out: Path, *, html: bool = False, pdf: bool = False) -> list[Path]:
    """Write report.md, report.json, the figures and the tables; returns the files, the report first.

    Equal results give equal bytes: nothing depends on the clock, the machine or the place.

    Args:
        report: What to write.
        out: The report's folder.
        html: The page too; where it is there already it is always renewed, so that none is left behind.
        pdf: Each figure as PDF too. Its bytes depend on the versions of matplotlib and its font.

    Raises:
        ResultsError: the disk refuses.
    """
    texts = _files_in(out, report, html=html)
    files = {name: text.encode() for name, text in texts.items()} | (pdf_files(report) if pdf else {})
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_bytes(path, content)
    return [out / name for name in files]


def differing_files(report: Report, out: Path, *, html: bool = False) -> list[Path]:
    """The files of a written report that are missing or not what the results give now.

    Of report.json, whose numbers are not rounded, the last bits may be those of another machine.
    """
    texts = {out / name: text for name, text in _files_in(out, report, html=html).items()}
    return [path for path, text in texts.items() if not (path.is_file() and _is_up_to_date(path, text))]


def report_files(report: Report, *, html: bool = False) -> dict[str, str]:
    """The text of each file by its path inside the report's folder: all that `--check` looks at."""
    files = {
        "report.md": render(report),
        NUMBERS: report.numbers,
        **dict(file for block in _blocks(report) for file in _files(block)),
    }
    return files | ({PAGE: page(report, files)} if html else {})


def pdf_files(report: Report) -> dict[str, bytes]:
    """Each figure as PDF by its path inside the report's folder, beside its SVG."""
    figures = [block for block in _blocks(report) if isinstance(block, Figure)]
    return {f"figures/{figure.name}.pdf": figure_pdf(figure) for figure in figures}


def _blocks(report: Report) -> Iterator[Block]:
    return (block for section in report.sections for block in section.blocks)


def _files_in(out: Path, report: Report, *, html: bool) -> dict[str, str]:
    return report_files(report, html=html or (out / PAGE).is_file())


def _is_up_to_date(path: Path, text: str) -> bool:
    content = path.read_bytes()
    if content == text.encode():
        return True
    return path.name == NUMBERS and says_the_same(content.decode("utf-8", "replace"), text)


def _files(block: Block) -> Iterator[tuple[str, str]]:
    if isinstance(block, DataFile):
        yield f"tables/{block.name}", block.text
    elif isinstance(block, Figure):
        yield f"figures/{block.name}.svg", figure_svg(block)
