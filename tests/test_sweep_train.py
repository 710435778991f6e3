"""The loop with an executor that answers at once: no torch, no processes, no Optuna."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import msanet_bench.sweep.pace
from jobs import job
from msanet_bench.cell import Job, failure
from msanet_bench.events import Finished, Retried, Stopped
from msanet_bench.executors import WorkerDied
from msanet_bench.journal import Attempt, Journal
from msanet_bench.sweep.pace import Pace
from msanet_bench.sweep.train import Policy, train


def attempt(job: Job, status: Any = "failed", seconds: float = 1.0) -> Attempt:
    trace = "Traceback" if status == "failed" else ""
    return Attempt(failure(job, status, "planted"), 0.0, seconds, None, None, "cpu", "host", trace)


class Scripted:
    """Answers each submission of a job with the next of its script: a status, or an error to raise."""

    def __init__(self, script: dict[str, list[str | Exception]]) -> None:
        self.script = script
        self.submitted: list[str] = []

    def submit(self, task: Job) -> Future[Attempt]:
        self.submitted.append(task.key)
        answer = self.script[task.key].pop(0)
        future: Future[Attempt] = Future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(attempt(task, answer))
        return future

    def cancel(self) -> None:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError


class Listed:
    """Hands out jobs in order and notes how each ended, after looking whether the journal knows of it."""

    def __init__(self, jobs: Iterable[Job], journal: Journal) -> None:
        self.jobs = iter(jobs)
        self.journal = journal
        self.heard: list[tuple[str, str]] = []

    def next(self) -> Job | None:
        return next(self.jobs, None)

    def done(self, job: Job, attempt: Attempt) -> None:
        assert self.journal.read()[-1] == attempt
        self.heard.append((job.key, attempt.record.status))


def run(
    folder: Path, script: dict[str, list[str | Exception]], policy: Policy, slots: int = 1
) -> tuple[Scripted, Listed, list[Finished | Retried | Stopped], Journal]:
    executor, journal = Scripted(script), Journal(folder / "journal.jsonl")
    work = Listed(map(job, script), journal)
    announced: list[object] = []
    return executor, work, list(train(work, executor, journal, slots, policy, announced.append)), journal


def test_every_cell_is_run_once_in_order_and_told_after_the_journal(tmp_path: Path) -> None:
    executor, work, events, journal = run(tmp_path, {"a": ["ok"], "b": ["failed"], "c": ["ok"]}, Policy(3))
    assert executor.submitted == ["a", "b", "c"]
    assert work.heard == [("a", "ok"), ("b", "failed"), ("c", "ok")]
    assert [type(event) for event in events] == [Finished] * 3
    assert [a.record.key for a in journal.read()] == ["a", "b", "c"]


def test_a_cell_whose_process_dies_is_tried_again_and_every_attempt_is_kept(tmp_path: Path) -> None:
    died = WorkerDied("crash", "the worker process was killed by SIGKILL")
    executor, work, events, journal = run(tmp_path, {"a": [died, died, "ok"], "b": ["ok"]}, Policy(3))
    assert executor.submitted == ["a", "a", "a", "b"]
    assert work.heard == [("a", "ok"), ("b", "ok")]
    assert [type(event) for event in events] == [Retried, Retried, Finished, Finished]
    assert [(a.record.key, a.record.status) for a in journal.read()] == [
        ("a", "failed"),
        ("a", "failed"),
        ("a", "ok"),
        ("b", "ok"),
    ]


def test_the_last_attempt_is_the_last(tmp_path: Path) -> None:
    died = WorkerDied("memory", "no memory")
    executor, work, _, journal = run(tmp_path, {"a": [died, "oom", "ok"]}, Policy(2))
    assert executor.submitted == ["a", "a"]
    assert work.heard == [("a", "oom")]
    assert [a.record.status for a in journal.read()] == ["oom", "oom"]


def test_tries_of_an_earlier_run_count(tmp_path: Path) -> None:
    died = WorkerDied("crash", "the worker process was killed by SIGKILL")
    executor, work, _, _ = run(tmp_path, {"a": [died, "ok"], "b": [died, "ok"]}, Policy(3, tried={"a": 2}))
    assert executor.submitted == ["a", "b", "b"]
    assert work.heard == [("a", "failed"), ("b", "ok")]


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_failure_of_its_own_would_come_again_and_is_not_tried_again(tmp_path: Path, status: str) -> None:
    executor, _, _, _ = run(tmp_path, {"a": [status, "ok"]}, Policy(5))
    assert executor.submitted == ["a"]


@pytest.mark.parametrize(("most", "begun"), [(0, 2), (1, 3), (None, 5)])
def test_after_too_many_failures_no_cell_is_begun(tmp_path: Path, most: int | None, begun: int) -> None:
    script: dict[str, list[str | Exception]] = {
        "a": ["ok"],
        "b": ["failed"],
        "c": ["diverged"],
        "d": ["ok"],
        "e": ["ok"],
    }
    executor, _, events, _ = run(tmp_path, script, Policy(max_failures=most))
    assert len(executor.submitted) == begun
    stopped = [event.reason for event in events if isinstance(event, Stopped)]
    assert stopped == (
        [] if most is None else [f"{most + 1} cells were not ok, more than --max-failures {most}"]
    )


def test_an_error_of_the_executor_is_no_outcome_of_a_cell(tmp_path: Path) -> None:
    executor, journal = Scripted({"a": [OSError("no processes left")]}), Journal(tmp_path / "journal.jsonl")
    work = Listed([job("a")], journal)
    with pytest.raises(OSError, match="no processes left"):
        list(train(work, executor, journal, 1, Policy(), [].append))
    assert journal.read() == []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [1000.0]
    monkeypatch.setattr(msanet_bench.sweep.pace.time, "time", lambda: now[0])
    assert time.time() == 1000.0

    def set_to(seconds: float) -> None:
        now[0] = seconds

    return set_to


def test_a_cell_that_would_not_end_before_the_deadline_is_not_in_time(clock: Callable[[float], None]) -> None:
    quick, slow, new = job("quick"), job("slow"), job("new")
    pace = Pace([attempt(quick, "ok", 10), attempt(slow, "ok", 60), attempt(slow, "failed", 1)], 1060.0)
    assert pace.is_in_time(slow)
    clock(1001.0)
    assert [pace.is_in_time(each) for each in (quick, slow, new)] == [True, False, False]
    pace.note(attempt(quick, "ok", 70))
    assert not pace.is_in_time(quick)


def test_a_first_step_counts_until_a_cell_of_its_variant_has_ended(clock: Callable[[float], None]) -> None:
    new = job("new")
    pace = Pace([], 1060.0)
    assert pace.is_in_time(new)
    pace.expect("new", 61)
    assert not pace.is_in_time(new)
    pace.note(attempt(new, "ok", 30))
    assert pace.is_in_time(new)
    clock(1031.0)
    assert not pace.is_in_time(new)


def test_without_a_deadline_everything_is_in_time() -> None:
    assert Pace([attempt(job("a"), "ok", 1e9)], None).is_in_time(job("a"))


def test_a_cell_is_not_tried_again_where_another_try_would_end_too_late(tmp_path: Path) -> None:
    died = WorkerDied("crash", "the worker process was killed by SIGKILL")
    policy = Policy(3, fits=lambda job: job.key != "late")
    executor, work, events, _ = run(tmp_path, {"late": [died, "ok"], "b": [died, "ok"]}, policy)
    assert executor.submitted == ["late", "b", "b"]
    assert work.heard == [("late", "failed"), ("b", "ok")]
    assert [type(event) for event in events] == [Finished, Retried, Finished]
