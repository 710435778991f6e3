"""What a terminal shows of a single training run: its curves; a pipe gets a line an epoch."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from msanet_bench.console.curves import curve_rows
from msanet_bench.console.tables import open_console
from msanet_bench.console.times import duration_text

_HEIGHT = 8
_GAP = 3

_CURVES = {
    "train_loss": "training loss",
    "validation_loss": "validation loss",
    "validation_accuracy": "validation accuracy",
}


@contextmanager
def training_shown(
    name: str, epochs: int, before: Sequence[Mapping[str, Any]]
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """What is to hear of every epoch, as a row of a record's curve; `before` are those that have run."""
    console = open_console()
    curve, began = list(before), time.monotonic()
    seconds = 0.0
    if not console.is_terminal:

        def tell(epoch: Mapping[str, Any]) -> None:
            nonlocal began
            now = time.monotonic()
            console.print(f"{epoch_text(epoch, epochs)} ({now - began:.1f} s)", markup=False)
            began = now

        yield tell
        return
    waiting = Text(f"{name}: epoch {len(before)} of {epochs}", style="bold")
    with Live(waiting, console=console, auto_refresh=False) as live:

        def draw(epoch: Mapping[str, Any]) -> None:
            nonlocal seconds
            curve.append(epoch)
            seconds = (time.monotonic() - began) / (len(curve) - len(before))
            live.update(picture(name, curve, epochs, seconds, console.width), refresh=True)

        yield draw


def epoch_text(epoch: Mapping[str, Any], epochs: int) -> str:
    """`epoch 2/10: training loss 0.9616, validation loss 1.0213, validation accuracy 41.67%`."""
    parts = [f"{title} {_number(field, epoch[field])}" for field, title in _CURVES.items() if field in epoch]
    return f"epoch {epoch['epoch']:>{len(str(epochs))}}/{epochs}: {', '.join(parts)}"


def picture(name: str, curve: Sequence[Mapping[str, Any]], epochs: int, seconds: float, width: int) -> Group:
    """The headline, and the curves so far side by side; `seconds` are those of an epoch."""
    left = duration_text(seconds * (epochs - len(curve)))
    headline = f"{name}: epoch {len(curve)} of {epochs}, {seconds:.1f} s each, {left} left"
    fields = [field for field in _CURVES if field in curve[-1]]
    room = max(8, (width - _GAP * (len(fields) - 1)) // len(fields))
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_row(*(_plot(field, [epoch[field] for epoch in curve], room) for field in fields))
    return Group(Text(headline, style="bold"), grid)


def _plot(field: str, values: Sequence[float], width: int) -> RenderableType:
    """A curve under its name and last value, with its range beside it."""
    low, high = _number(field, min(values)), _number(field, max(values))
    margin = max(len(low), len(high)) + 1
    rows = curve_rows(values, max(1, width - margin), _HEIGHT)
    labels = [high, *[""] * (_HEIGHT - 2), low]
    lines = [f"{label:>{margin - 1}} {row}" for label, row in zip(labels, rows, strict=True)]
    return Text("\n".join([f"{_CURVES[field]} {_number(field, values[-1])}", *lines]))


def _number(field: str, value: float) -> str:
    return f"{value:.2%}" if field == "validation_accuracy" else f"{value:.4f}"
