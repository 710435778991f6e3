"""An analysis as GitHub-flavoured Markdown."""

from msanet_bench import gfm
from msanet_bench.analyze import Analysis
from msanet_bench.analyze.document import Block, Grid, Heading, document


def render_markdown(analysis: Analysis) -> str:
    """Headings, bullets and tables, in which no name can break out of its place."""
    return "\n\n".join(_block(block) for block in document(analysis)) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {gfm.escape(text)}"
        case Grid(header, rows):
            cells = [[gfm.escape(cell) for cell in row] for row in rows]
            return gfm.grid([gfm.escape(title) for title in header], cells, text_columns=1)
        case _:
            return "\n".join(f"- {gfm.marked(item)}" for item in block.items)
