"""The formats of a comparison."""

from collections.abc import Sequence
from typing import Literal

from msanet_bench.compare.document import Comparison
from msanet_bench.compare.gates import Mode, Ruling, exit_code
from msanet_bench.compare.markdown import render_markdown
from msanet_bench.compare.text import render_text
from msanet_bench.compare.values import render_csv, render_json

Format = Literal["text", "markdown", "csv", "json"]


def render(
    comparison: Comparison,
    rulings: Sequence[Ruling] = (),
    *,
    kind: Format = "text",
    mode: Mode = "regression",
    strict: bool = False,
    width: int = 100,
) -> str:
    """The comparison as text that ends in a newline; only `text` depends on the width."""
    match kind:
        case "text":
            return render_text(comparison, rulings, mode, width)
        case "markdown":
            return render_markdown(comparison, rulings, mode)
        case "csv":
            return render_csv(comparison)
        case _:
            return render_json(comparison, rulings, mode, exit_code(comparison, rulings, strict=strict))
