"""What `status` shows of a sweep: one table, or one that is drawn anew while the sweep goes on."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from msanet_bench.console.tables import open_console, variants_table
from msanet_bench.console.times import duration_text
from msanet_bench.status import COLUMNS, ELSEWHERE, Failure, Look, VariantStatus, Watcher

_SECONDS = 1.0
_SHOWN_FAILURES = 5


def show_status(look: Look) -> None:
    """A row a variant, a column a status, then the reasons of what is not ok."""
    console = open_console()
    console.print(_variants(look.variants, [*COLUMNS, ELSEWHERE] if look.elsewhere else COLUMNS))
    for failure in look.failures:
        console.print(failure_text(failure), markup=False)
    if look.trials:
        console.print(trials_text(look.trials), markup=False)


def watch_status(results: Path, pause: Callable[[float], None] = time.sleep) -> None:
    """Look about once a second until the sweep is done, or until Ctrl-C; a pipe gets a line a change."""
    console = open_console()
    with suppress(KeyboardInterrupt):
        if console.is_terminal:
            _draw(console, results, _looks(results, pause))
        else:
            _tell(console, results, _looks(results, pause))


def _looks(results: Path, pause: Callable[[float], None]) -> Iterator[Look]:
    watcher = Watcher(results)
    while True:
        look = watcher.look(time.time())
        yield look
        if look.state == "done":
            return
        pause(_SECONDS)


def _draw(console: Console, results: Path, looks: Iterable[Look]) -> None:
    with Live(console=console, auto_refresh=False) as live:
        for look in looks:
            live.update(picture(look, results, time.time(), console.height), refresh=True)


def _tell(console: Console, results: Path, looks: Iterable[Look]) -> None:
    told: object = None
    failures: set[Failure] = set()
    for look in looks:
        for failure in look.failures:
            if failure not in failures:
                console.print(failure_text(failure), markup=False)
        failures = set(look.failures)
        news = look.name, look.state, look.cells, look.missing, len(failures)
        if news != told:
            console.print(headline(look, results), markup=False)
        told = news


def headline(look: Look, results: Path) -> str:
    """How far, how fast, and what is to be waited for."""
    if look.state == "waiting":
        return f"{results}: no plan yet; waiting for `msanet-bench sweep`."
    words = [f"{look.name}: {look.cells - look.missing} of {look.cells} cells"]
    if look.trials:
        words.append(trials_text(look.trials))
    if look.elsewhere:
        words.append(f"{look.elsewhere} belong to other shards")
    if look.failures:
        words.append(f"{len(look.failures)} not ok")
    if look.state == "running" and not look.missing and not look.running:
        words.append("training is over, the sweep goes on")
    elif look.state == "running" and not look.running:
        words.append("getting ready")
    elif look.state == "running" and look.cells_per_second is not None and look.seconds_left is not None:
        words += [f"{60 * look.cells_per_second:.1f}/min", f"{duration_text(look.seconds_left)} left"]
    elif look.state == "stopped":
        words.append(f"no sweep is running in {results} (nobody holds its lock)")
    elif look.state == "done":
        words.append("done")
    return ", ".join(words)


def trials_text(trials: Mapping[str, int]) -> str:
    """`trials: 25 complete, 12 rejected`."""
    return f"trials: {', '.join(f'{number} {state}' for state, number in trials.items())}"


def failure_text(failure: Failure) -> str:
    """The cell, what became of it and why, and where its output is."""
    log = f" (log: {failure.log})" if failure.log else ""
    return f"{failure.variant} seed {failure.seed}: {failure.status}: {failure.reason}{log}"


def picture(look: Look, results: Path, now: float, height: int) -> Group:
    """The headline, the slots, the last failures, and as many variants as there is room for below."""
    parts: list[RenderableType] = [Text(headline(look, results), style="bold")]
    if look.running:
        parts += ["", _slots(look, now)]
    if look.failures:
        parts += ["", *_failures(look.failures)]
    if look.variants:
        used = 5 + len(look.running) + min(len(look.failures), _SHOWN_FAILURES + 1)
        parts += ["", *_some_variants(look.variants, max(3, height - used - 3))]
    return Group(*parts)


def _slots(look: Look, now: float) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("slot", justify="right", no_wrap=True)
    table.add_column("runs", overflow="fold")
    table.add_column("for", justify="right", no_wrap=True)
    for cell in look.running:
        what = escape(f"{cell.variant} seed {cell.seed}")
        table.add_row(str(cell.slot), what, duration_text(max(0.0, now - cell.since)))
    return table


def _failures(failures: Sequence[Failure]) -> Iterator[Text]:
    for failure in failures[:_SHOWN_FAILURES]:
        yield Text(failure_text(failure), style="red", overflow="fold")
    if len(failures) > _SHOWN_FAILURES:
        yield Text(f"and {len(failures) - _SHOWN_FAILURES} more: `msanet-bench status` names all")


def _some_variants(variants: Sequence[VariantStatus], room: int) -> Iterator[RenderableType]:
    """All of them, or those that are not finished, or the first of those."""
    columns = [
        column
        for column in (*COLUMNS, ELSEWHERE)
        if column in {"ok", "missing"} or any(v.counts.get(column) for v in variants)
    ]
    shown = variants if len(variants) <= room else [v for v in variants if v.counts["missing"]]
    yield _variants(shown[:room], columns)
    if len(shown[:room]) < len(variants):
        yield Text(f"and {len(variants) - len(shown[:room])} more variants")


def _variants(variants: Iterable[VariantStatus], columns: Sequence[str]) -> Table:
    table = variants_table(columns)
    for variant in variants:
        table.add_row(escape(variant.variant), *(str(variant.counts.get(column, 0)) for column in columns))
    return table
