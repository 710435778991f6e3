"""The lines at the end of every run of the tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from needs import HEAVY, NEEDS

HERE = Path(__file__).parent

TESTS = """
import pytest

@pytest.mark.{mark}
@pytest.mark.parametrize("number", [1, 2])
def test_with_it(number):
    pass

@pytest.mark.{mark}
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
        return {is_here}
"""
PROGRAMS = ("chromium", "chromedriver", "pdflatex", "pdftotext")
MARKS = sorted(NEEDS)


def last_line(folder: Path, mark: str, *options: str, is_here: bool = False) -> str:
    """What a run of the tests above prints about what they need, on a machine that has it or has nothing."""
    (folder / "test_some.py").write_text(TESTS.format(mark=mark))
    (folder / "torch.py").write_text(TORCH.format(is_here=is_here))
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers = {mark}: needs it\n")
    for program in PROGRAMS if is_here else ():
        (folder / program).touch(mode=0o755)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "needs", "-p", "no:cacheprovider", *options]
    paths = {"PYTHONPATH": os.pathsep.join([str(folder), str(HERE)]), "PATH": str(folder)}
    paths |= {HEAVY: "1" if is_here else ""}
    done = subprocess.run(
        command, cwd=folder, env=os.environ | paths, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    end = f"{NEEDS[mark].what} were not run", f"{NEEDS[mark].what} was not run"
    lines = [line for line in done.stdout.splitlines() if line.endswith(end)]
    assert len(lines) == 1, done.stdout
    return lines[0]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_what_was_not_run_is_counted(tmp_path: Path, mark: str, options: tuple[str, ...]) -> None:
    line = last_line(tmp_path, mark, *options)
    assert line == f"3 tests that need {NEEDS[mark].what} were not run"


def test_one_is_counted_in_the_singular(tmp_path: Path) -> None:
    one = last_line(tmp_path, "cuda", "test_some.py::test_another")
    assert one == "1 test that needs a CUDA device was not run"


def test_what_is_deselected_is_not_run_either(tmp_path: Path) -> None:
    assert last_line(tmp_path, "cuda", "-m", "not cuda") == "3 tests that need a CUDA device were not run"


@pytest.mark.parametrize("mark", MARKS)
def test_where_it_is_here_all_are_run(tmp_path: Path, mark: str) -> None:
    line = last_line(tmp_path, mark, is_here=True)
    assert line == f"0 tests that need {NEEDS[mark].what} were not run"
