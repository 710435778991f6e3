"""How many cells a sweep has, and how they stand: what it says when it begins and when it ends."""

from msanet_bench.events import Ended, Started
from msanet_bench.journal import final_records
from msanet_bench.plan import chosen_variants
from msanet_bench.records import TUNING_FINE
from msanet_bench.sweep.opening import Sweep


def most_cells(sweep: Sweep) -> int:
    """How many cells there may be to train: what is chosen for a variant may add as many as it has."""
    return len(sweep.missing) + (len(sweep.untried) + 2 * len(sweep.cells) if sweep.untried else 0)


def started(sweep: Sweep, slots: int, notes: tuple[str, ...]) -> Started:
    planned = sweep.keys
    now = {cell.key for cell in (*sweep.missing, *(tried.cell for tried in sweep.untried))}
    return Started(
        variants=len(sweep.plan.variants),
        seeds=len({cell.seed for cell in sweep.own}),
        cells=len(planned),
        done=len((planned & sweep.records.keys()) - now),
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
    left = sweep.keys - statuses.keys()
    return Ended(len(sweep.keys), not_ok, left=len(left), unchosen=len(left & _unchosen(sweep)))


def _unchosen(sweep: Sweep) -> set[str]:
    """The keys of variants that --variants does not name."""
    if sweep.options.variants is None:
        return set()
    chosen = chosen_variants(sweep.options.variants, [variant.name for variant in sweep.plan.variants])
    planned = [(cell.variant.name, cell.key) for cell in (*sweep.own, *sweep.planned.untuned)]
    planned += [(tried.variant, tried.cell.key) for tried in sweep.planned.tried]
    return {key for name, key in planned if name not in chosen}
