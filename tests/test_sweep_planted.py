"""Broken blocks in real sweeps: each is told by its name, and the others finish.

The command runs in a fork of a process that has imported everything; `test_cli.py` starts it as users do.
"""

import json
import subprocess
from pathlib import Path
from shutil import copy

import pytest

from commands import Outcome, run_verb
from experiments import write_experiment
from msanet_bench.journal import Journal
from msanet_bench.records import read_records
from torture import Sweeps

PLANTED = Path(__file__).parent / "planted.py"


def planted(folder: Path, *blocks: str, seeds: int = 1) -> Path:
    """An experiment whose attention is sometimes a planted block."""
    copy(PLANTED, folder)
    text = write_experiment(
        folder, seeds=f"seeds: {seeds}", measure="measure: {latency_rounds: 0}"
    ).read_text()
    text = text.replace("[self_attention, none, se]", f"[self_attention, none, {', '.join(blocks)}]")
    return write_experiment(folder, text + "plugins: [planted.py]\n")


@pytest.fixture
def sweeps(tmp_path: Path, serving: subprocess.Popen[str]) -> Sweeps:
    return Sweeps(tmp_path, serving)


def statuses(folder: Path) -> dict[str, tuple[str, str]]:
    records = read_records(folder / "results" / "tiny")
    return {record.variant.removeprefix("attention="): (record.status, record.reason) for record in records}


EXPECTED = {
    "baseline": ("ok", ""),
    "none": ("ok", ""),
    "planted_hang": ("failed", "the worker process ran longer than the limit of 8 s and was killed"),
    "planted_hang_in_c": ("failed", "the worker process ran longer than the limit of 8 s and was killed"),
    "planted_memory_eater": ("oom", "the worker process used more than the limit of 1.5 GB and was killed"),
    "planted_crash": ("failed", "the worker process was killed by SIGSEGV"),
    "planted_exit": ("failed", "the worker process ended with exit code 7"),
    "planted_cuda_memory_error": (
        "oom",
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 0 bytes free",
    ),
}


@pytest.mark.slow
def test_every_kind_of_broken_block_is_told_and_the_others_finish(sweeps: Sweeps, tmp_path: Path) -> None:
    planted(tmp_path, *(name for name in EXPECTED if name.startswith("planted")))
    outcome = sweeps.outcome("--time-limit", "8s", "--memory-limit", "1.5GB")
    assert outcome.code == 1, outcome.out
    assert statuses(tmp_path) == EXPECTED
    assert "6 of 8 cells are not ok; the report names them with their reasons." in outcome.out
    assert "Traceback" not in outcome.out
    for name, word in {"crash": "Segmentation fault", "hang": "go_wrong", "hang_in_c": "go_wrong"}.items():
        log = _named_log(outcome, f"planted_{name}")
        assert word in (tmp_path / log).read_text()
        assert "planted.py" in (tmp_path / log).read_text()
    # these print nothing
    assert "(log: " not in _line(outcome, "planted_exit")


def _line(outcome: Outcome, variant: str) -> str:
    (line,) = (line for line in outcome.out.splitlines() if f"attention={variant} seed 0:" in line)
    return line


def _named_log(outcome: Outcome, variant: str) -> str:
    return _line(outcome, variant).partition("(log: ")[2].partition(")")[0]


@pytest.mark.slow
def test_after_too_many_failures_the_same_command_goes_on(sweeps: Sweeps, tmp_path: Path) -> None:
    planted(tmp_path, "planted_error", "planted_cuda_memory_error", seeds=2)
    stopped = sweeps.outcome("--max-failures", "0", "--workers", "1")
    assert stopped.code == 1
    assert "no further cells: 1 cells were not ok, more than --max-failures 0" in stopped.out
    assert "1 of 8 cells are not ok" in stopped.out
    assert "5 of 8 cells have not begun. Give the same command again to go on." in stopped.out
    assert set(statuses(tmp_path)) == {"baseline", "none", "planted_error"}
    on = sweeps.outcome("--max-failures", "9")
    assert on.code == 1
    assert "= 8 cells, 3 done" in on.out
    assert "4 of 8 cells are not ok" in on.out
    assert "have not begun" not in on.out
    again = sweeps.outcome("--retry", "oom")
    assert "= 8 cells, 6 done" in again.out
    attempts = Journal(tmp_path / "results" / "tiny" / "journal.jsonl").read()
    assert [attempt.record.status for attempt in attempts].count("oom") == 4
    assert [attempt.record.status for attempt in attempts].count("failed") == 2


@pytest.mark.slow
def test_retry_trains_what_failed_and_only_that_once_the_cause_is_mended(
    sweeps: Sweeps, tmp_path: Path
) -> None:
    """A full machine, say: what failed through no fault of the code goes well the next time."""
    planted(tmp_path, "planted_exit_once", "planted_error")
    first = sweeps.outcome()
    assert first.code == 1
    assert statuses(tmp_path)["planted_exit_once"][0] == "failed"
    second = sweeps.outcome("--retry", "failed,oom")
    assert second.code == 1
    assert statuses(tmp_path)["planted_exit_once"] == ("ok", "")
    assert "1 of 4 cells are not ok" in second.out
    manifest = json.loads((tmp_path / "results" / "tiny" / "manifest.json").read_text())
    assert manifest["amendments"] == []
    wrong = sweeps.outcome("--retry", "ok")
    assert (wrong.code, wrong.out.strip()) == (
        2,
        "--retry: must be any of failed, oom, diverged, but got 'ok'.",
    )


def test_a_deadline_that_is_over_is_refused(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    over = run_verb("sweep", "tiny.yaml", "--deadline", "2020-01-01T07:30", cwd=tmp_path)
    assert over.code == 2
    assert over.err.startswith("--deadline: must lie ahead, but got '2020-01-01T07:30', and it is ")
    assert not (tmp_path / "results").exists()
