"""What people see while they wait and when they ask: the home of rich."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from msanet_bench.console.tables import open_console, variants_table
from msanet_bench.console.times import duration_text
from msanet_bench.console.watch import failure_text
from msanet_bench.events import (
    Ended,
    Event,
    Finished,
    FirstStepFailed,
    Phase,
    Retried,
    Started,
    Stopped,
    Tuned,
)
from msanet_bench.journal import Attempt
from msanet_bench.plan import Catalog, Variant, level_name
from msanet_bench.records import Record
from msanet_bench.registry import Registry
from msanet_bench.running import named_log
from msanet_bench.status import Failure


class _Display(Protocol):
    """Shows a sweep; one for terminals, one for logs."""

    def phase(self, name: str) -> None: ...

    def note(self, text: str) -> None: ...

    def cell(self, text: str, *, pace: str) -> None: ...

    def grow(self, cells: int) -> None: ...


def show_sweep(name: str, events: Iterable[Event], results: Path) -> Ended:
    """Run a sweep to its end while showing how far it is; failures name the file with their output."""
    console = open_console()
    stream = iter(events)
    for event in stream:
        if isinstance(event, Started):
            break
        # what has to be measured before there is a plan
        if not isinstance(event, Phase):
            raise TypeError(f"a sweep begins with Started, but got {event!r}")
        console.print(event.name, markup=False)
    else:
        raise RuntimeError("the sweep ended without beginning")
    started = event
    _show_start(console, name, started)
    with _display(console, started) as display:
        return _follow(stream, started, display, results)


def _show_start(console: Console, name: str, started: Started) -> None:
    console.print(
        f"{name}: {_counted(started.variants, 'variant')} x {_counted(started.seeds, 'seed')} = "
        f"{_counted(started.cells - started.tuning - started.untuned, 'cell')}{_tuning_text(started)}, "
        f"{started.done} done, {_counted(started.workers, 'worker')}",
        markup=False,
    )
    for note in started.notes:
        console.print(f"note: {note}", markup=False)


def _tuning_text(started: Started) -> str:
    tuning = f", {started.tuning} to tune the variants" if started.tuning else ""
    return f"{tuning}, {started.untuned} to show them untuned" if started.untuned else tuning


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _follow(events: Iterator[Event], started: Started, display: _Display, results: Path) -> Ended:
    since, done, before = time.monotonic(), started.done, started.done
    for event in events:
        match event:
            case Phase(name):
                display.phase(name)
                since, before = time.monotonic(), done
            case Finished(attempt):
                done += 1
                per_cell = (time.monotonic() - since) / (done - before)
                pace = f"{60 / per_cell:.1f}/min, {duration_text(per_cell * (started.cells - done))} left"
                display.cell(_cell_text(attempt, results), pace=pace)
            case Tuned(further):
                started = replace(started, cells=started.cells + further)
                display.grow(further)
            case FirstStepFailed(variant, status, reason):
                display.note(f"the first step of {variant} did not go well: {status}: {reason}")
            case Retried(attempt):
                display.note(f"{_cell_text(attempt, results)}; it is tried again")
            case Stopped(reason):
                display.note(f"no further cells: {reason}")
            case Ended():
                display.phase("done")
                return event
            case Started():
                raise TypeError("a sweep begins once")
    raise RuntimeError("the sweep ended without saying so")


def _cell_text(attempt: Attempt, results: Path) -> str:
    record = attempt.record
    if record.status == "ok":
        what = f"{record.variant} seed {record.seed}"
        return f"{what}: {_accuracy_text(record)} ({attempt.seconds:.1f} s)"
    log = named_log(results, record.key)
    return failure_text(Failure(record.variant, record.seed, record.status, record.reason, log))


def _accuracy_text(record: Record) -> str:
    if "accuracy" in record.measures:
        return f"accuracy {record.measures['accuracy'].value:.2%}"
    return f"tuning, validation accuracy {record.measures['validation_accuracy'].value:.2%}"


class _Lines:
    """Plain lines, for logs and pipes."""

    def __init__(self, console: Console, started: Started) -> None:
        self._console, self._cells, self._done = console, started.cells, started.done

    def phase(self, name: str) -> None:
        self.note(name)

    def note(self, text: str) -> None:
        self._console.print(text, markup=False)

    def cell(self, text: str, *, pace: str) -> None:
        self._done += 1
        place = f"[{self._done:>{len(str(self._cells))}}/{self._cells}]"
        self._console.print(f"{place} {text}, {pace}", markup=False)

    def grow(self, cells: int) -> None:
        self._cells += cells


class _Bar:
    """A bar with rate and time left, below the cells that have ended."""

    def __init__(self, progress: Progress, started: Started) -> None:
        self._progress = progress
        self._cells = started.cells
        self._task = progress.add_task("planning", total=started.cells, completed=started.done, pace="")

    def phase(self, name: str) -> None:
        self._progress.update(self._task, description=escape(name), pace="")

    def note(self, text: str) -> None:
        self._progress.console.print(text, markup=False)

    def cell(self, text: str, *, pace: str) -> None:
        self.note(text)
        self._progress.update(self._task, advance=1, pace=pace)

    def grow(self, cells: int) -> None:
        self._cells += cells
        self._progress.update(self._task, total=self._cells)


@contextmanager
def _display(console: Console, started: Started) -> Iterator[_Display]:
    if not console.is_terminal:
        yield _Lines(console, started)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    with Progress(*columns, console=console, expand=True) as progress:
        yield _Bar(progress, started)


def show_plan(
    variants: Sequence[Variant], notes: Sequence[str], cells: Sequence[tuple[str, Record | None]]
) -> None:
    """The variants of a plan and how many of their cells have a record."""
    table = variants_table(("done", "missing"))
    for variant in variants:
        records = [record for name, record in cells if name == variant.name]
        done = sum(record is not None for record in records)
        table.add_row(escape(variant.name), str(done), str(len(records) - done))
    console = open_console()
    console.print(table)
    for note in notes:
        console.print(f"note: {note}", markup=False)
    done = sum(record is not None for _, record in cells)
    console.print(f"{len(variants)} variants, {len(cells)} cells: {done} done, {len(cells) - done} to train.")


def show_catalog(catalog: Catalog) -> None:
    """Every registered entry with its options and the first line of what it says of itself."""
    console = open_console()
    for slot, registry in catalog.items():
        console.print(slot, style="bold")
        table = Table("name", "options", "what it is", box=None, header_style="dim")
        for name in registry:
            table.add_row(name, _options_text(registry, name), escape(_first_line(registry[name])))
        for prefix, find in registry.families.items():
            table.add_row(f"{prefix.replace('.+', 'MODULE')}NAME", "", escape(_first_line(find)))
        console.print(table)
        console.print()


def _options_text(registry: Registry[Any], name: str) -> str:
    options = registry.options(name)
    return escape(", ".join(f"{option}={level_name(default)}" for option, (_, default) in options.items()))


def _first_line(entry: object) -> str:
    return (entry.__doc__ or "").strip().partition("\n")[0]
