"""Which cells are trained now: of a search every one that is asked for again, of a plan the chosen ones."""

from pathlib import Path

from msanet_bench.plan import Cell, Variant, baseline_settings
from msanet_bench.records import Record
from msanet_bench.spec import Experiment
from msanet_bench.sweep.opening import _Asked
from msanet_bench.sweep.options import SweepOptions
from searching import searched


def is_asked(experiment: Experiment, again: frozenset[str]) -> bool:
    """Whether a trial is trained again that ended well and that the plan of the file does not name."""
    cell = Cell(Variant("se-17", {}, baseline_settings(experiment)), 0, "key")
    record = Record("key", "se-17", {}, seed=0, replicate=0, status="ok")
    asked = _Asked(experiment, SweepOptions(results=Path()), frozenset({"baseline"}), {"key": record}, again)
    return asked.is_missing(cell)


def test_a_trial_of_a_search_is_trained_again_where_its_key_is_asked_for() -> None:
    experiment = searched("tpe", "{trials: 4}")
    assert is_asked(experiment, frozenset({"key"}))
    assert not is_asked(experiment, frozenset())


def test_a_variant_that_was_not_chosen_is_not_trained_again() -> None:
    experiment = searched("tpe", "{trials: 4}").model_copy(update={"search": None})
    assert not is_asked(experiment, frozenset({"key"}))
