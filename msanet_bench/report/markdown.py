"""GitHub-flavoured Markdown: text in, text out."""

import re
from collections.abc import Iterable, Sequence

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

# An underscore inside a word is plain on GitHub, and so is a bracket that no link can follow.
_SPECIAL = re.compile(r"([\\`*|~$]|(?<!\w)_|_(?!\w)|\](?=[(\[:]))")
# What would open a heading, a quotation or a list.
_OPENING = re.compile(r"^(?:(\d*)(?=[.)] )|(?=>|[#+-]+ ))")
# A comma before `path=`, outside parentheses: where one change ends and the next begins.
_BETWEEN_CHANGES = re.compile(r",(?=[\w.]+=)(?![^(]*\))")


def render(report: Report) -> str:
    """The whole report."""
    parts = [f"# {escape(report.title)}"]
    for section in report.sections:
        parts += [f"## {escape(section.title)}", render_blocks(section.blocks)]
    return "\n\n".join(parts) + "\n"


def render_blocks(blocks: Iterable[Block], *, folder: str = "") -> str:
    """What stands below a heading; `folder/` is how a page elsewhere links to the report's folder."""
    return "\n\n".join(_block(block, folder) for block in blocks)


def escape(text: str) -> str:
    """Plain text that Markdown leaves alone, on one line."""
    return _OPENING.sub(r"\1\\", _quoted(" ".join(text.split())))


def code(text: str) -> str:
    """A name in code font; a long variant name may wrap after each of its changes."""
    return ", ".join(_span(part) for part in _BETWEEN_CHANGES.split(" ".join(text.split())))


def marked(text: str) -> str:
    """Plain text in which names stand between backticks."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0 or "" in parts[1::2]:
        return escape(text)
    return "".join(_span(part) if index % 2 else _quoted(part) for index, part in enumerate(parts))


def table(block: Table) -> str:
    """A table whose cells cannot break out of it."""
    right = len(block.header) - block.text_columns
    rule = [":--"] * block.text_columns + ["--:"] * right
    rows = [_row([escape(title) for title in block.header]), _row(rule)]
    return "\n".join([*rows, *(_row([_cell(cell) for cell in row]) for row in block.rows)])


def _block(block: Block, folder: str) -> str:
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
            return f"The same with more digits: [tables/{name}]({folder}tables/{name})."
        case _:
            return f"![{escape(block.alt)}]({folder}figures/{block.name}.svg)"


def _quoted(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;")


def _span(text: str) -> str:
    # A fence of more backticks than the text has in a row; a space keeps a backtick at the edge apart.
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if longest else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _cell(cell: Cell) -> str:
    # A bar ends a cell even in code font, unless a backslash precedes it that GitHub takes away there;
    # a backslash of the name itself would be taken for that one, so such a name is plain text.
    match cell:
        case Code(text) if "\\" not in text:
            return code(text).replace("|", "\\|")
        case Code(text):
            return escape(text)
        case _:
            return escape(cell)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
