"""How many cells a sweep has, and how they stand: what it says when it begins and when it ends."""

from msanet_bench.events import Ended, Started
from msanet_bench.journal import final_records
from msanet_bench.records import Status
from msanet_bench.sweep.opening import Sweep

FINE: frozenset[Status] = frozenset({"ok", "pruned"})
# a candidate that diverges is an answer: training does not work with it
TUNING_FINE: frozenset[Status] = frozenset({"ok", "diverged"})


def most_cells(sweep: Sweep) -> int:
    """How many cells there may be to train: what is chosen for a variant may add as many as it has."""
    return len(sweep.missing) + (len(sweep.untried) + 2 * len(sweep.cells) if sweep.untried else 0)


def started(sweep: Sweep, slots: int, notes: tuple[str, ...]) -> Started:
    planned = len(sweep.keys)
    undecided = sweep.planned.undecided(sweep.records)
    coming = [c for c in sweep.own if c.variant.name in undecided and c.key not in sweep.records]
    return Started(
        variants=len(sweep.plan.variants),
        seeds=len({cell.seed for cell in sweep.own}),
        cells=planned,
        done=planned - len(sweep.missing) - len(sweep.untried) - len(coming),
        workers=slots,
        notes=notes,
        tuning=len(sweep.planned.tried),
        untuned=len(sweep.planned.beside),
    )


def ended(sweep: Sweep) -> Ended:
    final = final_records(sweep.journal.read())
    tuning = {each.cell.key for each in sweep.planned.tried}
    statuses = {key: final[key].status for key in sweep.keys if key in final}
    not_ok = sum(
        status != "ok" and not (key in tuning and status in TUNING_FINE) for key, status in statuses.items()
    )
    return Ended(len(sweep.keys), not_ok, left=len(sweep.keys) - len(statuses))
