"""How long the variants take: first whether their ranking would come out again, then every latency."""

from collections.abc import Iterator, Sequence

from msanet_bench.analysis.latency import samples_needed
from msanet_bench.report.document import Block, Bullets, DataFile, Paragraph, Section
from msanet_bench.report.exports import latency_csv
from msanet_bench.report.findings import Findings
from msanet_bench.report.latency import DEVICES, describe, main_timings, why_not_measured
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import fixed, plural
from msanet_bench.report.sections.latency_tables import condition_blocks
from msanet_bench.report.sections.trade import HOW_TO_READ, latency_trade
from msanet_bench.report.timings import LEAST_TAU, Latencies, Quality


def latency(findings: Findings) -> Section:
    """The verdict on the sessions, accuracy against latency, and one table a condition."""
    latencies = findings.inputs.latencies
    figures = [figure for family in DEVICES if (figure := latency_trade(findings, family))]
    measured = [timing for timing in latencies.timings if timing.is_measured]
    conditions = list(dict.fromkeys(timing.condition for timing in measured))
    blocks: list[Block] = []
    if measured:
        blocks += [Paragraph(_verdict(latencies)), Paragraph(_how_measured()), *figures]
        blocks += [Paragraph(HOW_TO_READ)] if figures else []
        blocks += [block for condition in conditions for block in condition_blocks(latencies, condition)]
        blocks += [DataFile("latency.csv", latency_csv(latencies.timings))]
    return Section("Latency", (*blocks, *_not_measured(findings)))


def _verdict(latencies: Latencies) -> str:
    """Whether the ranking would come out again, in plain words."""
    if not latencies.sessions:
        return (
            "**Whether the ranking would come out again is not known**: there is no `latency_sessions.csv`, "
            "in which a session says how steady the machine was."
        )
    sessions = latencies.sessions
    return " ".join((*_ranking(sessions), *_drift(sessions), _rejected(sessions), _twins(sessions)))


def _ranking(sessions: Sequence[Quality]) -> Iterator[str]:
    steady = [session for session in sessions if session.tau is not None and not session.is_unsteady]
    unsteady = [session for session in sessions if session.is_unsteady]
    unknown = [session for session in sessions if session.tau is None]
    if steady:
        yield (
            f"On {_where(steady)}, the ranking should come out much the same when it is measured again on "
            "this machine: the rankings by the odd and by the even super-rounds agree (split-half tau "
            f"{_taus(steady)}; 1 is the same order, 0 is chance)."
        )
    if unsteady:
        yield (
            f"**Ranks not reproducible on this machine** on {_where(unsteady)}: the rankings by the odd and "
            f"by the even super-rounds differ too much (split-half tau {_taus(unsteady)}, below {LEAST_TAU})."
        )
    if unknown:
        yield (
            f"Whether the ranking would come out again on {_where(unknown)} is not known: the session has "
            "no two rankings to compare."
        )


def _where(sessions: Sequence[Quality]) -> str:
    return "; ".join(describe(session.condition, session.threads) for session in sessions)


def _taus(sessions: Sequence[Quality]) -> str:
    return _span([session.tau for session in sessions if session.tau is not None], 2)


def _span(values: Sequence[float], decimals: int) -> str:
    """`6.1`, or `6.1 to 18.3` of several."""
    return " to ".join(dict.fromkeys(fixed(value, decimals) for value in (min(values), max(values))))


def _drift(sessions: Sequence[Quality]) -> Iterator[str]:
    known = [100 * session.drift for session in sessions if session.drift is not None]
    if known:
        yield (
            f"The machine's speed drifted by {_span(known, 1)} % (the range of the anchor's medians over "
            "super-rounds), which the ratios leave out."
        )


def _rejected(sessions: Sequence[Quality]) -> str:
    share = _span([100 * session.rejected for session in sessions], 1)
    return f"Of the timed windows {share} % were rejected."


def _twins(sessions: Sequence[Quality]) -> str:
    # one super-round gives no interval, so its twins could never be told apart
    judged = [session for session in sessions if not session.is_alone]
    pairs, apart = (
        sum(session.twins for session in judged),
        sum(session.told_apart or 0 for session in judged),
    )
    if not pairs:
        return "No twins, one network timed under two names, show that equals come out equal."
    meaning = (
        "though they are equal: of intervals of 95 %, one in twenty does so by chance"
        if apart
        else "as it should be"
    )
    return (
        f"Twins, one network timed under two names: {apart} of {plural(pairs, 'pair')} told apart, {meaning}."
    )


def _how_measured() -> str:
    tail, middle = samples_needed(90), samples_needed(50)
    return (
        "All networks of a session take turns in random order, round after round, so what slows the machine "
        "down slows all of them and is taken out of the ratios. A latency is such a ratio times the anchor's "
        "median. The percentiles are of the calls as they were, slow moments included: p10 and p90 need "
        f"{tail} calls and p50 needs {middle}. A rank is among all rows of its table, 1 the fastest; "
        "networks whose intervals of ranks overlap are tied. Who was known well enough at one "
        "of several looks was done then, and keeps the 99 % interval of that look: looks pick narrow ones. "
        "`ci_not_met` marks a ratio whose interval is "
        "wider than was asked for, or which has none for want of a second super-round."
    )


def _not_measured(findings: Findings) -> Iterator[Block]:
    latencies = findings.inputs.latencies
    if latencies.is_old:
        command = code(f"msanet-bench latency experiments/{findings.manifest.name}.yaml")
        yield Paragraph(
            "`latency.csv` was written by an older version of msanet-bench, which timed otherwise; its "
            f"numbers are left out: measure again with {command}."
        )
        return
    for family, title in DEVICES.items():
        if not main_timings(latencies, family):
            yield Paragraph(f"Latency on {title}: {escape(why_not_measured(latencies, family))}.")
    refused = tuple(_refused(latencies))
    if refused:
        yield Bullets(refused)


def _refused(latencies: Latencies) -> Iterator[str]:
    """Conditions without any number on a device that has others."""
    measured = {timing.condition for timing in latencies.timings if timing.is_measured}
    devices = {condition.device for condition in measured}
    found: dict[str, None] = {}
    for timing in latencies.timings:
        if timing.condition not in measured and timing.condition.device in devices:
            found[f"{describe(timing.condition, timing.threads)}: {escape(timing.status)}."] = None
    yield from found
