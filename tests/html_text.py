"""What stands in a page of HTML, read by the standard library's parser."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from msanet_bench.report.build import PAGE, build_report, report_files

HOSTILE = "<script>alert(1)</script>"


@dataclass
class Page(HTMLParser):
    """Elements with their attributes, and the text of some of them, in order."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    collected: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        match tag:
            case "table":
                self.tables.append([])
            case "tr":
                self.tables[-1].append([])
            case "p" | "li" | "th" | "td" | "text" | "style" | "script" | "figcaption" | "pre":
                self.collected = ""

    def handle_data(self, data: str) -> None:
        self.collected += data

    def handle_endtag(self, tag: str) -> None:
        if tag in {"th", "td"}:
            self.tables[-1][-1].append(" ".join(self.collected.split()))
        self.texts.append((tag, self.collected))

    def of(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags]

    def values(self, *names: str) -> list[str]:
        return [
            value for _, attributes in self.elements for name, value in attributes.items() if name in names
        ]


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    return page


def page_of(results: Path) -> str:
    return report_files(build_report(results), html=True)[PAGE]


def rename(results: Path, old: str, new: str) -> None:
    """Call a level by another name, wherever it stands in a results folder."""
    for file in results.glob("*"):
        file.write_text(file.read_text().replace(old, new))


def without_marks(markdown: str) -> str:
    """Inline Markdown as a reader sees it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"\*\*|(?<!\\)`", "", markdown))
    return re.sub(r"\\(.)", r"\1", text).replace("&lt;", "<").replace("&amp;", "&")
