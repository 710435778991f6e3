"""What a latency session shows: how far it is, then its tables."""

import math
from collections.abc import Callable, Generator, Iterable, Sequence

from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from msanet_bench.analysis.latency import Ratio
from msanet_bench.console.tables import open_console, variants_table
from msanet_bench.measure.samples import NO_CUDA, Session
from msanet_bench.session.conditions import ConditionRow, summarise_conditions
from msanet_bench.session.loop import Progress as Step
from msanet_bench.session.networks import HEAD
from msanet_bench.session.pairs import Pair
from msanet_bench.session.table import OK, LatencyRow, summarise

# Kendall's tau below which a ranking is not said to come out again
REPRODUCIBLE = 0.8


def follow_session(steps: Generator[Step, None, Session]) -> Session:
    """Run a session to its end while showing how far it is; a log gets a line a condition."""
    console = open_console()
    if not console.is_terminal:
        return _run(steps, lambda _: None)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), TimeElapsedColumn())
    with Progress(*columns, console=console, expand=True, transient=True) as progress:
        task = progress.add_task("building networks", total=None)

        def show(step: Step) -> None:
            text = f"{step.condition.device}, batch {step.condition.batch}: {step.still_measured} to go on"
            progress.update(task, description=text, completed=step.rounds, total=step.most_rounds)

        return _run(steps, show)


def show_latency(session: Session) -> None:
    """A table a condition, each under what the session says of itself; then what was not measured."""
    console = open_console()
    rows = [row for row in summarise(session) if row.role != "twin"]
    for condition in summarise_conditions(session):
        here = [row for row in rows if row.latency_s is not None and _key(row) == _key(condition)]
        console.print(f"{_title(condition)}", style="bold", markup=False)
        console.print(_verdict(condition), markup=False)
        console.print(_latencies(here))
    for reason, names in _unmeasured(rows).items():
        console.print(f"{reason}: {', '.join(names)}", markup=False)


def show_pairs(pairs: Sequence[Pair], without: Sequence[str], limit: float | None) -> bool:
    """Base against head, a row a variant; returns whether the gate holds, which it does not for `without`."""
    console = open_console()
    table = variants_table(("mode", "batch", "base, ms", "head, ms", "head/base [95 %]", ""))
    for pair in pairs:
        batch = f"{pair.condition.device} {pair.condition.batch}"
        times = _milliseconds(pair.base_s), _milliseconds(pair.head_s)
        table.add_row(
            escape(pair.variant), pair.mode, batch, *times, _interval(pair.ratio), _mark(pair, limit)
        )
    console.print(table)
    failed = [pair for pair in pairs if limit is not None and pair.is_beyond(limit)]
    if limit is not None:
        verdict = f"{len(failed)} of {len(pairs)} are slower" if failed else "no pair is seen to be slower"
        console.print(
            f"gate: {verdict} by more than {100 * (limit - 1):g} %, all intervals together at 95 %."
        )
    if without:
        console.print(f"without an interval on both sides: {', '.join(without)}", markup=False)
    return limit is None or not (failed or without)


def _run(steps: Generator[Step, None, Session], show: Callable[[Step], None]) -> Session:
    while True:
        try:
            show(next(steps))
        except StopIteration as end:
            session: Session = end.value
            return session


def _key(row: LatencyRow | ConditionRow) -> tuple[str, int, str, str]:
    return row.device, row.batch, row.precision, row.cache


def _title(row: ConditionRow) -> str:
    threads = "1 thread" if row.threads == 1 else f"{row.threads} threads"
    return f"{row.device}, batch {row.batch}, {row.precision}, {row.cache} caches, {threads}"


def _verdict(row: ConditionRow) -> str:
    facts = f"{row.rounds} rounds, {row.rejected:.0%} rejected"
    if row.drift is None:
        return f"{facts}; one super-round alone has no intervals"
    twins = f"{row.twins_told_apart} of {row.twins} pairs of twins told apart"
    facts = f"{facts}, drift {row.drift:.0%}, {twins}"
    if row.split_half_tau is None:
        return facts
    is_sure = row.split_half_tau >= REPRODUCIBLE
    ranks = "" if is_sure else ": ranks not reproducible on this machine"
    return f"{facts}, tau of its halves {row.split_half_tau:.2f}{ranks}"


def _latencies(rows: Sequence[LatencyRow]) -> Table:
    table = variants_table(("mode", "ms", "p90", "relative [95 %]", "rank", "n", ""))
    for row in rows:
        relative = Ratio(row.ratio_to_anchor or 1.0, _or_nan(row.ratio_low), _or_nan(row.ratio_high))
        table.add_row(
            escape(row.variant if row.side == HEAD else f"{row.side}: {row.variant}"),
            row.mode,
            _milliseconds(row.latency_s),
            _milliseconds(row.p90_s),
            "anchor" if row.role == "anchor" else _interval(relative),
            _ranks(row),
            str(row.n),
            "" if row.status == OK else row.status,
        )
    return table


def _unmeasured(rows: Iterable[LatencyRow]) -> dict[str, list[str]]:
    """Who has no number, by the reason; a whole device without numbers is one word."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        if row.latency_s is None:
            place = f"{row.variant} ({row.device}, {row.mode}, {row.precision})"
            who = row.device if row.status == NO_CUDA else place
            found.setdefault(row.status, {})[who] = None
    return {reason: list(names) for reason, names in found.items()}


def _ranks(row: LatencyRow) -> str:
    return f"{row.rank_low}" if row.rank_low == row.rank_high else f"{row.rank_low}-{row.rank_high}"


def _interval(ratio: Ratio) -> str:
    if math.isnan(ratio.low):
        return f"{ratio.estimate:.3f}"
    return f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"


def _mark(pair: Pair, limit: float | None) -> str:
    if limit is not None and pair.is_beyond(limit):
        return "beyond the gate"
    return ("slower" if pair.ratio.low > 1 else "faster") if pair.ratio.excludes_one else "~"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.3f}"


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
