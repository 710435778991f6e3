"""Real full disks: a tmpfs as results folder, filled to every height, and one that may not be written."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments import write_experiment
from plain_sweeps import plain_sweep
from torture import Sweeps, attempts, require_equal, require_order

pytestmark = pytest.mark.cluster

KILOBYTE = 1024
# a results folder of this experiment takes about 170 KB, most of it the study
MOST_REFUSED = 128
HEIGHTS = [*range(0, 32, 4), *range(32, 200, 24)]


def experiment(folder: Path, rounds: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    write_experiment(folder, measure=f"measure: {{latency_rounds: {rounds}}}")


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quiet")
    experiment(folder)
    assert plain_sweep(folder).code == 0
    return folder / "results" / "tiny"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk of 4 MB."""
    place = tmp_path / "results"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def leave(disk: Path, free: int) -> Path:
    """A file that leaves so many bytes free on a disk."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - free))
    return ballast


@pytest.mark.parametrize("height", HEIGHTS)
def test_a_disk_that_is_full_sooner_or_later_is_a_message_and_the_same_command_goes_on(
    serving: subprocess.Popen[str], quiet: Path, tmp_path: Path, disk: Path, height: int
) -> None:
    experiment(tmp_path)
    ballast = leave(disk, height * KILOBYTE)
    sweeps = Sweeps(tmp_path, serving)
    code = sweeps.end(sweeps.begin())
    require_told(code, sweeps.output)
    assert code or height > MOST_REFUSED, sweeps.output
    kept = attempts(sweeps.results)
    require_order(sweeps.results)
    ballast.unlink()
    sweeps.finish(quiet)
    assert attempts(sweeps.results)[: len(kept)] == kept


def test_a_disk_that_fills_up_while_cells_are_trained(
    serving: subprocess.Popen[str], quiet: Path, tmp_path: Path, disk: Path
) -> None:
    """From four cells on, the journal alone has no room: Optuna's file has all the pages that it needs."""
    experiment(tmp_path)
    shutil.copytree(quiet, disk / "tiny")
    journal = disk / "tiny" / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:4]))
    (disk / "tiny" / "study.db").unlink()
    ballast = leave(disk, 0)
    sweeps = Sweeps(tmp_path, serving)
    code = sweeps.end(sweeps.begin())
    require_told(code, sweeps.output)
    assert code
    assert len(attempts(sweeps.results)) == 4
    ballast.unlink()
    sweeps.finish(quiet)


@pytest.mark.parametrize("height", [0, 8, 24, 40])
def test_a_disk_that_fills_up_while_latency_is_measured(
    serving: subprocess.Popen[str], tmp_path: Path, disk: Path, height: int
) -> None:
    experiment(tmp_path, rounds=3)
    sweeps = Sweeps(tmp_path, serving)
    assert sweeps.end(sweeps.begin()) == 0, sweeps.output
    shutil.copytree(sweeps.results, tmp_path / "quiet")
    for name in ("latency.csv", "latency_sessions.csv", "samples.parquet", "session.json"):
        (sweeps.results / name).unlink()
    ballast = leave(disk, height * KILOBYTE)
    code = sweeps.end(sweeps.begin())
    require_told(code, sweeps.output)
    assert code or height, sweeps.output
    ballast.unlink()
    sweeps.finish(tmp_path / "quiet")
    require_equal(sweeps.results, tmp_path / "quiet")


def test_a_disk_that_may_not_be_written_is_left_as_it_is(quiet: Path, tmp_path: Path, disk: Path) -> None:
    experiment(tmp_path)
    shutil.copytree(quiet, disk / "tiny")
    before = {path.name: path.read_bytes() for path in (disk / "tiny").glob("*.*")}
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    outcome = plain_sweep(tmp_path)
    assert (outcome.code, outcome.err) == (
        2,
        (
            "results/tiny: cannot be written (Read-only file system). "
            "Mend that, or choose another folder by --results.\n"
        ),
    )
    assert {path.name: path.read_bytes() for path in (disk / "tiny").glob("*.*")} == before


def require_told(code: int, output: str) -> None:
    """Either there was room for all, or it is said which file could not be written and what to do."""
    assert "Traceback" not in output, output
    if code == 0:
        return
    assert code in {1, 2}, (code, output)
    told = [line for line in output.splitlines() if "results/tiny/" in line and "cannot be" in line]
    assert told, (code, output)
    assert any(word in told[-1] for word in ("the same command again", "run again")), told
