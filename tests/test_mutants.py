"""Thirteen measuring bugs that others have shipped, planted one at a time: the suite must notice each.

Each is a small change of the code under test, made in a copy of the package, against which a few of the
tests run. A change that no longer applies fails here too.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

import msanet_bench
from torture import pipe

PACKAGE = Path(msanet_bench.__file__).parent
TESTS = Path(__file__).parent

PASSED, FAILED = 0, 1
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


class Mutant(NamedTuple):
    """A change of one file, and the test files that have to fail with it."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]


WINDOW, CUDA, RECORDER = "measure/window.py", "measure/cuda.py", "session/recorder.py"

MUTANTS = {
    "the wait at the end is dropped": Mutant(
        WINDOW,
        "        _run(device, call, timing.calls)\n        device.synchronize()\n",
        "        _run(device, call, timing.calls)\n",
        ("test_measure_window.py",),
    ),
    "an event is on another stream": Mutant(
        CUDA,
        "            event.record()\n",
        "            event.record(torch.cuda.Stream(self.device))\n",
        ("test_measure_device.py",),
    ),
    "caches are flushed inside the window": Mutant(
        WINDOW,
        '    if timing.cache == "cold":\n        device.flush()\n    device.synchronize()\n'
        "    start_ns = device.now_ns()\n",
        "    device.synchronize()\n    start_ns = device.now_ns()\n"
        '    if timing.cache == "cold":\n        device.flush()\n',
        ("test_measure_window.py",),
    ),
    "the warm-up counts": Mutant(
        "measure/samples.py",
        'self.visit.phase == "measure" and',
        'self.visit.phase in {"measure", "warmup"} and',
        ("test_session_loop.py",),
    ),
    "the order is the same in every round": Mutant(
        RECORDER,
        "enumerate(source.permutation(len(members)))",
        "enumerate(range(len(members)))",
        ("test_session_loop.py",),
    ),
    "the blocks are drawn once": Mutant(
        "session/rules.py",
        "[members[place] for place in source.permutation(len(members))]",
        "list(members)",
        ("test_session_rules.py",),
    ),
    "single visits are resampled": Mutant(
        "analysis/latency.py",
        "    return _centres(level.log_seconds, times_BS[:, level.super_round].astype(np.float64))\n",
        "    visits = len(level.log_seconds)\n"
        "    times_BN = source.multinomial(visits, np.full(visits, 1 / visits), size=_DRAWS)\n"
        "    return _centres(level.log_seconds, times_BN.astype(np.float64))\n",
        ("test_analysis_latency.py",),
    ),
    "the peak is not reset": Mutant(
        "measure/memory/cuda.py", "    allocator.reset_peak()\n", "", ("test_measure_memory_cuda.py",)
    ),
    "missing memory is 0": Mutant(
        "measure/memory/cuda.py",
        "        return MeasuredPeaks(None, None, NO_CUDA)\n",
        "        return MeasuredPeaks(Peak(0, 0, 0), Peak(0, 0, 0))\n",
        ("test_measure_memory_cuda.py",),
    ),
    "milliseconds are taken for microseconds": Mutant(
        CUDA, "_MILLISECOND = 1e-3\n", "_MILLISECOND = 1e-6\n", ("test_measure_device.py",)
    ),
    "a window is not divided by its calls": Mutant(
        WINDOW,
        "last.seconds_since(first) / timing.calls",
        "last.seconds_since(first)",
        ("test_measure_window.py",),
    ),
    "rejected samples are dropped": Mutant(
        RECORDER,
        "        for place in range(first, len(self.samples)):\n",
        "        del self.samples[first:]\n        for place in range(first, len(self.samples)):\n",
        ("test_session_loop.py",),
    ),
    "the TF32 flag is not recorded": Mutant(
        "measure/flags.py", '    "backends.cudnn.allow_tf32",\n', "", ("test_measure_flags.py",)
    ),
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of package and tests, which mutants change and change back.

    What Python has compiled is copied too: it holds for a file as long as that has its size and its time.
    """
    folder = tmp_path_factory.mktemp("mutants")
    unread = shutil.ignore_patterns("small_*", "benchmarks")
    shutil.copytree(PACKAGE, folder / "msanet_bench", ignore=unread)
    shutil.copytree(TESTS, folder / "tests", ignore=unread)
    shutil.copy(TESTS.parent / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def serving(copied: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has imported what is heavy and runs tests in the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copied), "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-B", str(TESTS / "mutant_driver.py")]
    with subprocess.Popen(command, cwd=copied, env=environment, text=True, **PIPES) as process:
        yield process
        pipe(process.stdin).close()


def run_tests(serving: subprocess.Popen[str], copied: Path, tests: Sequence[str]) -> tuple[int, str]:
    """The exit code of pytest and what it printed."""
    asked = pipe(serving.stdin)
    asked.write(json.dumps([f"tests/{name}" for name in tests]) + "\n")
    asked.flush()
    code = int(pipe(serving.stdout).readline())
    return code, (copied / "output").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_noticed(name: str, copied: Path, serving: subprocess.Popen[str]) -> None:
    mutant = MUTANTS[name]
    file = copied / "msanet_bench" / mutant.file
    text = file.read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1, "the code has changed: write the mutant anew"
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        code, printed = run_tests(serving, copied, mutant.tests)
    finally:
        file.write_text(text, encoding="utf-8")
    assert code == FAILED, printed
    assert "1 failed" in printed


def test_without_a_planted_bug_the_same_tests_pass(copied: Path, serving: subprocess.Popen[str]) -> None:
    tests = sorted({name for mutant in MUTANTS.values() for name in mutant.tests})
    code, printed = run_tests(serving, copied, tests)
    assert code == PASSED, printed


def test_there_are_thirteen() -> None:
    assert len(MUTANTS) == 13
