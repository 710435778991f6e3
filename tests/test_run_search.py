"""What the sweep around a search decides of its trials and of what lies on the disk."""

from types import SimpleNamespace
from typing import Any

import pytest

from msanet_bench.records import Record
from msanet_bench.report.search import Searched, SearchTrial
from msanet_bench.search import Trial
from msanet_bench.sweep.run_search import _parts, front
from searching import searched


def trials(*values: tuple[float, ...]) -> list[Trial]:
    variant: Any = SimpleNamespace(name="any")
    return [
        Trial(number, {}, variant, {}, state="complete", values=each) for number, each in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("limit", "best"), [("[latency <= 0.9x]", [1]), ("[latency <= 2x]", [0]), ("[]", [0])]
)
def test_what_is_timed_in_the_end_is_what_the_report_calls_best(limit: str, best: list[int]) -> None:
    """A baseline breaks a limit relative to itself; it is trained all the same, and not chosen."""
    experiment = searched("tpe", "{trials: 4, batch: 2}", constraints=limit)
    found = trials((0.9,), (0.8,), (0.7,))
    assert [trial.number for trial in front(experiment, found)] == best
    search = experiment.search
    assert search is not None
    told = Searched(
        design="tpe",
        spec=search,
        constraints=experiment.constraints,
        trials=tuple(SearchTrial(t.number, "any", "complete", "", t.values, {}) for t in found),
    )
    assert [trial.number for trial in told.front] == best


@pytest.mark.parametrize(
    ("code", "accepted", "is_known"),
    [("today", set(), True), ("other", set(), False), ("other", {"other"}, True)],
)
def test_cells_of_other_code_are_taken_where_they_were_accepted(
    code: str,
    accepted: set[str],
    is_known: bool,  # noqa: FBT001
) -> None:
    record = Record("k", "v", {}, 0, 0, "ok", provenance={"code": code})
    sweep = SimpleNamespace(
        missing=[],
        records={"k": record},
        code="today",
        history=SimpleNamespace(accepted_code=frozenset(accepted)),
        options=SimpleNamespace(retry=frozenset(), plugin_folder=None),
        experiment=SimpleNamespace(plugins=()),
        plan=None,
        devices=SimpleNamespace(kind="cpu"),
    )
    hands: Any = SimpleNamespace(sweep=sweep, job=None, fits=None)
    count: Any = None
    assert ("k" in _parts(hands, count).known) is is_known
