"""From a results folder to the report's files."""

from collections.abc import Iterator
from pathlib import Path

from msanet_bench.records import replace_text
from msanet_bench.report.data import report_json
from msanet_bench.report.document import Block, DataFile, Forest, Report, Scatter
from msanet_bench.report.figures import forest_svg, scatter_svg
from msanet_bench.report.findings import find
from msanet_bench.report.inputs import read_inputs
from msanet_bench.report.markdown import render
from msanet_bench.report.sections import SECTIONS


def build_report(results: Path, *, allow_mixed: bool = False) -> Report:
    """What the report of a results folder says.

    Raises:
        ResultsError: the folder cannot be read, or its results come from different environments.
    """
    findings = find(read_inputs(results, allow_mixed=allow_mixed))
    sections = (section(findings) for section in SECTIONS)
    return Report(
        title=f"Results of {findings.manifest.name}",
        sections=tuple(section for section in sections if section is not None),
        numbers=report_json(findings),
    )


def write_report(results: Path, out: Path) -> list[Path]:
    """Write report.md, its figures and its tables; returns the files, the report first.

    Equal results give equal bytes: nothing depends on the clock, the machine or the place.

    Raises:
        ResultsError: the results folder cannot be read.
    """
    paths = []
    for name, text in report_files(build_report(results)).items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, text)
        paths.append(path)
    return paths


def differing_files(results: Path, out: Path) -> list[Path]:
    """The files of a written report that are missing or not what the results give now.

    Raises:
        ResultsError: the results folder cannot be read.
    """
    files = {out / name: text.encode() for name, text in report_files(build_report(results)).items()}
    return [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]


def report_files(report: Report) -> dict[str, str]:
    """The text of each file by its path inside the report's folder."""
    blocks = [block for section in report.sections for block in section.blocks]
    return {"report.md": render(report), **dict(file for block in blocks for file in _files(block))}


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
