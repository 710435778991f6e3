"""Where tables are printed, and what those of variants have in common."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

# In a pipe a row of a table is one line, however long, so that grep finds whole names.
_PIPE_WIDTH = 10_000


def open_console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def variants_table(counts: Sequence[str]) -> Table:
    """A row a variant; a name that is too long goes on below, never cut."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("variant", overflow="fold")
    for count in counts:
        table.add_column(count, justify="right", no_wrap=True)
    return table
