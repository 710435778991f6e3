"""A short torture: real sweeps that are killed again and again, and that end as if nobody had.

`tests/cluster/test_long_torture.py` is the long one.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from experiments import write_experiment
from torture import Strike, Sweeps, attempts, trials

pytestmark = pytest.mark.slow

STRIKES = (
    Strike("half of the manifest"),
    Strike("before the manifest is renamed", everybody=True),
    Strike("while the study is written", number=2),
    Strike("a trial is enqueued"),
    Strike("a trial is asked, without its key", number=2),
    Strike("before submit"),
    Strike("what runs is written", everybody=True),
    Strike("a result came"),
    Strike("half a line", number=2),
    Strike("before the flush"),
    Strike("half a line", everybody=True),
    Strike("after append"),
    Strike("while the study is written", number=9),
    Strike("after tell"),
    Strike("what runs is written", number=2),
    Strike("half of the records"),
    Strike("before the records are renamed", everybody=True),
    Strike("between two exports"),
)

# where the disk is full, and the file that the message names
FULL = {
    "half of the manifest": "results/tiny/manifest.json",
    "half of the profile": "results/tiny/profile.json",
    "before the flush": "results/tiny/journal.jsonl",
    "half of the records": "results/tiny/records.jsonl",
    "half of the report": "reports/tiny/report.md",
}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a sweep that nobody disturbs, by the plain command."""
    folder = tmp_path_factory.mktemp("quiet")
    path = write_experiment(folder, measure="measure: {latency_rounds: 0}")
    command = [sys.executable, "-m", "msanet_bench", "sweep", path.name, "--workers", "2"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "results" / "tiny"


@pytest.fixture
def sweeps(tmp_path: Path, serving: subprocess.Popen[str]) -> Sweeps:
    write_experiment(tmp_path, measure="measure: {latency_rounds: 0}")
    return Sweeps(tmp_path, serving)


def test_killed_at_every_named_point_it_ends_with_the_bytes_of_a_quiet_run(
    sweeps: Sweeps, quiet: Path
) -> None:
    for strike in STRIKES:
        sweeps.struck(strike)
    # 24 with those of the tests below
    assert sweeps.kills == len(STRIKES) == 18
    sweeps.finish(quiet)


def test_killed_at_its_last_cell_it_leaves_no_trial_running(sweeps: Sweeps, quiet: Path) -> None:
    sweeps.struck(Strike("after append", number=6))
    assert "RUNNING" in {state for state, _ in trials(sweeps.results)}
    sweeps.finish(quiet)


def test_killed_after_its_last_cell_it_leaves_no_half_written_file(sweeps: Sweeps, quiet: Path) -> None:
    sweeps.struck(Strike("nothing runs any more"))
    assert (sweeps.results / ".running.json.new").exists()
    sweeps.finish(quiet)


def test_a_cell_whose_worker_is_killed_is_tried_again_also_by_the_next_run(
    sweeps: Sweeps, quiet: Path
) -> None:
    sweeps.options, sweeps.deaths = ("--max-attempts", "3"), 2
    sweeps.struck(Strike("a death is journaled"))
    sweeps.finish(quiet)
    deaths = [each for each in attempts(sweeps.results) if each["status"] == "failed"]
    # the other worker may have died together with the coordinator, and then nobody heard of it
    assert 1 <= len(deaths) <= 2
    assert {each["reason"] for each in deaths} == {"the worker process was killed by SIGKILL"}


def test_a_disk_that_is_full_at_any_moment_is_a_message_and_the_same_command_goes_on(
    sweeps: Sweeps, quiet: Path
) -> None:
    for point, file in FULL.items():
        sweeps.refused(Strike(point), file)
    sweeps.finish(quiet)


@pytest.mark.parametrize(
    ("twin", "strike", "seen"),
    [
        ("tell before append", Strike("after tell"), "the journal does not have"),
        ("append to a buffer", Strike("after tell", number=2), "the journal does not have"),
        ("leave a torn line", Strike("half a line", number=2), "not an attempt"),
    ],
)
def test_the_torture_sees_a_sweep_that_loses_something(
    sweeps: Sweeps, quiet: Path, twin: str, strike: Strike, seen: str
) -> None:
    sweeps.twin = twin
    with pytest.raises(AssertionError, match=seen):
        _killed_and_finished(sweeps, strike, quiet)
    assert sweeps.kills == 1


def _killed_and_finished(sweeps: Sweeps, strike: Strike, quiet: Path) -> None:
    sweeps.struck(strike)
    sweeps.finish(quiet)
