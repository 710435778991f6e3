"""What a sweep shows while it runs, in a terminal and in a log."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import msanet_bench.console
from msanet_bench.console import show_sweep
from msanet_bench.events import Ended, Event, Finished, FirstStepFailed, Phase, Retried, Started, Stopped
from msanet_bench.journal import Attempt
from msanet_bench.records import Record, Status
from msanet_bench.running import log_file
from msanet_bench.units import Measure

NAME = "branches.conv3=off,branches.conv5=off,attention=none"


def _attempt(seed: int, status: Status = "ok", reason: str = "") -> Attempt:
    measures = {"accuracy": Measure(0.5, "fraction", "higher")} if status == "ok" else {}
    record = Record(f"k{seed}", NAME, {}, seed, 0, status, reason, measures=measures)
    return Attempt(record, 0.0, 2.25, None, None, "cpu", "here")


EVENTS: tuple[Event, ...] = (
    Started(variants=1, seeds=3, cells=3, done=0, workers=2, notes=("a note [of this plan]",)),
    Phase("one step of each variant"),
    FirstStepFailed(NAME, "oom", "no memory"),
    Phase("training"),
    Finished(_attempt(0)),
    Retried(_attempt(1, "oom", "no memory")),
    Finished(_attempt(1, "failed", "killed by SIGSEGV")),
    Stopped("enough"),
    Ended(cells=3, not_ok=1, left=1),
)
LASTING = (
    "note: a note [of this plan]",
    f"the first step of {NAME} did not go well: oom: no memory",
    f"{NAME} seed 0: accuracy 50.00% (2.2 s)",
    f"{NAME} seed 1: failed: killed by SIGSEGV",
    "no further cells: enough",
)


def _shown(monkeypatch: pytest.MonkeyPatch, results: Path, width: int, *, is_terminal: bool) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=is_terminal, highlight=False)
    monkeypatch.setattr(msanet_bench.console, "open_console", lambda: console)
    assert show_sweep("tiny", iter(EVENTS), results) == EVENTS[-1]
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def _without_spaces(text: str) -> str:
    """A terminal breaks lines where it likes."""
    return "".join(text.split())


def test_the_rate_is_that_of_the_phase(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two quick cells of tuning say nothing of how long training takes: a cell a minute, two to go."""
    clock = iter([0.0, 0.0, 1.0, 2.0, 2.0, 62.0])
    monkeypatch.setattr(msanet_bench.console.time, "monotonic", lambda: next(clock))
    events = (
        Started(variants=1, seeds=3, cells=5, done=0, workers=1, notes=()),
        Phase("tuning"),
        Finished(_attempt(0)),
        Finished(_attempt(1)),
        Phase("training"),
        Finished(_attempt(2)),
        Ended(cells=5, not_ok=0, left=2),
    )
    console = Console(file=StringIO(), width=200, highlight=False)
    monkeypatch.setattr(msanet_bench.console, "open_console", lambda: console)
    show_sweep("tiny", iter(events), tmp_path)
    assert isinstance(console.file, StringIO)
    assert "1.0/min, 2m00s left" in console.file.getvalue()


def test_a_log_has_a_line_for_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = _shown(monkeypatch, tmp_path, 200, is_terminal=False)
    lines = text.splitlines()
    assert lines[0] == "tiny: 1 variant x 3 seeds = 3 cells, 0 done, 2 workers"
    assert lines[1:5] == [*LASTING[:1], "one step of each variant", LASTING[1], "training"]
    assert lines[5].startswith(f"[1/3] {LASTING[2]}, ")
    assert lines[6] == f"{NAME} seed 1: oom: no memory; it is tried again"
    assert lines[7].startswith(f"[2/3] {LASTING[3]}, ")
    assert lines[8:] == [LASTING[4], "done"]
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [60, 120])
def test_what_lasts_stands_above_the_bar_with_the_log_of_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: int
) -> None:
    log = log_file(tmp_path, "k1")
    log.parent.mkdir()
    log.write_text("what it printed")
    text = _without_spaces(_shown(monkeypatch, tmp_path, width, is_terminal=True))
    for line in (*LASTING, f"killed by SIGSEGV (log: {log})"):
        assert _without_spaces(line) in text
