"""From a results folder to the report's files."""

from collections.abc import Iterator
from pathlib import Path

from msanet_bench.records import replace_bytes, replace_text
from msanet_bench.report.document import Block, DataFile, Figure, Report
from msanet_bench.report.figures import figure_pdf, figure_svg
from msanet_bench.report.findings import find
from msanet_bench.report.inputs import read_inputs
from msanet_bench.report.markdown import render
from msanet_bench.report.sections import SECTIONS


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


def write_report(results: Path, out: Path, *, pdf: bool = False) -> list[Path]:
    """Write report.md, its figures and its tables; returns the files, the report first.

    Equal results give equal bytes: nothing depends on the clock, the machine or the place.

    Args:
        results: The results folder.
        out: The report's folder.
        pdf: Write each figure as PDF, too. Its bytes depend on the versions of matplotlib and its font.

    Raises:
        ResultsError: the results folder cannot be read.
    """
    report = build_report(results)
    paths = []
    for name, text in report_files(report).items():
        paths.append(_place(out, name))
        replace_text(paths[-1], text)
    for name, content in pdf_files(report).items() if pdf else ():
        paths.append(_place(out, name))
        replace_bytes(paths[-1], content)
    return paths


def differing_files(results: Path, out: Path) -> list[Path]:
    """The files of a written report that are missing or not what the results give now.

    Raises:
        ResultsError: the results folder cannot be read.
    """
    files = {out / name: text.encode() for name, text in report_files(build_report(results)).items()}
    return [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]


def report_files(report: Report) -> dict[str, str]:
    """The text of each file by its path inside the report's folder: all that `--check` looks at."""
    return {"report.md": render(report), **dict(file for block in _blocks(report) for file in _files(block))}


def pdf_files(report: Report) -> dict[str, bytes]:
    """Each figure as PDF by its path inside the report's folder, beside its SVG."""
    figures = [block for block in _blocks(report) if isinstance(block, Figure)]
    return {f"figures/{figure.name}.pdf": figure_pdf(figure) for figure in figures}


def _place(out: Path, name: str) -> Path:
    """Where a file goes; its folder is made."""
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _blocks(report: Report) -> Iterator[Block]:
    return (block for section in report.sections for block in section.blocks)


def _files(block: Block) -> Iterator[tuple[str, str]]:
    if isinstance(block, DataFile):
        yield f"tables/{block.name}", block.text
    elif isinstance(block, Figure):
        yield f"figures/{block.name}.svg", figure_svg(block)
