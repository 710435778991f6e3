"""Tables for a paper as their readers see them, for tests."""

import csv
import io
from pathlib import Path
from typing import Any

from msanet_bench.report.paper.build import paper_table
from msanet_bench.report.paper.choices import Request
from msanet_bench.report.paper.plain import comma_separated, markdown
from report_text import rows


def body(results: Path, **request: Any) -> dict[str, list[str]]:
    """The cells of each row of the Markdown table, by the row's name."""
    lines = rows(markdown(paper_table(results, Request(**request))))
    return {line[0].replace("`", "").replace(", ", ","): line[1:] for line in lines}


def header(results: Path, **request: Any) -> list[str]:
    """The names of the columns in Markdown, without that of the rows."""
    text = markdown(paper_table(results, Request(**request)))
    first = next(line for line in text.splitlines() if line.startswith("|"))
    return [cell.strip() for cell in first.split("|")[2:-1]]


def fields(results: Path, **request: Any) -> list[dict[str, str]]:
    """The rows of the CSV file."""
    return list(csv.DictReader(io.StringIO(comma_separated(paper_table(results, Request(**request))))))


def notes(results: Path, **request: Any) -> str:
    return " ".join(paper_table(results, Request(**request)).notes)
