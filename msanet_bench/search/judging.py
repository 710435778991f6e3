"""What a trial is worth training for: judged before its first epoch, by what is known without one."""

from collections.abc import Callable
from dataclasses import replace

from msanet_bench.errors import BenchError
from msanet_bench.plan import Variant
from msanet_bench.search.objectives import broken
from msanet_bench.search.trials import Asked, Costs, Trial
from msanet_bench.search_spec import SearchSpec
from msanet_bench.spec import Experiment


def as_before(trial: Trial, original: Trial) -> Trial:
    """A trial that was asked for before: rejected again, or a repetition that costs nothing."""
    if original.state == "rejected":
        return replace(trial, costs=original.costs, state="rejected", reason=original.reason)
    reason = f"the same as trial {original.number}"
    return replace(trial, costs=original.costs, state="repeated", reason=reason)


def judged(
    trial: Trial, experiment: Experiment, price: Callable[[Variant], Costs], before: Asked | None
) -> Trial:
    """The trial with its costs; rejected if it breaks a limit or cannot be built.

    `before` is what an earlier run of the same code found of it.

    Raises:
        BenchError: it is the baseline that is rejected.
    """
    costs, reason = (
        _judgement(trial, experiment, price) if before is None else (before.costs, before.rejected)
    )
    return replace(trial, costs=costs, reason=reason, state="rejected" if reason else "open")


def _judgement(trial: Trial, experiment: Experiment, price: Callable[[Variant], Costs]) -> tuple[Costs, str]:
    try:
        costs = price(trial.variant)
    except BenchError as error:
        if trial.number == 0:
            raise
        return {}, f"cannot be built: {error}"
    objectives = (experiment.search or SearchSpec()).objectives
    reason = next(broken(experiment.constraints, objectives, costs), "")
    if reason and trial.number == 0:
        raise BenchError(f"{experiment.name}: the baseline itself is not allowed: {reason}.")
    return costs, reason
