"""What a living sweep says of itself, and that a dead one says nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msanet_bench.journal import sole_writer
from msanet_bench.running import (
    RunningCell,
    forget_running,
    free_slot,
    is_held,
    log_file,
    named_log,
    read_running,
    write_running,
)

CELLS = (RunningCell("baseline", 0, slot=0, since=10.0), RunningCell("attention=none", 3, slot=1, since=12.5))

HOLD = """
import sys, time
from pathlib import Path
from msanet_bench.journal import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder until the end, or until it is killed."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def test_what_a_living_sweep_wrote_is_read_slot_by_slot(tmp_path: Path) -> None:
    with held(tmp_path):
        write_running(tmp_path, reversed(CELLS))
        assert read_running(tmp_path) == CELLS
        assert [path.name for path in tmp_path.glob(".*")] == []
        forget_running(tmp_path)
        assert read_running(tmp_path) == ()


def test_what_a_killed_sweep_left_behind_is_not_running(tmp_path: Path) -> None:
    with held(tmp_path) as holder:
        write_running(tmp_path, CELLS)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        assert (tmp_path / "running.json").exists()
        assert not is_held(tmp_path)
        assert read_running(tmp_path) == ()


def test_asking_neither_takes_the_lock_nor_makes_a_file(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path):
        for _ in range(100):
            assert is_held(tmp_path)
    with sole_writer(tmp_path):
        pass


def test_half_a_file_and_a_foreign_one_say_nothing(tmp_path: Path) -> None:
    with held(tmp_path):
        for text in ("", "[{", '{"a": 1}', '[{"who": 1}]', "3"):
            (tmp_path / "running.json").write_text(text)
            assert read_running(tmp_path) == ()


def test_a_folder_that_refuses_stops_nobody(tmp_path: Path) -> None:
    write_running(tmp_path / "nowhere", CELLS)
    forget_running(tmp_path / "nowhere")


def test_the_lowest_free_slot_is_given() -> None:
    assert free_slot([]) == 0
    assert free_slot(CELLS) == 2
    assert free_slot(CELLS[1:]) == 0


def test_a_log_is_named_only_where_something_stands_in_it(tmp_path: Path) -> None:
    assert named_log(tmp_path, "key") == ""
    log_file(tmp_path, "key").parent.mkdir()
    log_file(tmp_path, "key").touch()
    assert named_log(tmp_path, "key") == ""
    log_file(tmp_path, "key").write_text("Fatal Python error\n")
    assert named_log(tmp_path, "key") == str(tmp_path / "logs" / "key.log")
