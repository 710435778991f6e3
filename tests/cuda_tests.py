"""Tests marked `cuda`: not run without a device, and counted at the end of every run."""

import pytest

MARK = "cuda"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The mark is enough: a test that has it needs no condition of its own."""
    if item.get_closest_marker(MARK) is not None:
        import torch  # noqa: PLC0415  # most runs of a few tests need no torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line, whether there are any or not; with xdist, only its workers know what is deselected."""
    left_out = (terminalreporter.stats.get(outcome, ()) for outcome in ("skipped", "deselected"))
    count = sum(MARK in test.keywords for tests in left_out for test in tests)
    tests = "1 test that needs" if count == 1 else f"{count} tests that need"
    terminalreporter.write_line(f"{tests} a CUDA device {'was' if count == 1 else 'were'} not run")
