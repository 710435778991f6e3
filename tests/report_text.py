"""A report's text and its parts, for tests."""

import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msanet_bench.report.build import build_report, report_files


def report(results: Path, *, allow_mixed: bool = False) -> str:
    return report_files(build_report(results, allow_mixed=allow_mixed))["report.md"]


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def rows(text: str) -> list[list[str]]:
    """The body of the first table of a text."""
    return tables(text)[0] if tables(text) else []


def tables(text: str) -> list[list[list[str]]]:
    """The bodies of all tables of a text."""
    found = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    return [[_cells(line) for line in block.splitlines()[2:]] for block in found]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def plain(name: str) -> str:
    return name.replace("`", "").replace(", ", ",")


def edit_manifest(results: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    file = results / "manifest.json"
    manifest = json.loads(file.read_text())
    edit(manifest)
    file.write_text(json.dumps(manifest))


def edit_table(file: Path, wanted: Callable[[Mapping[str, str]], bool], **values: str) -> None:
    """Change columns of the rows of a CSV file that are wanted; at least one is."""
    with file.open(encoding="utf-8", newline="") as lines:
        table = list(csv.DictReader(lines))
    chosen = [row for row in table if wanted(row)]
    assert chosen
    assert values.keys() <= table[0].keys()
    for row in chosen:
        row.update(values)
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
