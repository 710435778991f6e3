"""More than a hundred kills of real sweeps: of coordinators, workers and fork servers, alone or all at once.

Times are drawn from a seed that the last lines name: MSANET_BENCH_TORTURE_SEED repeats it.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from experiments import write_experiment
from torture import (
    SAME,
    Strike,
    Sweeps,
    attempts,
    members,
    require_equal,
    require_nobody_left,
    require_order,
    workers,
)
from torture_points import POINTS

pytestmark = pytest.mark.cluster

SEED = int(os.environ.get("MSANET_BENCH_TORTURE_SEED", "20261128"))
TIMING = ("while latency is measured", "before the samples are renamed", "between samples and tables")
TIMED = (*TIMING, "half of the table of latency")
ROUNDS, NAMED_KILLS, RANDOM_KILLS, PLAIN_KILLS = 3, 50, 60, 12
VICTIMS = ("coordinator", "worker", "fork server", "everybody")


def experiment(folder: Path, *, seeds: int = 4, rounds: int = 0) -> list[str]:
    """A tiny experiment, and the plain command that sweeps it."""
    measure = f"measure: {{latency_rounds: {rounds}}}"
    path = write_experiment(folder, seeds=f"seeds: {seeds}", measure=measure)
    return [sys.executable, "-m", "msanet_bench", "sweep", path.name, "--workers", "2"]


def quiet_results(folder: Path, **changes: int) -> Path:
    """The results of a sweep that nobody disturbs."""
    subprocess.run(experiment(folder, **changes), cwd=folder, check=True, capture_output=True)
    return folder / "results" / "tiny"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quiet_results(tmp_path_factory.mktemp("quiet"))


def report(capsys: pytest.CaptureFixture[str], kills: object, results: Path) -> None:
    """Say what happened, so that a failure can be repeated and a success be counted."""
    good = [each["key"] for each in attempts(results) if each["status"] == "ok"]
    with capsys.disabled():
        sys.stdout.write(
            f"\nseed {SEED}: kills {kills}, {len(good)} good attempts, {len(set(good))} cells, "
            f"{len(good) - len(set(good))} twice\n"
        )


def test_named_points_in_any_order(
    serving: subprocess.Popen[str], quiet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each point at a random passage, one kill on top of the other until a sweep is done."""
    source = random.Random(SEED)  # noqa: S311
    points = [point for point in POINTS if point not in TIMED and point != "a death is journaled"]
    kills, lives = 0, 0
    while kills < NAMED_KILLS:
        folder = tmp_path / str(lives)
        folder.mkdir()
        experiment(folder)
        sweeps = Sweeps(folder, serving)
        code = -signal.SIGKILL
        while code:
            strike = Strike(
                source.choice(points), source.choice((1, 1, 1, 1, 2)), everybody=source.random() < 1 / 3
            )
            code = sweeps.end(sweeps.begin(strike))
            assert code in {-signal.SIGKILL, 0}, (SEED, strike, sweeps.output)
            kills += code != 0
            require_order(sweeps.results)
        sweeps.finish(quiet)
        lives += 1
        report(capsys, kills, sweeps.results)


def test_random_times(
    serving: subprocess.Popen[str], quiet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody at any time of a sweep, in one folder after the other, each until its sweep is done.

    Of the workers two a run at most, so that a cell has a third try; a retry counts the tries anew.
    """
    source = random.Random(SEED + 100)  # noqa: S311
    kills, lives, length = dict.fromkeys(VICTIMS, 0), 0, 0.0
    while sum(kills.values()) < RANDOM_KILLS:
        folder = tmp_path / str(lives)
        folder.mkdir()
        experiment(folder)
        sweeps = Sweeps(folder, serving, options=("--max-attempts", "3", "--retry", "failed"))
        code = None
        while code != 0 and length:
            session = sweeps.begin()
            for _ in range(2):
                victim = source.choice(VICTIMS)
                _wait(session, source.uniform(0, length / 2))
                while not (struck := _kill(session, victim, source)) and members(session):
                    time.sleep(0.01)
                kills[victim] += struck
            code = sweeps.end(session)
            # a worker that counts operations has a second try, and after that its death is a message
            assert code in {-signal.SIGKILL, 0, 2}, (SEED, code, sweeps.output)
            assert "Traceback" not in sweeps.output, (SEED, sweeps.output)
            require_order(sweeps.results)
        clock = time.monotonic()
        sweeps.finish(quiet)
        # the first folder is nobody's victim: it says how long a sweep takes here
        length = length or time.monotonic() - clock
        lives += 1
        report(capsys, kills, sweeps.results)


def test_the_plain_command_at_random_times(
    quiet: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No fork of a prepared process: what a user starts, killed with all that it has begun or alone."""
    source = random.Random(SEED + 200)  # noqa: S311
    command, kills = experiment(tmp_path), 0
    results = tmp_path / "results" / "tiny"
    for number in range(PLAIN_KILLS):
        with subprocess.Popen(
            command, cwd=tmp_path, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            _wait_for_the_journal(process, results, number)
            time.sleep(source.uniform(0, 0.3))
            kills += process.poll() is None
            if source.random() < 1 / 2:
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.communicate()
        require_nobody_left(process.pid)
        require_order(results)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    require_equal(results, quiet)
    report(capsys, kills, results)
    assert kills > PLAIN_KILLS / 2


def test_while_latency_is_measured(
    serving: subprocess.Popen[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "quiet").mkdir()
    (tmp_path / "killed").mkdir()
    quiet = quiet_results(tmp_path / "quiet", seeds=1, rounds=ROUNDS)
    experiment(tmp_path / "killed", seeds=1, rounds=ROUNDS)
    sweeps = Sweeps(tmp_path / "killed", serving)
    for point in TIMED:
        sweeps.struck(Strike(point))
        assert not (sweeps.results / "latency_sessions.csv").exists()
        for name in SAME:
            assert (sweeps.results / name).read_bytes() == (quiet / name).read_bytes(), name
    sweeps.finish(quiet)
    report(capsys, sweeps.kills, sweeps.results)


def _wait(session: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while members(session) and time.monotonic() < deadline:
        time.sleep(0.01)


def _kill(session: int, victim: str, source: random.Random) -> bool:
    """Whether the victim lived."""
    living = members(session)
    if not any(process.pid == session for process in living):
        return False
    if victim == "everybody":
        os.killpg(session, signal.SIGKILL)
        return True
    candidates = {
        "coordinator": [process for process in living if process.pid == session],
        "worker": workers(session),
        "fork server": [process for process in living if _has_workers(process, session)],
    }[victim]
    if not candidates:
        return False
    source.choice(candidates).kill()
    return True


def _has_workers(process: psutil.Process, session: int) -> bool:
    return any(worker.ppid() == process.pid for worker in workers(session) if worker.is_running())


def _wait_for_the_journal(process: "subprocess.Popen[bytes]", results: Path, lines: int) -> None:
    """Until the sweep has come further than the one before; some kills come before the first cell."""
    deadline = time.monotonic() + 120
    while process.poll() is None and len(attempts(results)) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.01)
