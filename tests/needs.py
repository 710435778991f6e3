"""Tests that need what not every machine has: not run without it, and counted at the end of every run."""

import os
import shutil
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest

# set by `make test-cluster`
HEAVY = "MSANET_BENCH_CLUSTER_TESTS"


class Need(NamedTuple):
    """What tests of a mark need, and whether it is here."""

    what: str
    is_here: Callable[[], bool]


def _there_is_a_device() -> bool:
    import torch  # noqa: PLC0415  # most runs of a few tests need no torch

    return torch.cuda.is_available()


def _are_programs(*names: str) -> bool:
    return all(shutil.which(name) is not None for name in names)


NEEDS = {
    "browser": Need("a browser", lambda: _are_programs("chromium", "chromedriver")),
    "cluster": Need("`make test-cluster`", lambda: bool(os.environ.get(HEAVY))),
    "cuda": Need("a CUDA device", cache(_there_is_a_device)),
    "latex": Need("pdflatex and pdftotext", lambda: _are_programs("pdflatex", "pdftotext")),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The mark is enough: a test that has it needs no condition of its own."""
    for mark, need in NEEDS.items():
        if item.get_closest_marker(mark) is not None and not need.is_here():
            pytest.skip(f"needs {need.what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a need, whether there are any or not; with xdist, only its workers know what is deselected."""
    left_out = [terminalreporter.stats.get(outcome, ()) for outcome in ("skipped", "deselected")]
    for mark, need in NEEDS.items():
        count = sum(mark in test.keywords for tests in left_out for test in tests)
        tests = "1 test that needs" if count == 1 else f"{count} tests that need"
        terminalreporter.write_line(f"{tests} {need.what} {'was' if count == 1 else 'were'} not run")
