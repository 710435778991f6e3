"""The line at the end of every run of the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

TESTS = """
import pytest

@pytest.mark.cuda
@pytest.mark.parametrize("number", [1, 2])
def test_of_a_device(number):
    pass

@pytest.mark.cuda
def test_another():
    pass

@pytest.mark.skip
def test_that_is_skipped_for_another_reason():
    pass

def test_of_anything():
    pass
"""
# stands in for torch, which takes seconds to import
TORCH = """
class cuda:
    def is_available():
        return {there_is_a_device}
"""
SETTINGS = "[pytest]\nmarkers = cuda: needs a CUDA device\n"


def last_line(folder: Path, *options: str, there_is_a_device: bool = False) -> str:
    """What a run of the tests above prints about devices."""
    (folder / "test_some.py").write_text(TESTS)
    (folder / "torch.py").write_text(TORCH.format(there_is_a_device=there_is_a_device))
    (folder / "pytest.ini").write_text(SETTINGS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "cuda_tests", "-p", "no:cacheprovider", *options]
    paths = {"PYTHONPATH": os.pathsep.join([str(folder), str(HERE)])}
    done = subprocess.run(
        command, cwd=folder, env=os.environ | paths, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if "CUDA device" in line and "not run" in line]
    assert len(lines) == 1, done.stdout
    return lines[0]


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_what_was_not_run_is_counted(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert last_line(tmp_path, *options) == "3 tests that need a CUDA device were not run"


def test_one_is_counted_in_the_singular(tmp_path: Path) -> None:
    one = last_line(tmp_path, "test_some.py::test_another")
    assert one == "1 test that needs a CUDA device was not run"


def test_what_is_deselected_is_not_run_either(tmp_path: Path) -> None:
    assert last_line(tmp_path, "-m", "not cuda") == "3 tests that need a CUDA device were not run"


def test_with_a_device_all_are_run(tmp_path: Path) -> None:
    assert last_line(tmp_path, there_is_a_device=True) == "0 tests that need a CUDA device were not run"
