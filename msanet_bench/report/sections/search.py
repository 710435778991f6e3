"""What a search asked for, what it found by validation images, and what that is worth."""

from collections.abc import Iterator, Mapping

from msanet_bench.constraint import Constraint
from msanet_bench.report.document import (
    Bar,
    Block,
    Bullets,
    Cell,
    Code,
    DataFile,
    Paragraph,
    Point,
    Progress,
    Scatter,
    Section,
    Table,
    Tried,
)
from msanet_bench.report.findings import Findings
from msanet_bench.report.markdown import code
from msanet_bench.report.numbers import (
    ABSENT,
    count,
    difference,
    mebibytes,
    milliseconds,
    percent,
    percent_interval,
    plural,
)
from msanet_bench.report.search import Searched, SearchTrial, trials_csv
from msanet_bench.search_spec import ASKED_A_TRIAL, POPULATION, STARTUP, Objective

_NAN = float("nan")
_MILLION, _MEBIBYTE, _MILLISECOND = 1e6, 2**20, 1e-3

_NAMES: Mapping[Objective, str] = {
    "accuracy": "validation accuracy, %",
    "params": "params",
    "macs": "MACs",
    "memory": "memory, MiB",
    "latency": "latency, ms",
}
_AXES: Mapping[Objective, tuple[str, float]] = {
    "params": ("million parameters", _MILLION),
    "macs": ("million multiply-accumulates of one image", _MILLION),
    "memory": ("estimated peak memory of inference, one image, MiB", _MEBIBYTE),
    "latency": ("latency of one image before training, ms", _MILLISECOND),
}
_DESIGNS = {
    "random": "independent random draws",
    "tpe": "the tree-structured Parzen estimator (TPE)",
    "nsga2": "NSGA-II",
    "qmc": "a scrambled Sobol sequence",
}


def search(findings: Findings) -> Section | None:
    """The space, the trials, the best and the Pareto set; None of a finite design."""
    searched = findings.manifest.search
    if searched is None:
        return None
    return Section(
        "Search",
        (
            Paragraph(_what(searched)),
            Table(("factor", "levels or range", "applies when"), tuple(_space(findings)), text_columns=3),
            Bullets((_fates(searched), *outcome(findings, searched))),
            *_chosen(findings, searched),
            Paragraph(_NOT_HERE),
            DataFile("trials.csv", trials_csv(searched)),
        ),
    )


_NOT_HERE = (
    "There are no effects of factors, no interactions and no credit here: these need a design in which "
    "levels meet each other evenly, and a search goes where it hopes for the best."
)


def _what(searched: Searched) -> str:
    spec = searched.spec
    pruner = (
        f" Runs were stopped early by {spec.pruner.name.replace('_', ' ')} on validation accuracy."
        if spec.pruner
        else ""
    )
    limits = (
        f" Not trained was what breaks {' or '.join(map(_limit, searched.constraints))}."
        if searched.constraints
        else ""
    )
    return (
        f"Searched by {_DESIGNS[searched.design]} (seed {spec.seed}) for {_aims(searched)}; accuracy is the "
        "mean over the seeds on validation images, which are training images set aside. "
        f"{_order(searched)}{_draws(searched)}{pruner}{limits}{_timed(searched)}"
    )


def _order(searched: Searched) -> str:
    batch = searched.spec.batch
    if searched.design in {"random", "qmc"}:
        return "What is asked for hangs on that seed alone, so the same file asks for the same."
    if not batch:
        return "A trial was asked for whenever a worker was free, so another run asks for others."
    law = f"Trials were asked for {batch} at a time and told in their order, so the same file"
    if searched.device is None:
        return f"{law} gives the same search in an empty folder."
    return f"{law} and the same latencies give the same search; another run measures others."


def _draws(searched: Searched) -> str:
    """How much of the search was chance: what a sampler has not learnt from yet."""
    if searched.design == "tpe":
        number, then = STARTUP, "from which it learns"
    elif searched.design == "nsga2":
        number, then = searched.spec.population or POPULATION, "its first generation"
    else:
        return ""
    if searched.spec.trials <= number:
        return f" All trials are random draws: it learns from {number} of them at first."
    return f" The first {number} trials are random draws, {then}."


def _limit(limit: Constraint) -> str:
    return str(limit) if limit.is_timed else f"{limit.measure} {limit.relation} {limit.limit:,}"


def _timed(searched: Searched) -> str:
    """How latency was known before training."""
    if searched.device is None:
        return ""
    exempt = (
        " The baseline was trained although it breaks a limit relative to itself; it is not chosen."
        if len(searched.candidates) < len(searched.complete)
        else ""
    )
    return (
        f" Latency is of one image on {code(searched.device)}, run eagerly in strict fp32. The trials of a "
        "batch took turns with the baseline in a short session before they were trained; what counts is the "
        f"ratio to it, here with its interval, times how long it took in the first session.{exempt}"
    )


def _aims(searched: Searched) -> str:
    return " and ".join(map(_aim, searched.objectives))


def _aim(objective: Objective) -> str:
    return "high accuracy" if objective == "accuracy" else f"low {_NAMES[objective].partition(',')[0]}"


def _space(findings: Findings) -> Iterator[tuple[Cell, ...]]:
    for path, factor in findings.manifest.factors.items():
        when = ", ".join(f"{other}={level}" for other, level in factor.when.items())
        yield Code(path), factor.text, Code(when) if when else ABSENT


