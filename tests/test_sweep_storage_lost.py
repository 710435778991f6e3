"""What becomes of a sweep whose Optuna storage goes away while it runs. A formula stands for training."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

import tuning
from jobs import job
from msanet_bench.cell import Job
from msanet_bench.events import Ended, Event, Phase, Stopped
from msanet_bench.records import Record, Status
from msanet_bench.search import Ledger, Mirror, StorageLost, storage_url
from msanet_bench.sweep import run
from msanet_bench.sweep.work import FinitePlan, UntilLost
from sweeps import ended, trained
from test_sweep_search import SEARCH
from tuning import TUNED, Formula, formula, tuned

PLAIN = "\n".join(line for line in TUNED.splitlines() if not line.startswith("tune:"))
ONE_SEED = SEARCH.replace("seeds: 2", "seeds: 1").replace("latency_rounds: 0", "latency_rounds: 40")


__all__ = ["formula"]


@pytest.fixture(autouse=True)
def curves(formula: Formula, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records have what a search reads: one epoch, and its accuracy on validation images."""
    known = tuning._record

    def record(job: Job, status: Status) -> Record:
        found = known(job, status)
        row = {"epoch": 1, "validation_accuracy": found.measures["validation_accuracy"].value}
        return replace(found, curve=(row,), provenance={"chosen_epoch": 1, "code": job.code})

    monkeypatch.setattr(tuning, "_record", record)
    assert not formula.jobs


def lose(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, after: int) -> None:
    """Make a method work so often and no more."""
    known: Any = getattr(kind, name)
    calls: list[object] = []

    def method(self: object, *given: object) -> object:
        calls.append(given)
        if len(calls) > after:
            raise StorageLost("planted: cannot be used")
        return known(self, *given)

    monkeypatch.setattr(kind, name, method)


def stops(events: list[Event]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Stopped)]


def test_a_search_that_is_not_done_says_what_is_left(
    tmp_path: Path, formula: Formula, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "measure_latency", lambda *_, **__: pytest.fail("timed in vain"))
    lose(monkeypatch, Mirror, "hear", after=2)
    events = tuned(tmp_path, ONE_SEED)
    assert stops(events) == ["planted: cannot be used"]
    # the baseline and six trials were asked for
    assert ended(events) == Ended(cells=7, not_ok=0, left=7 - len(formula.jobs))
    assert 0 < len(formula.jobs) < 7


def test_a_search_ends_where_it_would_without_a_loss_once_the_storage_is_back(
    tmp_path: Path, formula: Formula, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "measure_latency", lambda *_, **__: [])
    with monkeypatch.context() as patch:
        lose(patch, Mirror, "hear", after=2)
        tuned(tmp_path, ONE_SEED)
    events = tuned(tmp_path, ONE_SEED)
    assert ended(events) == Ended(cells=7, not_ok=0)
    assert len(formula.jobs) == 7


def test_tuning_that_loses_its_storage_leaves_tables_and_an_end_as_a_plan_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose(monkeypatch, Ledger, "ask", after=3)
    lose(monkeypatch, Ledger, "reconcile", after=1)
    lost = tuned(tmp_path)
    assert stops(lost) == ["planted: cannot be used"]
    assert len(trained(lost)) == 3
    assert ended(lost).left
    assert (tmp_path / "results" / "records.jsonl").exists()


@pytest.mark.parametrize(("text", "phase"), [(PLAIN, "training"), (TUNED, "tuning")])
def test_what_runs_when_the_storage_is_lost_comes_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, phase: str
) -> None:
    lose(monkeypatch, Ledger, "tell", after=1)
    events = tuned(tmp_path, text)
    assert Phase(phase) in events
    assert len(trained(events)) == 2
    assert len(stops(events)) == 1


class Broken:
    """Work whose own machine refuses, not its storage."""

    def next(self) -> NoReturn:
        raise OSError(24, "Too many open files")

    def done(self, *_: object) -> None:
        raise AssertionError


def test_an_error_of_this_machine_is_not_told_as_one_of_the_storage() -> None:
    work = UntilLost(Broken())
    with pytest.raises(OSError, match="Too many open files"):
        work.next()
    assert work.loss is None


def test_a_ledger_that_is_asked_says_that_its_storage_is_lost(tmp_path: Path) -> None:
    ledger = Ledger(storage_url(tmp_path), "x", ["baseline"], [0])
    (tmp_path / "study.db").write_bytes(b"this is no database" * 1000)
    work = UntilLost(FinitePlan([job("a")], ledger, lambda _: True))
    assert work.next() is None
    assert "delete it and run again" in str(work.loss)
    with pytest.raises(StorageLost, match="cannot be used"):
        ledger.tell(0, 0.5)


def test_a_search_is_timed_once_its_workers_are_gone(
    tmp_path: Path, formula: Formula, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    known = run.open_place

    def place(*given: Any) -> Any:
        return Noting(known(*given), seen)

    monkeypatch.setattr(run, "open_place", place)
    monkeypatch.setattr(run, "measure_latency", lambda *_, **__: seen.append("timed") or [])
    tuned(tmp_path, ONE_SEED)
    assert seen == ["opened", "closed", "timed"]
    assert formula.jobs


class Noting:
    """A place that notes when it is opened and closed."""

    def __init__(self, place: Any, seen: list[str]) -> None:
        self.place, self.seen = place, seen

    def __enter__(self) -> Any:
        self.seen.append("opened")
        return self.place.__enter__()

    def __exit__(self, *error: object) -> Any:
        self.seen.append("closed")
        return self.place.__exit__(*error)


def test_a_search_that_a_deadline_ends_says_what_is_left(tmp_path: Path) -> None:
    assert ended(tuned(tmp_path, ONE_SEED, deadline=time.time() - 1)) == Ended(7, not_ok=0, left=7)
