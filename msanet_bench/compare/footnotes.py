"""What a reader of one table must know: how it was compared, and what was not."""

from collections.abc import Iterator

from msanet_bench.analysis.contrasts import t_quantile
from msanet_bench.analysis.power import smallest_detectable
from msanet_bench.compare.document import ALPHA, Entry, Table

# with one degree of freedom a power says nothing that anybody would plan with
_FEWEST = 3


def accuracy_footnotes(table: Table, delta: float | None) -> Iterator[str]:
    """How accuracies were compared."""
    entries = [entry for _, _, entry in table.entries()]
    yield from _tests(table)
    if any(entry.method == "unpaired" for entry in entries):
        yield "n=a+b: no seed in common, so these are not paired (Welch's interval)."
    if any(entry.method == "fixed networks" for entry in entries):
        yield (
            "n=1: one seed gives no interval. p is McNemar's, exact, of the two networks as they are: it "
            "ignores the noise of training, and another seed may come out the other way."
        )
    if any(entry.method == "paired" and entry.interval is None for entry in entries):
        yield "n=1: one seed gives no interval, so chance cannot be told from a difference."
    if any(entry.method == "unpaired" and entry.interval is None for entry in entries):
        yield "one seed on a side gives no interval, so chance cannot be told from a difference."
    if delta is None and any(entry.interval for entry in entries):
        yield "no delta is declared, so that nothing can be called equivalent: say --delta '0.3 pp'."
    yield from _sensitivity(table)
    yield from _left_out(table)


def cost_footnotes(table: Table) -> Iterator[str]:
    """What of a cost is not compared."""
    yield from _reasons(table)
    yield from _no_geomean(table)


def _tests(table: Table) -> Iterator[str]:
    """Which intervals and which p stand in the table."""
    tested = [len([e for e in column.entries if _is_tested(e)]) for column in table.columns]
    if any(tested):
        rows = " or ".join(dict.fromkeys(str(number) for number in tested if number))
        yield (
            "intervals are Student's t over seeds, 95 %, each row for itself; p is adjusted for the rows "
            f"that are tested ({rows}) after Holm."
        )
    if any(column.summary and _is_tested(column.summary) for column in table.columns):
        yield "the mean of the rows, over the seeds that all of them have, is a test of its own."


def _sensitivity(table: Table) -> Iterator[str]:
    """What `~` could have hidden: a true difference that this many seeds would have shown."""
    for column in table.columns:
        tested = sum(map(_is_tested, column.entries))
        hidden = [entry for entry in column.entries if entry.mark == "~" and entry.method == "paired"]
        planned = [entry for entry in hidden if entry.counts[0] >= _FEWEST]
        if planned:
            middle = sorted(planned, key=_width)[len(planned) // 2]
            size = _detectable(middle, ALPHA / tested)
            yield (
                f"{column.head}: in rows marked `~`, a true difference of {100 * size:.2g} pp would have "
                "been told apart four times in five (of the row with the middling interval)."
            )


def _detectable(entry: Entry, alpha: float) -> float:
    df = entry.counts[0] - 1
    return smallest_detectable(_width(entry) / 2 / t_quantile(df, 1 - ALPHA), df, alpha=alpha)


def _width(entry: Entry) -> float:
    return 0.0 if entry.interval is None else entry.interval.high - entry.interval.low


def _left_out(table: Table) -> Iterator[str]:
    for head, variant, entry in table.entries():
        if entry.left_out:
            have = (
                "result has no partner and is" if entry.left_out == 1 else "results have no partner and are"
            )
            yield f"`{variant}` ({head}): {entry.left_out} {have} left out."
        if entry.reason:
            yield f"`{variant}` ({head}): {entry.reason}."


def _reasons(table: Table) -> Iterator[str]:
    """Why rows are not compared, the same reason once."""
    found: dict[str, list[str]] = {}
    for _, variant, entry in table.entries():
        if entry.reason:
            found.setdefault(entry.reason, []).append(f"`{variant}`")
    for reason, variants in found.items():
        names = dict.fromkeys(variants)
        yield f"{', '.join(names) if len(names) < len(table.variants) else 'all rows'}: {reason}."


def _no_geomean(table: Table) -> Iterator[str]:
    for column in table.columns:
        if column.summary is None and any(entry.is_compared for entry in column.entries):
            yield f"{column.head}: no geomean, since a ratio is 0."


def _is_tested(entry: Entry) -> bool:
    return entry.p is not None