def _fates(searched: Searched) -> str:
    words = {
        "pruned": "stopped early",
        "failed": "failed",
        "rejected": "not allowed, or not to be built, and so not trained",
        "repeated": "asked for again and so not trained again",
        "open": "not finished",
    }
    others = [f"{searched.number(state)} {text}" for state, text in words.items() if searched.number(state)]
    fates = ", ".join([f"{len(searched.complete)} complete", *others])
    wanted = searched.spec.trials
    fewer = (
        f" {wanted} to be trained were asked for: the space or the limits hold no more."
        if len(searched.trials) >= ASKED_A_TRIAL * wanted
        else ""
    )
    return f"{plural(len(searched.trials), 'trial')}: {fates}.{fewer}"


def outcome(findings: Findings, searched: Searched) -> Iterator[str]:
    """The configuration that was chosen, and what its numbers are worth."""
    best = searched.best
    if best is None:
        yield "No trial that is complete keeps the limits." if searched.complete else "No trial is complete."
        return
    yield (
        f"Best on validation images: {code(best.variant)} (trial {best.number}), "
        f"{percent(searched.accuracy(best))} % there; on the test images, which had no part in the choice, "
        f"{_tested(findings, best)} %{_against_baseline(findings, best)}."
    )
    if len(searched.objectives) > 1:
        yield f"{plural(len(searched.front), 'trial')} in the Pareto set of {_aims(searched)} (see Search)."
    if best.number == 0:
        yield "No trial was better than the baseline on validation images."
        return
    yield (
        f"That is the best of {len(searched.candidates) + searched.number('pruned')}, so its accuracy on "
        "validation images is too high on average. The runs that it was chosen by are those that were "
        "tested: luck in training helps both. Before it is claimed to be better, train it again with seeds "
        "that had no part in the search, beside the baseline (design `list`)."
    )


def _chosen(findings: Findings, searched: Searched) -> Iterator[Block]:
    front = searched.front
    if not front:
        return
    costs = [name for name in searched.objectives if name != "accuracy"]
    if costs:
        yield Paragraph(
            "The Pareto set: no other complete trial is as good in every objective and better in one. By "
            "validation accuracy, whose noise puts some in and some out:"
        )
    else:
        yield Paragraph("The best by validation accuracy:")
        front = sorted(searched.candidates, key=lambda t: (-searched.accuracy(t), t.number))[:_SHOWN]
    header = ("trial", "variant", *(_NAMES[name] for name in searched.objectives), "test accuracy, % [95 %]")
    ordered = sorted(front, key=lambda trial: (-searched.accuracy(trial), trial.number))
    yield Table(header, tuple(_row(findings, searched, trial) for trial in ordered), text_columns=2)
    if costs:
        yield _scatter(searched, costs[0])
    yield _progress(searched)


_SHOWN = 10


def _row(findings: Findings, searched: Searched, trial: SearchTrial) -> tuple[Cell, ...]:
    values = [
        _latency(trial) if name == "latency" else _value(name, value)
        for name, value in zip(searched.objectives, trial.values, strict=True)
    ]
    return str(trial.number), Code(trial.variant), *values, _tested(findings, trial)


def _latency(trial: SearchTrial) -> str:
    times = trial.latency
    if times is None:
        return ABSENT
    interval = f" [{milliseconds(times.low)}, {milliseconds(times.high)}]" if times.low > 0 else ""
    return f"{milliseconds(times.estimate)}{interval}"


def _value(objective: Objective, value: float) -> str:
    match objective:
        case "accuracy":
            return percent(value)
        case "memory":
            return mebibytes(round(value))
        case _:
            return count(value)


def _tested(findings: Findings, trial: SearchTrial) -> str:
    found = next((v for v in findings.variants if v.name == trial.variant), None)
    if found is None or found.accuracy is None:
        return ABSENT
    accuracy = found.accuracy
    interval = f" {percent_interval(accuracy.low, accuracy.high)}" if accuracy.has_interval else ""
    return f"{percent(accuracy.mean)}{interval}"


def _against_baseline(findings: Findings, trial: SearchTrial) -> str:
    """How the test accuracy of what was chosen differs from the baseline's."""
    found = next((v for v in findings.variants if v.name == trial.variant), None)
    if found is None or found.claim is None:
        return ""
    return f", which is {difference(found.claim.here)} from the baseline on this test set"


def _scatter(searched: Searched, cost: Objective) -> Scatter:
    axis, unit = _AXES[cost]
    place = searched.objectives.index(cost)
    return Scatter(
        name="search_front",
        alt=f"Validation accuracy of every complete trial against its {_NAMES[cost]}",
        x_axis=axis,
        y_axis="validation accuracy, %",
        points=tuple(
            Point(
                label="baseline" if trial.number == 0 else str(trial.number),
                x=_cost(trial, cost, trial.values[place], unit),
                y=Bar(100 * searched.accuracy(trial), _NAN, _NAN),
                kind="baseline" if trial.number == 0 else "variant",
                name=trial.variant,
            )
            for trial in searched.complete
        ),
    )


def _cost(trial: SearchTrial, cost: Objective, value: float, unit: float) -> Bar:
    if cost == "latency" and trial.latency is not None:
        return Bar(*(seconds / unit for seconds in trial.latency))
    return Bar(value / unit, _NAN, _NAN)


def _progress(searched: Searched) -> Progress:
    return Progress(
        name="search_progress",
        alt="Validation accuracy of each trial in the order of asking, and the best so far",
        axis="validation accuracy, %",
        trials=tuple(
            Tried(trial.number, 100 * searched.accuracy(trial) if trial.values else None)
            for trial in searched.trials
        ),
    )
