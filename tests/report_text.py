"""A report's text and its parts, for tests."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msanet_bench.report.build import build_report, report_files


def report(results: Path) -> str:
    return report_files(build_report(results))["report.md"]


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def rows(text: str) -> list[list[str]]:
    """The body of the first table of a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def plain(name: str) -> str:
    return name.replace("`", "").replace(", ", ",")


def edit_manifest(results: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    file = results / "manifest.json"
    manifest = json.loads(file.read_text())
    edit(manifest)
    file.write_text(json.dumps(manifest))
