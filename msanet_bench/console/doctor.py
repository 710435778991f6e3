"""What `doctor` shows."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from msanet_bench.console.tables import open_console


def show_sections(sections: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
    """Titles, each above its rows of a label and a text; a text that is too long goes on below itself."""
    console = open_console()
    width = max(len(label) for _, rows in sections for label, _ in rows)
    for title, rows in sections:
        console.print()
        console.print(title, style="bold", markup=False)
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, min_width=width + 2)
        table.add_column(overflow="fold")
        for label, text in rows:
            table.add_row(f"  {escape(label)}", escape(text))
        console.print(table)
    console.print()
