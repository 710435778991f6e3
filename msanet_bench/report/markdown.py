"""GitHub-flavoured Markdown: text in, text out."""

from msanet_bench.gfm import code, code_cell, escape, grid, marked
from msanet_bench.report.document import (
    Block,
    Bullets,
    Cell,
    Code,
    Commands,
    DataFile,
    Paragraph,
    Report,
    Table,
)

__all__ = ["code", "escape", "marked", "render", "table"]


def render(report: Report) -> str:
    """The whole report."""
    parts = [f"# {escape(report.title)}"]
    for section in report.sections:
        parts += [f"## {escape(section.title)}", *map(_block, section.blocks)]
    return "\n\n".join(parts) + "\n"


def table(block: Table) -> str:
    """A table whose cells cannot break out of it."""
    rows = [[_cell(cell) for cell in row] for row in block.rows]
    return grid([escape(title) for title in block.header], rows, text_columns=block.text_columns)


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return text
        case Bullets(items):
            return "\n".join(f"- {item}" for item in items)
        case Commands(lines):
            return "\n".join(["```sh", *lines, "```"])
        case Table():
            return table(block)
        case DataFile(name):
            return f"The same with more digits: [tables/{name}](tables/{name})."
        case _:
            return f"![{escape(block.alt)}](figures/{block.name}.svg)"


def _cell(cell: Cell) -> str:
    return code_cell(cell.text) if isinstance(cell, Code) else escape(cell)
