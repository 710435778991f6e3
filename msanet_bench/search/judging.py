"""Whether a trial is worth training: judged before its first epoch, by what is known without one."""

from collections.abc import Callable
from dataclasses import replace

from msanet_bench.errors import BenchError
from msanet_bench.plan import Variant
from msanet_bench.search.objectives import broken
from msanet_bench.search.timing import LATENCY, Timing, timed_limits
from msanet_bench.search.trials import Asked, Costs, Trial
from msanet_bench.search_spec import SearchSpec
from msanet_bench.spec import Experiment


def as_before(trial: Trial, original: Trial) -> Trial:
    """A trial that was asked for before: rejected again, or a repetition that costs nothing."""
    known = replace(trial, costs=original.costs, timing=original.timing)
    if original.state == "rejected":
        return replace(known, state="rejected", reason=original.reason)
    reason = f"the same as trial {original.number}"
    return replace(known, state="repeated", reason=reason)


def judged(
    trial: Trial, experiment: Experiment, price: Callable[[Variant], Costs], before: Asked | None
) -> Trial:
    """The trial with its costs; rejected if it breaks a limit or cannot be built.

    `before` is what an earlier run of the same code found of it. One that was timed had kept these limits.

    Raises:
        BenchError: it is the baseline that is rejected.
    """
    costs, reason = (
        _judgement(trial, experiment, price)
        if before is None
        else (before.costs, "" if before.timing is not None else before.rejected)
    )
    return replace(trial, costs=costs, reason=reason, state="rejected" if reason else "open")


def judged_by_time(trial: Trial, experiment: Experiment, timing: Timing, baseline_s: float) -> Trial:
    """The trial with its latency; rejected if it breaks a limit on it or could not be timed.

    Raises:
        BenchError: it is the baseline that is rejected.
    """
    timed = replace(trial, costs={**trial.costs, **timing.costs(baseline_s)}, timing=timing)
    limits = timed_limits(experiment, trial.number)
    reason = (
        f"cannot be timed: {timing.reason}" if timing.reason else next(broken(limits, (), timed.costs), "")
    )
    _require_baseline(trial, experiment, reason)
    return replace(timed, reason=reason, state="rejected") if reason else timed


def _judgement(trial: Trial, experiment: Experiment, price: Callable[[Variant], Costs]) -> tuple[Costs, str]:
    try:
        costs = price(trial.variant)
    except BenchError as error:
        if trial.number == 0:
            raise
        return {}, f"cannot be built: {error}"
    objectives = (experiment.search or SearchSpec()).objectives
    limits = [limit for limit in experiment.constraints if not limit.is_timed]
    untimed = [objective for objective in objectives if objective != LATENCY]
    reason = next(broken(limits, untimed, costs), "")
    _require_baseline(trial, experiment, reason)
    return costs, reason


def _require_baseline(trial: Trial, experiment: Experiment, reason: str) -> None:
    if reason and trial.number == 0:
        raise BenchError(f"{experiment.name}: the baseline itself is not allowed: {reason}.")
