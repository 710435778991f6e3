"""The latencies of one condition: every network in every mode, and what a mode buys."""

from collections.abc import Iterator, Mapping, Sequence

from msanet_bench.report.document import Block, Bullets, Cell, Code, Paragraph, Table
from msanet_bench.report.latency import anchor_of, describe, mode, rank, relative
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import count, fixed, milliseconds, three_digits
from msanet_bench.report.timings import Condition, Latencies, Quality, Timing

# Of the latency when run eagerly to that of the same kernels launched at once.
_HOST_BOUND = 1.2

_HEADER = ("variant", "mode", "n", "latency, ms", "relative [95 %]", "rank", "p10, ms", "p50, ms", "p90, ms")
_BOUGHT: Mapping[str, str] = {
    "fused": (
        "What fusing buys: norms are folded into convolutions and small branches merged. Run eagerly, a "
        "network of many branches is charged for the launch of each of its kernels, so both are shown."
    ),
    "compile": "What `torch.compile` buys; the time to compile is not in it.",
}


def condition_blocks(latencies: Latencies, condition: Condition) -> Iterator[Block]:
    """The caption with the session's own marks, the table, and modes side by side."""
    here = [timing for timing in latencies.timings if timing.condition == condition]
    measured = [timing for timing in here if timing.is_measured]
    yield Paragraph(_caption(latencies.session(condition), measured))
    notes = latencies.notes.get(condition)
    if notes:
        yield Bullets(tuple(map(escape, notes)))
    yield _table(here)
    for other, meaning in _BOUGHT.items():
        pairs = _pairs(measured, other)
        if pairs:
            yield Paragraph(
                f"{meaning} The quotient divides two ratios to the same anchor; only the anchor's own has "
                "an interval."
            )
            yield _side_by_side(other, pairs)
    yield from _host_bound(_pairs(measured, "cuda_graph"))


def _caption(session: Quality | None, measured: Sequence[Timing]) -> str:
    first = measured[0]
    anchor = anchor_of(measured, first.condition)
    to = f"{code(first.anchor)}{f' ({anchor.mode})' if anchor else ''}"
    where = f"Latency on {describe(first.condition, first.threads)}; multiples of {to}."
    if session is None:
        return f"{where} The session's own marks are missing."
    tau = "not known" if session.tau is None else fixed(session.tau, 2)
    verdict = " **Ranks not reproducible on this machine.**" if session.is_unsteady else ""
    return (
        f"{where} Split-half tau {tau}, drift {fixed(100 * session.drift, 1)} %, rejected "
        f"{fixed(100 * session.rejected, 1)} %, twins told apart {session.told_apart} of {session.twins}; "
        f"{session.rounds} rounds in {session.super_rounds} super-rounds.{verdict}"
    )


def _table(timings: Sequence[Timing]) -> Table:
    exceptions = any(timing.status != "ok" for timing in timings)
    header = (*_HEADER, "images/s", *(["status"] if exceptions else []))
    rows = [(*_row(timing), *([timing.status] if exceptions else [])) for timing in timings]
    return Table(header, tuple(rows), text_columns=2)


def _row(timing: Timing) -> tuple[Cell, ...]:
    return (
        Code(timing.variant),
        mode(timing),
        count(timing.n),
        milliseconds(timing.latency),
        relative(timing),
        rank(timing),
        milliseconds(timing.p10),
        milliseconds(timing.p50),
        milliseconds(timing.p90),
        three_digits(timing.images_per_s),
    )


def _pairs(measured: Sequence[Timing], other: str) -> list[tuple[Timing, Timing]]:
    """Each variant run eagerly and in another mode, where both were measured."""
    in_other = {timing.variant: timing for timing in measured if timing.mode == other}
    return [(t, in_other[t.variant]) for t in measured if t.mode == "eager" and t.variant in in_other]


def _side_by_side(other: str, pairs: Sequence[tuple[Timing, Timing]]) -> Table:
    header = ("variant", "eager, ms", f"{other}, ms", "eager, relative", f"{other}, relative")
    rows: list[tuple[Cell, ...]] = [
        (
            Code(eager.variant),
            milliseconds(eager.latency),
            milliseconds(fast.latency),
            relative(eager),
            relative(fast),
            relative(fast) if eager.role == "anchor" else fixed(_quotient(fast, eager), 3),
        )
        for eager, fast in pairs
    ]
    return Table((*header, f"{other} / eager"), tuple(rows))


def _quotient(one: Timing, other: Timing) -> float | None:
    return None if not one.ratio or not other.ratio else one.ratio / other.ratio


def _host_bound(pairs: Sequence[tuple[Timing, Timing]]) -> Iterator[Paragraph]:
    """Networks that take longer to launch than to compute."""
    quotients = {eager.variant: _quotient(eager, graph) or 0.0 for eager, graph in pairs}
    bound = [f"{code(name)} {fixed(value, 2)}" for name, value in quotients.items() if value > _HOST_BOUND]
    if bound:
        yield Paragraph(
            "Host-bound: ranks reflect kernel count, not arithmetic. Run eagerly, these take more than "
            f"{_HOST_BOUND} times as long as the same kernels in one graph: {', '.join(bound)}."
        )
    elif quotients:
        yield Paragraph(
            f"No network is host-bound: run eagerly, none takes more than {_HOST_BOUND} times as long as the "
            "same kernels in one graph."
        )
