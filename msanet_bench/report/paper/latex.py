"""The table for a paper as LaTeX: booktabs for rules, amssymb for the check mark, graphicx to make it fit."""

import re
from collections.abc import Mapping, Sequence

from msanet_bench.report.document import Code
from msanet_bench.report.paper.values import PLUS_MINUS, Cell, PaperTable, Side
from msanet_bench.report.paper.written import Style, written

_SIDES: Mapping[Side, str] = {"left": "l", "centre": "c", "right": "r"}
_SPECIAL: Mapping[str, str] = {
    **{character: f"\\{character}" for character in "#$%&_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    # in the fonts that a document has by default, these are other characters
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\`{}",
    PLUS_MINUS: r"$\pm$",
}
_TRANSLATION = str.maketrans(dict(_SPECIAL))
# Two in a row would become one: a dash, or a quotation mark.
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')")


def latex(table: PaperTable) -> str:
    """A floating table for a document to input, with its caption above and its notes below.

    With a caption it has the label `tab:NAME`.
    """
    lines = [
        r"% needs \usepackage{amssymb,booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        *_caption(table),
        r"\small\setlength{\tabcolsep}{4pt}",
        # as wide as it is, unless that is wider than the column of text
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{''.join(_SIDES[column.side] for column in table.columns)}}}",
        r"\toprule",
        _row([escape_latex(column.called) for column in table.columns]),
        _row([escape_latex(column.unit) for column in table.columns]),
        r"\midrule",
        *(_row(list(map(_cell, row))) for row in table.rows),
        *_references(table),
        r"\bottomrule",
        r"\end{tabular}}",
        *_notes(table),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """Plain text that LaTeX prints as it is, on one line."""
    printable = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return _LIGATURE.sub("{}", printable.translate(_TRANSLATION))


def _caption(table: PaperTable) -> list[str]:
    if not table.caption:
        return []
    label = re.sub(r"[^A-Za-z0-9_-]", "-", table.name)
    return [rf"\caption{{{escape_latex(table.caption)}}}", rf"\label{{tab:{label}}}"]


def _references(table: PaperTable) -> list[str]:
    if not table.references:
        return []
    heading = rf"\multicolumn{{{len(table.columns)}}}{{l}}{{\emph{{from {escape_latex(table.source)}}}}} \\"
    return [r"\midrule", heading, *(_row(list(map(_cell, row))) for row in table.references)]


def _notes(table: PaperTable) -> list[str]:
    if not table.notes:
        return []
    text = escape_latex(" ".join(table.notes))
    return [r"\par\smallskip", rf"\begin{{minipage}}{{\linewidth}}\footnotesize {text}\end{{minipage}}"]


def _row(cells: Sequence[str]) -> str:
    # behind the end of a row or a rule, a bracket or a star would be taken for an option of it
    guard = "{}" if cells[0].startswith(("[", "*")) else ""
    return rf"{guard}{' & '.join(cells)} \\"


def _cell(cell: Cell) -> str:
    return rf"\texttt{{{escape_latex(cell.text)}}}" if isinstance(cell, Code) else written(cell, _STYLE)


def _number(text: str) -> str:
    """In text a minus would be a hyphen."""
    return f"${text}$" if text.startswith(("+", "-")) else text


_STYLE = Style(absent="--", check=r"\checkmark", plus_minus=r"$\pm$", text=escape_latex, number=_number)
