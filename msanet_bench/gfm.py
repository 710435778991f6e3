"""Pieces of GitHub-flavoured Markdown: text in, text out that cannot break out of its place."""

import re
from collections.abc import Iterable, Sequence

# An underscore inside a word is plain on GitHub, and so is a bracket that no link can follow.
_SPECIAL = re.compile(r"([\\`*|~$]|(?<!\w)_|_(?!\w)|\](?=[(\[:]))")
# What would open a heading, a quotation or a list.
_OPENING = re.compile(r"^(?:(\d*)(?=[.)] )|(?=>|[#+-]+ ))")
# A comma before `path=`, outside parentheses: where one change ends and the next begins.
_BETWEEN_CHANGES = re.compile(r",(?=[\w.]+=)(?![^(]*\))")


def escape(text: str) -> str:
    """Plain text that Markdown leaves alone, on one line."""
    return _OPENING.sub(r"\1\\", _quoted(" ".join(text.split())))


def code(text: str) -> str:
    """A name in code font; a long variant name may wrap after each of its changes."""
    return ", ".join(_span(part) for part in _BETWEEN_CHANGES.split(" ".join(text.split())))


def code_cell(text: str) -> str:
    """A name in code font that a table can hold."""
    # A bar ends a cell even in code font, unless a backslash precedes it that GitHub takes away there;
    # a backslash of the name itself would be taken for that one, so such a name is plain text.
    return escape(text) if "\\" in text else code(text).replace("|", "\\|")


def marked(text: str) -> str:
    """Plain text in which names stand between backticks."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0 or "" in parts[1::2]:
        return escape(text)
    return "".join(_span(part) if index % 2 else _quoted(part) for index, part in enumerate(parts))


def grid(header: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int) -> str:
    """A table of cells that are Markdown already; the first columns are text, the others numbers."""
    rule = [":--"] * text_columns + ["--:"] * (len(header) - text_columns)
    return "\n".join(_row(cells) for cells in (header, rule, *rows))


def _quoted(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;")


def _span(text: str) -> str:
    # A fence of more backticks than the text has in a row; a space keeps a backtick at the edge apart.
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if longest else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
